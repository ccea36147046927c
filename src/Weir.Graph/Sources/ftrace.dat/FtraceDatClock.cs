using System.Globalization;
using System.Text;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// How the times of a trace.dat become nanoseconds: a guest's are first those of its host, then a counter's ticks are scaled, then what
/// <c>--date</c> and <c>--ts-offset</c> say is added (by the clock class, so the cycles stay). Where the file names the clock of a recording of
/// Weir's, that is the clock class, and times are as they are.
/// </summary>
internal sealed class FtraceDatClock
{
    private const uint InterpolateFlag = 1;

    private uint _multiplier;
    private int _shift;
    private bool _isInterpolated;
    private Correction[][] _corrections = [];

    /// <summary>Nanoseconds to add.</summary>
    public long OffsetNs { get; private set; }

    /// <summary>Whether the sum is the time since the Epoch.</summary>
    public bool IsAbsolute { get; private set; }

    /// <summary>The clock of the recording, where the file names one; then times are its cycles.</summary>
    public ClockClass? Session { get; private set; }

    /// <summary>Whether times are what the file has, so that they need no conversion.</summary>
    public bool IsPlain => Session is not null || (_multiplier == 0 && _corrections.Length == 0);

    /// <summary>Option VERSION: who wrote the file, and of a recording of Weir's its clock.</summary>
    public void SetSession(string version)
    {
        if (FtraceDatSessionClock.TryRead(version, out var clock))
            Session = clock;
    }

    /// <summary>Option DATE: microseconds from the clock's zero to the Epoch's.</summary>
    public void AddDate(byte[] text)
    {
        if (!TryParse(text, out long microseconds))
            return;
        OffsetNs = unchecked(OffsetNs + (microseconds * 1000));
        IsAbsolute = true;
    }

    /// <summary>Option OFFSET: nanoseconds to add.</summary>
    public void AddOffset(byte[] text)
    {
        if (TryParse(text, out long nanoseconds))
            OffsetNs = unchecked(OffsetNs + nanoseconds);
    }

    /// <summary>Option TSC2NSEC.</summary>
    public void SetScale(FileCursor option)
    {
        _multiplier = option.ReadUInt32();
        uint shift = option.ReadUInt32();
        if (shift > 63)
            throw option.Fail($"a shift of {shift} bits scales no 64-bit time");
        _shift = (int)shift;
    }

    /// <summary>Option TIME_SHIFT: for each CPU times of the guest with what to add and to multiply.</summary>
    public void SetCorrections(FileCursor option)
    {
        option.Skip(8);
        _isInterpolated = (option.ReadUInt32() & InterpolateFlag) != 0;
        uint cpus = option.ReadUInt32();
        var corrections = new List<Correction[]>();
        for (uint cpu = 0; cpu < cpus; cpu++)
        {
            uint count = option.ReadUInt32();
            if (count > option.Remaining / 24)
                throw option.Fail($"{count} corrections of time do not fit into the option");
            var ofCpu = new Correction[count];
            for (int i = 0; i < count; i++)
                ofCpu[i].Time = option.ReadUInt64();
            for (int i = 0; i < count; i++)
                ofCpu[i].Offset = (long)option.ReadUInt64();
            for (int i = 0; i < count; i++)
                ofCpu[i].Scale = option.ReadUInt64();
            corrections.Add(ofCpu);
        }
        // Older files have no fractions.
        for (int cpu = 0; cpu < corrections.Count && option.Remaining > 0; cpu++)
        {
            for (int i = 0; i < corrections[cpu].Length && option.Remaining >= 8; i++)
                corrections[cpu][i].FractionBits = (int)Math.Min(option.ReadUInt64(), 64);
        }
        _corrections = [.. corrections];
    }

    /// <summary>A time of the file in cycles of the clock class.</summary>
    public ulong Convert(ulong time, int cpu)
    {
        if (IsPlain)
            return time;
        if (_corrections.Length > 0 && _corrections[Math.Min(cpu, _corrections.Length - 1)] is { Length: > 0 } corrections)
            time = Correct(time, corrections);
        return _multiplier == 0 ? time : (ulong)(((UInt128)time * _multiplier) >> _shift);
    }

    private ulong Correct(ulong time, Correction[] corrections)
    {
        int from = 0;
        while (from < corrections.Length - 2 && time >= corrections[from + 1].Time)
            from++;
        ref readonly var low = ref corrections[from];
        ref readonly var high = ref corrections[Math.Min(from + 1, corrections.Length - 1)];
        long add = low.Offset;
        var span = (Int128)high.Time - low.Time;
        if (_isInterpolated && span > 0)
            add = (long)(low.Offset + (((((Int128)time - low.Time) * ((Int128)high.Offset - low.Offset)) + (span / 2)) / span));
        ulong scaled = low.Scale == 0 ? time : (ulong)(((UInt128)time * low.Scale) >> low.FractionBits);
        return unchecked(scaled + (ulong)add);
    }

    /// <summary>A number as C's strtoll with base 0 reads it.</summary>
    private static bool TryParse(byte[] bytes, out long value)
    {
        string text = Encoding.ASCII.GetString(bytes).TrimEnd('\0').Trim();
        bool isNegative = text.StartsWith('-');
        string digits = text.TrimStart('-', '+');
        bool isNumber = digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            ? ulong.TryParse(digits.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong number)
            : ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out number);
        value = unchecked(isNegative ? -(long)number : (long)number);
        return isNumber;
    }

    private struct Correction
    {
        public ulong Time;
        public long Offset;
        public ulong Scale;
        public int FractionBits;
    }
}
