using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Weir.Clock;

/// <summary>By how much one CPU's counter is ahead of the reference CPU's, in cycles: somewhere from the least to the most.</summary>
/// <param name="Cpu">The CPU.</param>
/// <param name="LeastCycles">The lower bound.</param>
/// <param name="MostCycles">The upper bound.</param>
/// <param name="Rounds">Exchanges that the bounds are from.</param>
public readonly record struct CpuOffset(int Cpu, long LeastCycles, long MostCycles, int Rounds);

/// <summary>
/// The skew of the counter between CPUs, measured. Two threads, each bound to a CPU, play ping-pong over a cache line:
/// <code>
///  reference  --t1----------------------t3-->      what happens at t2 happens after t1 and before t3, so
///                 \                    /           t2 - t3 &lt;= offset &lt;= t2 - t1
///  other CPU  -----\------t2----------/----->
/// </code>
/// Each round gives such an interval, and the offset lies in all of them. Nothing has to be guessed about how long a cache line takes
/// either way: a slow round gives a wide interval, which changes nothing. Where the lower bound is above zero or the upper bound below
/// it, time was seen going back between two CPUs, which is what the kernel calls a warp. Immutable.
/// </summary>
public sealed class CounterSkew
{
    private const int MaxRounds = 5_000;

    // Between two looks at the time that is left: some microseconds.
    private const int SpinsPerLook = 256;

    private readonly Dictionary<int, CpuOffset> _byCpu;

    private CounterSkew(int referenceCpu, IReadOnlyList<CpuOffset> offsets, IReadOnlyList<(int Cpu, string Reason)> unmeasured)
    {
        ReferenceCpu = referenceCpu;
        Offsets = offsets;
        Unmeasured = unmeasured;
        _byCpu = offsets.ToDictionary(offset => offset.Cpu);
        _byCpu[referenceCpu] = new CpuOffset(referenceCpu, 0, 0, 0);
    }

    /// <summary>The CPU that the others are compared with.</summary>
    public int ReferenceCpu { get; }

    /// <summary>The other CPUs, as far as they could be measured.</summary>
    public IReadOnlyList<CpuOffset> Offsets { get; }

    /// <summary>CPUs that could not be measured, and why.</summary>
    public IReadOnlyList<(int Cpu, string Reason)> Unmeasured { get; }

    /// <summary>Where time was seen going back between two CPUs, as a sentence's end; null where it was not.</summary>
    public string? Warp
    {
        get
        {
            foreach (var offset in Offsets)
            {
                if (offset.LeastCycles > 0 || offset.MostCycles < 0)
                {
                    long cycles = offset.LeastCycles > 0 ? offset.LeastCycles : -offset.MostCycles;
                    return string.Create(
                        CultureInfo.InvariantCulture,
                        $"CPU {offset.Cpu}'s is at least {cycles} cycles {(offset.LeastCycles > 0 ? "ahead of" : "behind")} CPU {ReferenceCpu}'s");
                }
            }
            return null;
        }
    }

    /// <summary>Skew as a trace or somebody else has it.</summary>
    public static CounterSkew Of(int referenceCpu, IEnumerable<CpuOffset> offsets) =>
        new(referenceCpu, [.. offsets.Where(offset => offset.Cpu != referenceCpu).DistinctBy(offset => offset.Cpu)], []);

    /// <summary>
    /// Measures CPUs against the first of them, one after the other. Never throws and takes hardly longer than <paramref name="limit"/>:
    /// what cannot be measured is told in <see cref="Unmeasured"/>.
    /// </summary>
    /// <param name="cpus">CPUs that this process may run on.</param>
    /// <param name="limit">Time for all of them.</param>
    public static CounterSkew Measure(IReadOnlyList<int> cpus, TimeSpan limit) => Measure(cpus, limit, _ => CounterClock.ReadOrdered());

    /// <summary>Measures any reading, which is told the CPU that it is made on; for tests.</summary>
    internal static CounterSkew Measure(IReadOnlyList<int> cpus, TimeSpan limit, Func<int, ulong> read)
    {
        ArgumentNullException.ThrowIfNull(cpus);
        var offsets = new List<CpuOffset>();
        var unmeasured = new List<(int Cpu, string Reason)>();
        var begin = Stopwatch.GetTimestamp();
        for (int i = 1; i < cpus.Count; i++)
        {
            var left = limit - Stopwatch.GetElapsedTime(begin);
            var share = left / (cpus.Count - i);
            if (left <= TimeSpan.Zero)
                unmeasured.Add((cpus[i], "no time was left"));
            else if (MeasurePair(cpus[0], cpus[i], share, read, out string reason) is { } offset)
                offsets.Add(offset);
            else
                unmeasured.Add((cpus[i], reason));
        }
        return new CounterSkew(cpus.Count > 0 ? cpus[0] : 0, offsets, unmeasured);
    }

    /// <summary>
    /// Bounds of how far the second CPU's counter is ahead of the first's; false where one of them was not measured. A negative number
    /// stands for a CPU that is not known, so for any of those that were measured.
    /// </summary>
    public bool TryBound(int first, int second, out long leastCycles, out long mostCycles)
    {
        (leastCycles, mostCycles) = (0, 0);
        if (first == second && first >= 0)
            return true;
        if (Find(first) is not { } from || Find(second) is not { } to)
            return false;
        leastCycles = Subtract(to.LeastCycles, from.MostCycles);
        mostCycles = Subtract(to.MostCycles, from.LeastCycles);
        return true;
    }

