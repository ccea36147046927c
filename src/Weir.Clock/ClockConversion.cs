namespace Weir.Clock;

/// <summary>A moment on one of the kernel's clocks.</summary>
/// <param name="Ns">The time.</param>
/// <param name="UncertaintyNs">By how much it may be wrong, either way.</param>
public readonly record struct ConvertedTime(long Ns, long UncertaintyNs);

/// <summary>CLOCK_REALTIME was set, or jumped over a suspension of the machine.</summary>
/// <param name="AfterCycles">The last sample before.</param>
/// <param name="BeforeCycles">The first sample that shows it.</param>
/// <param name="DeltaNs">By how much it went forward; negative: back.</param>
public readonly record struct RealtimeStep(ulong AfterCycles, ulong BeforeCycles, long DeltaNs);

/// <summary>
/// Converts readings of the trace's clock to the kernel's clocks: piecewise linear between samples, so it follows the rate as NTP
/// steers it. Outside of the samples the nearest known rate goes on, with growing uncertainty.
/// <code>
///  MONOTONIC                        REALTIME - MONOTONIC
///     |            ,-o                 |          o---o-        run 2: what all its samples agree on
///     |      ,-o--'                    |  o--o--o               run 1; between the two it was set
///     | o---'
///     +-------------- cycles           +--------------- cycles
/// </code>
/// The kernel's rate is constant until it is steered anew. So where the rates before and after a piece differ, the piece has a knee, where
/// the two neighbours' lines meet: one second with an abrupt change of 10 ppm in it would be wrong by up to 2.5 us otherwise.
///
/// The difference of the two kernel clocks is constant until it is set, and each sample brackets it. So the difference of a run is what
/// lies in all of its brackets, and the first bracket that has nothing in common with those before is a step. Immutable.
/// </summary>
public sealed class ClockConversion
{
    private const long NsPerSecond = 1_000_000_000;

    /// <summary>Shortest time over which two samples tell a rate: 40 ns of bracket over it are 0.08 ppm.</summary>
    private const long RateSpanNs = NsPerSecond / 2;

    /// <summary>The kernel steers by 500 ppm at most; a piece off by more was no steering: the machine was suspended in it.</summary>
    private const double MaxSteering = 1000e-6;

    private readonly ClockSample[] _samples;

    // Of the piece that begins at each sample, and of what precedes the first and follows the last; ns in a cycle.
    private readonly Piece[] _pieces;
    private readonly Piece _before;
    private readonly Piece _after;

    // Of each sample.
    private readonly long[] _offsets;
    private readonly long[] _offsetUncertainties;

    private ClockConversion(ClockSample[] samples, double nominalRate)
    {
        _samples = samples;
        _pieces = new Piece[samples.Length - 1];
        _offsets = new long[samples.Length];
        _offsetUncertainties = new long[samples.Length];
        Steps = FindRuns();
        nominalRate = FindPieces(nominalRate);
        _before = Outside(isEnd: false, nominalRate);
        _after = Outside(isEnd: true, nominalRate);
    }

    /// <summary>Where CLOCK_REALTIME was set.</summary>
    public IReadOnlyList<RealtimeStep> Steps { get; }

    /// <summary>The samples.</summary>
    public IReadOnlyList<ClockSample> Samples => _samples;

    /// <summary>Makes a conversion.</summary>
    /// <param name="samples">One or more, in the order of time.</param>
    /// <param name="frequencyHz">Cycles in a second as far as they were known, for a single sample.</param>
    /// <exception cref="ArgumentException">There is no sample, or one is not after the one before it.</exception>
    public static ClockConversion Create(IReadOnlyList<ClockSample> samples, ulong frequencyHz)
    {
        ArgumentNullException.ThrowIfNull(samples);
        ArgumentOutOfRangeException.ThrowIfZero(frequencyHz);
        if (samples.Count == 0)
            throw new ArgumentException("There are no clock samples.", nameof(samples));
        for (int i = 0; i < samples.Count; i++)
        {
            if (i > 0 && (samples[i].Cycles <= samples[i - 1].Cycles || samples[i].MonotonicNs <= samples[i - 1].MonotonicNs))
                throw new ArgumentException($"Clock sample {i} is not after the one before it.", nameof(samples));
            if (samples[i].MonotonicNs < 0 || samples[i].RealtimeUncertaintyNs < 0)
                throw new ArgumentException($"Clock sample {i} has a negative time since the start, or a negative uncertainty.", nameof(samples));
        }
        return new ClockConversion([.. samples], (double)NsPerSecond / frequencyHz);
    }

