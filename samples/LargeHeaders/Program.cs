using LargeHeaders;
using Weir.Clock;
using Weir.Ring;
using Ring = Weir.Ring.RingBuffer<Weir.Ring.PacketClient<
    Weir.Ring.PerCpu<Weir.Ring.Available>, Weir.Ring.Discard<Weir.Ring.WakeOnPacket>, Weir.Ring.CtfLarge<Weir.Clock.MonotonicClock>, Weir.Ring.NoHooks>>;
using StreamReader = Weir.Ring.StreamReader;

// A program with many kinds of events: each takes the 6 bytes of CTF's large header while its id is below 65535, and 14 from there on.
// Packets go from the ring to the trace's files without passing through this program's memory.
uint[] ids = [.. Enumerable.Range(1, 100).Select(id => (uint)id), 65_533, 65_534, 65_535, 65_536, 1_000_000];
string output = args.Length == 1 ? args[0] : Directory.CreateTempSubdirectory("large-headers-").FullName;
Directory.CreateDirectory(output);
var uuid = Guid.NewGuid();
var first = ClockSample.Take(ClockKind.Monotonic);
var ring = Ring.Create(new RingOptions { Backing = RingBacking.MemoryFiles, Uuid = uuid, PacketBytes = 16 << 10, PacketCount = 64 });

var workers = Enumerable.Range(0, 3).Select(worker => new Thread(() => Work((uint)worker))).ToArray();
Array.ForEach(workers, worker => worker.Start());
var drains = new Dictionary<int, Drain>();
while (workers.Any(worker => worker.IsAlive))
{
    // First the word that the writers look at, then another look at the ring: so no wake-up is missed.
    ring.Doorbell.Prepare();
    if (!MovePackets())
        ring.Doorbell.Sleep(TimeSpan.FromMilliseconds(20));
}
MovePackets();
foreach (var drain in drains.Values)
    drain.Finish();

var correlation = ClockCorrelation.Between(ClockKind.Monotonic, first, ClockSample.Take(ClockKind.Monotonic));
File.WriteAllText(Path.Combine(output, "metadata"), Metadata.Write(uuid, correlation, ids));
ulong lost = drains.Values.Aggregate(ring.Control.Summarize().LostNoStream, (sum, drain) => sum + drain.Lost);
Console.WriteLine($"{output}\n{workers.Length * ids.Length * 100} events of {ids.Length} kinds, {lost} lost");
return 0;

// A CPU that a worker comes to for the first time has a stream from then on.
bool MovePackets()
{
    bool hasMoved = false;
    foreach (int cpu in ring.StreamCpus)
    {
        if (!drains.TryGetValue(cpu, out var drain))
            drains.Add(cpu, drain = new Drain(ring.OpenReader(cpu), Path.Combine(output, $"stream_{cpu}")));
        hasMoved |= drain.MovePackets();
    }
    return hasMoved;
}

unsafe void Work(uint worker)
{
    var thread = WriterThread.New();
    for (ulong round = 0; round < 100; round++)
    {
        foreach (uint id in ids)
        {
            ulong value = round << 32 | worker;
            ring.Write(thread, id, (byte*)&value, sizeof(ulong));
        }
    }
    WriterThread.Free(thread);
}
