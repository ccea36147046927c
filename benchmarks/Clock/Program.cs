using System.Diagnostics;
using System.Globalization;
using Weir.Bench.Clock;
using Weir.Clock;

// What a user gets who asks for the time of an event afterwards: samples are taken as a recording takes them, the counter is read between
// them together with clock_gettime, and when all is over the readings are converted and compared.
bool isSteered = args is [_, "steer"];
if (args.Length is 0 or > 2 || isSteered != (args.Length == 2) || !double.TryParse(args[0], CultureInfo.InvariantCulture, out double seconds) || !(seconds >= 3))
{
    Console.Error.WriteLine("usage: ClockBench SECONDS (3 or more) [steer]");
    return 2;
}
if (TraceClock.Choose(out string why) != ClockKind.Counter)
{
    Console.Error.WriteLine($"the counter is not the clock here: {why}");
    return 1;
}
using var steering = isSteered ? Steering.TryBegin() : null;
if (isSteered && steering == null)
{
    Console.Error.WriteLine("the clock cannot be steered by this user");
    return 1;
}

var samples = new List<ClockSample>();
var sampler = new ClockSampler(() => ClockSample.Take(ClockKind.Counter), ClockSampler.DefaultPeriod, samples.Add);
var random = new Random(1);
var monotonic = new List<Check>();
var realtime = new List<Check>();
sampler.Get();
for (var clock = Stopwatch.StartNew(); clock.Elapsed.TotalSeconds < seconds;)
{
    steering?.Steer();
    // At no fixed distance from the samples.
    Thread.Sleep(random.Next(1, 20));
    monotonic.Add(Check.Take(Check.Monotonic));
    realtime.Add(Check.Take(Check.Realtime));
}
sampler.Put();

var first = samples[0];
var last = samples[^1];
var correlation = ClockCorrelation.Between(ClockKind.Counter, first, last);
var conversion = ClockConversion.Create(samples, correlation.FrequencyHz);
Console.Error.WriteLine(string.Create(
    CultureInfo.InvariantCulture,
    $"{samples.Count} samples, {monotonic.Count} checks of each clock, {conversion.Steps.Count} steps of the real-time clock, {steering?.Changes ?? 0} changes of its rate, {correlation.FrequencyHz} Hz"));
double nsPerCycle = 1e9 / correlation.FrequencyHz;
Print("clock.sample.bracket", samples.Skip(1).Select(sample => sample.UncertaintyCycles * nsPerCycle));
Print("clock.check.bracket", monotonic.Select(check => check.WidthCycles * nsPerCycle));
Print("clock.monotonic", monotonic.Select(check => Math.Abs((double)(conversion.ToMonotonic(check.Cycles).Ns - check.Ns))));
Print("clock.realtime", realtime.Select(check => Math.Abs((double)(conversion.ToRealtime(check.Cycles).Ns - check.Ns))));
Print("clock.monotonic.claimed", monotonic.Select(check => (double)conversion.ToMonotonic(check.Cycles).UncertaintyNs));
Print("clock.realtime.linear", realtime.Select(check => Math.Abs((double)(correlation.ToRealtimeNs(check.Cycles) - check.Ns))));
int wrong = monotonic.Count(check => Math.Abs(conversion.ToMonotonic(check.Cycles).Ns - check.Ns)
    > conversion.ToMonotonic(check.Cycles).UncertaintyNs + (check.WidthCycles / 2 * nsPerCycle) + 1);
Console.WriteLine($"clock.monotonic.beyond_claim\t{wrong}\tof {monotonic.Count}\t-");
return 0;

static void Print(string name, IEnumerable<double> values)
{
    double[] sorted = [.. values.Order()];
    foreach (var (label, part) in new[] { ("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0) })
    {
        double value = sorted[(int)Math.Ceiling((sorted.Length - 1) * part)];
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}.{label}\t{value:0.0}\tns\t-"));
    }
}