    /// <summary>A reading as CLOCK_MONOTONIC.</summary>
    public ConvertedTime ToMonotonic(ulong cycles)
    {
        int index = FindSample(cycles);
        var (at, piece) = index < 0 ? (0, _before) : index == _pieces.Length ? (index, _after) : (index, _pieces[index]);
        ref readonly var from = ref _samples[at];
        Int128 distance = (Int128)cycles - from.Cycles;
        Int128 ns = piece.ToNs(distance);
        double uncertainty = piece.BracketNs;
        double nearest = Math.Abs((double)distance);
        if (piece.Cycles > 0)
            nearest = Math.Min(nearest, piece.Cycles - nearest);
        uncertainty += nearest * piece.RateUncertainty;
        if (piece.IsSuspended)
            uncertainty += (double)(piece.Ns - ns);
        return new ConvertedTime(Saturate(from.MonotonicNs + ns), Saturate((Int128)(Math.Ceiling(uncertainty) + 1)));
    }

    /// <summary>A reading as CLOCK_REALTIME, since 1970.</summary>
    public ConvertedTime ToRealtime(ulong cycles)
    {
        var monotonic = ToMonotonic(cycles);
        int index = Math.Max(FindSample(cycles), 0);
        Int128 uncertainty = (Int128)monotonic.UncertaintyNs + _offsetUncertainties[index];
        // The step came somewhere between two samples; a sampler notices it at once, so most of what lies between is from before.
        if (index < _pieces.Length && cycles > _samples[index].Cycles && _offsets[index] != _offsets[index + 1])
            uncertainty += Int128.Abs((Int128)_offsets[index + 1] - _offsets[index]);
        return new ConvertedTime(Saturate((Int128)monotonic.Ns + _offsets[index]), Saturate(uncertainty));
    }

