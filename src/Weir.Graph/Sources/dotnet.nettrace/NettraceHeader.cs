using System.Globalization;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>What a file says about its trace as a whole, in its first block.</summary>
internal sealed class NettraceHeader
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    private readonly List<EnvironmentEntry> _environment = [];

    private NettraceHeader(ClockClass clock, int pointerBytes) => (Clock, PointerBytes) = (clock, pointerBytes);

    /// <summary>The clock of all events: its values are those in the file.</summary>
    public ClockClass Clock { get; }

    /// <summary>4 or 8.</summary>
    public int PointerBytes { get; }

    public IReadOnlyList<EnvironmentEntry> Environment => _environment;

    public static NettraceHeader Read(string path, NettraceBlock block, int version)
    {
        var reader = new NettraceReader(path, block.Bytes, block.FileOffset);
        long syncNs = ReadSystemTime(ref reader);
        long syncTicks = (long)reader.ReadUInt64();
        long frequency = (long)reader.ReadUInt64();
        uint pointerBytes = reader.ReadUInt32();
        if (frequency <= 0)
            throw reader.Error($"the clock has {frequency} ticks in a second: expected more");
        if (pointerBytes is not (4 or 8))
            throw reader.Error($"a pointer has {pointerBytes} bytes: expected 4 or 8");
        var header = new NettraceHeader(CreateClock(syncNs, syncTicks, frequency), (int)pointerBytes);
        header.Add("tracer_name", "EventPipe");
        if (version < 6)
        {
            header._environment.Add(new EnvironmentEntry("vpid", (int)reader.ReadUInt32()));
            header._environment.Add(new EnvironmentEntry("processor_count", (int)reader.ReadUInt32()));
        }
        else
        {
            header.ReadEntries(ref reader);
        }
        header._environment.Add(new EnvironmentEntry("pointer_size", pointerBytes));
        return header;
    }

    private void ReadEntries(ref NettraceReader reader)
    {
        for (int count = reader.ReadCount(reader.ReadUInt32(), "the trace block"); count > 0; count--)
        {
            string key = reader.ReadText8();
            string value = reader.ReadText8();
            string name = key switch { "ProcessId" => "vpid", "HardwareThreadCount" => "processor_count", _ => ToIdentifier(key) };
            if (long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number))
                _environment.Add(new EnvironmentEntry(name, number));
            else
                Add(name, value);
        }
    }

    private void Add(string name, string value) => _environment.Add(new EnvironmentEntry(name, value));

    private static string ToIdentifier(string key)
    {
        string name = string.Concat(key.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));
        return name.Length == 0 || char.IsAsciiDigit(name[0]) ? "_" + name : name;
    }

    /// <summary>Nanoseconds from the Epoch to Windows' SYSTEMTIME: year, month, weekday, day, hour, minute, second, millisecond.</summary>
    private static long ReadSystemTime(ref NettraceReader reader)
    {
        Span<int> parts = stackalloc int[8];
        for (int i = 0; i < parts.Length; i++)
            parts[i] = reader.ReadUInt16();
        try
        {
            var time = new DateTime(parts[0], parts[1], parts[3], parts[4], parts[5], parts[6], parts[7], DateTimeKind.Utc);
            return checked((time - DateTime.UnixEpoch).Ticks * 100);
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or OverflowException)
        {
            throw reader.Error("the trace's begin is no date between 1678 and 2261");
        }
    }

    private static ClockClass CreateClock(long syncNs, long syncTicks, long frequency)
    {
        var offset = ((Int128)syncNs * frequency / NanosecondsPerSecond) - syncTicks;
        var seconds = offset / frequency;
        if (offset % frequency < 0)
            seconds--;
        return new ClockClass
        {
            Name = "eventpipe",
            Description = "the ticks of the traced machine's high-resolution clock",
            FrequencyHz = (ulong)frequency,
            OffsetSeconds = (long)seconds,
            OffsetCycles = (ulong)(offset - (seconds * frequency)),
            IsAbsolute = true,
        };
    }
}