    /// <summary>A trace may say anything.</summary>
    private static long Subtract(long left, long right) => (long)Int128.Clamp((Int128)left - right, long.MinValue, long.MaxValue);

    private CpuOffset? Find(int cpu)
    {
        if (cpu >= 0)
            return _byCpu.TryGetValue(cpu, out var offset) ? offset : null;
        return new CpuOffset(cpu, _byCpu.Values.Min(any => any.LeastCycles), _byCpu.Values.Max(any => any.MostCycles), 0);
    }

    private static CpuOffset? MeasurePair(int reference, int cpu, TimeSpan limit, Func<int, ulong> read, out string reason)
    {
        var exchange = new Exchange { Deadline = Stopwatch.GetTimestamp() + (long)(limit.TotalSeconds * Stopwatch.Frequency) };
        var asker = new Thread(() => exchange.Ask(reference, read)) { IsBackground = true };
        var answerer = new Thread(() => exchange.Answer(cpu, read)) { IsBackground = true };
        asker.Start();
        answerer.Start();
        // A CPU that is taken up by somebody of a higher priority may never run our thread; it ends by itself once it does.
        bool isOver = asker.Join(limit * 2) && answerer.Join(limit * 2);
        reason = exchange.Refusal ?? (isOver ? "the other CPU did not answer in time" : "its thread was not run in time");
        return isOver && exchange.Rounds > 0 && exchange.Refusal == null
            ? new CpuOffset(cpu, exchange.Least, exchange.Most, exchange.Rounds)
            : null;
    }

    /// <summary>What the two threads share, and one exchange after the other. The words that change hands have a cache line.</summary>
    private sealed class Exchange
    {
        private Line _line;

        public long Deadline { get; init; }

        /// <summary>Why the measure cannot be had.</summary>
        public string? Refusal { get; private set; }

        public long Least { get; private set; } = long.MinValue;

        public long Most { get; private set; } = long.MaxValue;

        public int Rounds { get; private set; }

        public void Ask(int cpu, Func<int, ulong> read)
        {
            if (!TryBind(cpu) || !WaitFor(ref _line.IsReady, 1))
                return;
            for (long round = 1; round <= MaxRounds; round++)
            {
                ulong before = read(cpu);
                // Release: the first reading before the question. Partner: the answerer's acquiring look at it.
                Volatile.Write(ref _line.Question, round);
                if (!WaitFor(ref _line.Answer, round))
                    break;
                ulong after = read(cpu);
                ulong there = (ulong)Volatile.Read(ref _line.Time);
                Least = Math.Max(Least, (long)(there - after));
                Most = Math.Min(Most, (long)(there - before));
                Rounds++;
            }
            Volatile.Write(ref _line.Question, -1);
        }

        public void Answer(int cpu, Func<int, ulong> read)
        {
            if (!TryBind(cpu))
                return;
            Volatile.Write(ref _line.IsReady, 1);
            for (long round = 1; round <= MaxRounds && WaitFor(ref _line.Question, round); round++)
            {
                Volatile.Write(ref _line.Time, (long)read(cpu));
                // Release: the reading before the word that announces it. Partner: the asker's acquiring look at it.
                Volatile.Write(ref _line.Answer, round);
            }
        }

        private bool TryBind(int cpu)
        {
            if (ThreadAffinity.TryBind(cpu, out string refusal))
                return true;
            Refusal = refusal;
            return false;
        }

        /// <summary>False when time is over, or the other side has given up.</summary>
        private bool WaitFor(ref long word, long value)
        {
            for (int spins = 0; Volatile.Read(ref word) != value; spins++)
            {
                if (Refusal != null || Volatile.Read(ref word) < 0 || (spins % SpinsPerLook == 0 && Stopwatch.GetTimestamp() > Deadline))
                    return false;
            }
            return true;
        }
    }

    /// <summary>Alone in its cache lines: 128 bytes on either side, because CPUs fetch lines in pairs.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 320)]
    private struct Line
    {
        [FieldOffset(128)]
        public long Question;

        [FieldOffset(136)]
        public long Answer;

        [FieldOffset(144)]
        public long Time;

        [FieldOffset(152)]
        public long IsReady;
    }
}

/// <summary>Binds threads to CPUs.</summary>
internal static unsafe class ThreadAffinity
{
    private const int MaskBytes = 1024;

    /// <summary>Binds the calling thread.</summary>
    [SkipLocalsInit]
    public static bool TryBind(int cpu, out string refusal)
    {
        refusal = "";
        byte* mask = stackalloc byte[MaskBytes];
        new Span<byte>(mask, MaskBytes).Clear();
        if (cpu is >= 0 and < MaskBytes * 8)
            mask[cpu / 8] = (byte)(1 << (cpu % 8));
        if (LibC.SetAffinity(0, MaskBytes, mask) == 0)
            return true;
        refusal = $"a thread cannot be bound to CPU {cpu}: {Marshal.GetLastPInvokeErrorMessage()}";
        return false;
    }
}