    /// <summary>The last sample that is not after a reading; -1 before the first.</summary>
    private int FindSample(ulong cycles)
    {
        int low = 0;
        int high = _samples.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_samples[middle].Cycles <= cycles)
                low = middle + 1;
            else
                high = middle;
        }
        return low - 1;
    }

    private List<RealtimeStep> FindRuns()
    {
        var steps = new List<RealtimeStep>();
        var run = RealtimeRun.Begin(_samples[0]);
        int begin = 0;
        for (int i = 1; i < _samples.Length; i++)
        {
            if (run.With(_samples[i]) is { } longer)
            {
                run = longer;
                continue;
            }
            EndRun(run, begin, i);
            (run, begin) = (RealtimeRun.Begin(_samples[i]), i);
        }
        EndRun(run, begin, _samples.Length);
        for (int i = 1; i < _samples.Length; i++)
        {
            if (_offsets[i] != _offsets[i - 1])
                steps.Add(new RealtimeStep(_samples[i - 1].Cycles, _samples[i].Cycles, Saturate((Int128)_offsets[i] - _offsets[i - 1])));
        }
        return steps;
    }

    private void EndRun(RealtimeRun run, int begin, int end)
    {
        _offsets.AsSpan(begin, end - begin).Fill(run.OffsetNs);
        _offsetUncertainties.AsSpan(begin, end - begin).Fill(run.UncertaintyNs);
    }

    /// <summary>Makes the pieces; returns the rate of a middling one, or the one given where there is none.</summary>
    private double FindPieces(double nominalRate)
    {
        for (int i = 0; i < _pieces.Length; i++)
        {
            var (from, to) = (_samples[i], _samples[i + 1]);
            ulong cycles = to.Cycles - from.Cycles;
            Int128 ns = (Int128)to.MonotonicNs - from.MonotonicNs;
            double rate = (double)ns / cycles;
            double bracket = Math.Max(from.UncertaintyCycles, to.UncertaintyCycles) / 2.0 * rate;
            _pieces[i] = new Piece { Cycles = cycles, Ns = ns, Rate = rate, BracketNs = bracket };
        }
        double[] rates = [.. _pieces.Where(IsLong).Select(piece => piece.Rate).Order()];
        if (rates.Length > 0)
            nominalRate = rates[rates.Length / 2];
        double lastRate = nominalRate;
        for (int i = 0; i < _pieces.Length; i++)
        {
            if (!IsLong(_pieces[i]))
                continue;
            // Only MONOTONIC stops: a suspension makes the piece slower.
            if (_pieces[i].Rate < nominalRate * (1 - MaxSteering))
                _pieces[i] = _pieces[i] with { Rate = lastRate, IsSuspended = true };
            else
                lastRate = _pieces[i].Rate;
        }
        FindChanges();
        for (int i = 1; i + 1 < _pieces.Length; i++)
            FindKnee(i);
        return nominalRate;
    }

    /// <summary>How much the rate changes from one piece to the next says how much it may have changed inside of one.</summary>
    private void FindChanges()
    {
        int last = -1;
        for (int i = 0; i < _pieces.Length; i++)
        {
            if (!TellsRate(_pieces[i]))
                continue;
            if (last >= 0)
            {
                double change = Math.Abs(_pieces[i].Rate - _pieces[last].Rate);
                _pieces[i].RateUncertainty = change;
                _pieces[last].RateUncertainty = Math.Max(_pieces[last].RateUncertainty, change);
            }
            last = i;
        }
    }

    private void FindKnee(int index)
    {
        ref var piece = ref _pieces[index];
        if (!TellsRate(piece) || !TellsRate(_pieces[index - 1]) || !TellsRate(_pieces[index + 1]))
            return;
        double left = _pieces[index - 1].Rate;
        double right = _pieces[index + 1].Rate;
        // What the brackets alone could make of one rate.
        double noise = 4 * piece.BracketNs / piece.Cycles;
        // left * knee + right * (cycles - knee) = ns, seen from the piece's own rate, where the numbers are small.
        double knee = piece.Cycles * (piece.Rate - right) / (left - right);
        if (Math.Abs(left - right) > noise && knee > 0 && knee < piece.Cycles)
            (piece.KneeCycles, piece.KneeRate) = (knee, left);
    }

    private static bool TellsRate(Piece piece) => IsLong(piece) && !piece.IsSuspended;

    private static bool IsLong(Piece piece) => piece.Ns >= RateSpanNs;

    /// <summary>The rate at one end, over a time that is long enough to tell one, and the most that it has changed by.</summary>
    private Piece Outside(bool isEnd, double nominalRate)
    {
        int end = isEnd ? _samples.Length - 1 : 0;
        int other = end;
        int step = isEnd ? -1 : 1;
        while (other + step >= 0 && other + step < _samples.Length && Span(end, other) < RateSpanNs
            && !_pieces[Math.Min(other, other + step)].IsSuspended)
        {
            other += step;
        }
        var (first, last) = isEnd ? (_samples[other], _samples[end]) : (_samples[end], _samples[other]);
        double bracket = _samples[end].UncertaintyCycles / 2.0;
        if (other == end)
            return new Piece { Rate = nominalRate, BracketNs = bracket * nominalRate, RateUncertainty = nominalRate * MaxSteering };
        double cycles = last.Cycles - first.Cycles;
        double rate = (double)((Int128)last.MonotonicNs - first.MonotonicNs) / cycles;
        double change = _pieces.Length == 0 ? 0 : _pieces.Max(piece => piece.RateUncertainty);
        double brackets = (first.UncertaintyCycles + (double)last.UncertaintyCycles) / 2 * rate;
        return new Piece { Rate = rate, BracketNs = bracket * rate, RateUncertainty = (brackets / cycles) + change };
    }

    private Int128 Span(int first, int second) => Int128.Abs((Int128)_samples[first].MonotonicNs - _samples[second].MonotonicNs);

    private static long Saturate(Int128 value) => (long)Int128.Clamp(value, long.MinValue, long.MaxValue);

    private struct Piece
    {
        /// <summary>Its length; 0 outside of the samples.</summary>
        public ulong Cycles;

        /// <summary>The same in ns.</summary>
        public Int128 Ns;

        /// <summary>Ns in a cycle; of a piece with a suspension in it, as it was before.</summary>
        public double Rate;

        /// <summary>Half of the wider bracket at its ends.</summary>
        public double BracketNs;

        /// <summary>By how much the rate may be wrong.</summary>
        public double RateUncertainty;

        public bool IsSuspended;

        /// <summary>Where the rate changed; 0 where it did not.</summary>
        public double KneeCycles;

        /// <summary>Ns in a cycle before the knee.</summary>
        public double KneeRate;

        /// <summary>Ns since the piece's beginning, rounded to the nearest.</summary>
        public readonly Int128 ToNs(Int128 cycles)
        {
            // What was measured goes on outside; and it went on until a suspension, before which events are rather than after it.
            if (Cycles == 0)
                return (Int128)Math.Round((double)cycles * Rate);
            if (IsSuspended)
                return Int128.Min((Int128)Math.Round((double)cycles * Rate), Ns);
            Int128 straight = ((cycles * Ns) + (Cycles / 2)) / Cycles;
            if (KneeCycles == 0)
                return straight;
            // The way over the knee, as its distance from the straight one: the product of what is left on both sides.
            double near = Math.Min((double)cycles, KneeCycles) / KneeCycles;
            double far = Math.Min(Cycles - (double)cycles, Cycles - KneeCycles) / (Cycles - KneeCycles);
            return straight + (Int128)Math.Round((KneeRate - Rate) * KneeCycles * Math.Min(near, far));
        }
    }
}
