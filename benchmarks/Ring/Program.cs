using System.Globalization;
using Weir.Bench.Emit;
using Weir.Bench.Ring;

const string Usage = """
    usage: RingBench clients|scaling|moving SAMPLES ROUNDS EVENTS_PER_ROUND
           RingBench latency SAMPLES EVENTS
    """;

switch (args)
{
    case [var mode and ("clients" or "scaling" or "moving"), var path, var roundsText, var eventsText]:
        int rounds = int.Parse(roundsText, CultureInfo.InvariantCulture);
        int events = int.Parse(eventsText, CultureInfo.InvariantCulture);
        using (var samples = new Samples(path))
        {
            if (mode == "clients")
                EveryClient.Measure(samples, rounds, events);
            else if (mode == "scaling")
                Scaling.Measure(samples, rounds, events);
            else
                Moving.Measure(samples, rounds);
        }
        return 0;

    case ["latency", var path, var eventsText]:
        using (var samples = new Samples(path))
            Latency.Measure(samples, int.Parse(eventsText, CultureInfo.InvariantCulture));
        return 0;
}
Console.Error.WriteLine(Usage);
return 2;
