using System.Globalization;
using System.Runtime.InteropServices;
using Weir.Bench.Emit;
using Weir.Clock;
using Weir.Ring;

const string Usage = """
    usage: EmitBench u64|int_str16|threads|eventpipe NAME SAMPLES ROUNDS EVENTS_PER_ROUND
           EmitBench count DIRECTORY
           EmitBench describe
    """;

switch (args)
{
    case ["describe"]:
        Console.WriteLine($"runtime: {RuntimeInformation.FrameworkDescription}");
        var clock = TraceClock.Choose(out string why);
        Console.WriteLine($"clock: {clock} ({why})");
        Console.WriteLine($"sequence: {RingBuffer.ChooseSequence(out why)} ({why})");
        return 0;

    case ["count", var directory]:
        var (events, bytes) = TraceCount.Count(directory);
        Console.WriteLine($"{events} {bytes}");
        return 0;

    case [var mode, var name, var path, var roundsText, var eventsText]:
        int rounds = int.Parse(roundsText, CultureInfo.InvariantCulture);
        int eventsPerRound = int.Parse(eventsText, CultureInfo.InvariantCulture);
        Func<int, double>? emit = mode switch
        {
            "u64" => Loops.U64,
            "int_str16" => Loops.IntStr16,
            "eventpipe" => Loops.EventSourceU64,
            _ => null,
        };
        using (var samples = new Samples(path))
        {
            if (emit != null)
            {
                OneThread.Measure(samples, name, emit, rounds, eventsPerRound);
                return 0;
            }
            if (mode == "threads")
            {
                if (TwoThreads.Measure(samples, name, rounds, eventsPerRound))
                    return 0;
                Console.Error.WriteLine("this process may use one CPU only");
                return 1;
            }
        }
        break;
}
Console.Error.WriteLine(Usage);
return 2;
