using System.Diagnostics;
using FlightRecorder;
using Weir.Clock;
using Weir.Ring;
using Ring = Weir.Ring.RingBuffer<Weir.Ring.PacketClient<
    Weir.Ring.PerCpu<Weir.Ring.Available>, Weir.Ring.Overwrite, Weir.Ring.CtfCompact<Weir.Clock.MonotonicClock>, Weir.Ring.NoHooks>>;

// A flight recorder: threads write all the time, the ring keeps the newest records, and whoever wants to know what has just happened
// takes a snapshot while they go on. Here two do: this process, and one that knows nothing but the ring's directory.
if (args is ["snapshot", var ringDirectory, var outputDirectory])
{
    TraceDirectory.Snapshot(ringDirectory, outputDirectory);
    return 0;
}

string output = args.Length == 1 ? args[0] : Directory.CreateTempSubdirectory("flight-recorder-").FullName;
string memory = Directory.CreateDirectory($"/dev/shm/flight-recorder-{Guid.NewGuid():n}").FullName;
try
{
    var ring = Ring.Create(new RingOptions
    {
        Backing = RingBacking.Files(memory),
        Uuid = Guid.NewGuid(),
        PacketBytes = 32 << 10,
        PacketCount = 16,
    });
    bool isStopped = false;
    var workers = Enumerable.Range(0, 4).Select(worker => new Thread(() => Work(ring, (uint)worker))).ToArray();
    Array.ForEach(workers, worker => worker.Start());

    // Long enough for the ring to have come round.
    Thread.Sleep(300);
    string here = Path.Combine(output, "own");
    TraceDirectory.Snapshot(ring, here);
    string there = Path.Combine(output, "other");
    using (var other = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, Arguments("snapshot", memory, there))))
        other!.WaitForExit();

    Volatile.Write(ref isStopped, true);
    Array.ForEach(workers, worker => worker.Join());
    Console.WriteLine($"{here}\n{there}");
    return 0;

    unsafe void Work(Ring ring, uint worker)
    {
        var thread = WriterThread.New();
        for (ulong request = 0; !Volatile.Read(ref isStopped); request++)
        {
            var begin = new RequestBegin(worker, request);
            ring.Write(thread, RequestBegin.Id, (byte*)&begin, sizeof(RequestBegin));
            long started = Stopwatch.GetTimestamp();
            Thread.SpinWait(200);
            var end = new RequestEnd(worker, request, (uint)Stopwatch.GetElapsedTime(started).TotalNanoseconds);
            ring.Write(thread, RequestEnd.Id, (byte*)&end, sizeof(RequestEnd));
        }
        WriterThread.Free(thread);
    }
}
finally
{
    Directory.Delete(memory, recursive: true);
}

// Started by "dotnet X.dll" this program is its first argument, by its own executable it is not.
static IEnumerable<string> Arguments(params IEnumerable<string> arguments) =>
    Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? arguments.Prepend(Environment.GetCommandLineArgs()[0]) : arguments;
