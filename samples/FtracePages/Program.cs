using FtracePages;
using Weir.Ring;
using Ring = Weir.Ring.RingBuffer<Weir.Ring.PacketClient<
    Weir.Ring.PerCpu<Weir.Ring.Available>, Weir.Ring.Discard<Weir.Ring.WakeOnPacket>, Weir.Ring.FtracePages<Weir.Clock.MonotonicClock>, Weir.Ring.NoHooks>>;

// A program's own events as pages of the kernel's ring buffer, for tools that read those: the file that this writes is one that
// "trace-cmd report" prints.
string output = args.Length == 1 ? args[0] : Path.Combine(Directory.CreateTempSubdirectory("ftrace-pages-").FullName, "trace.dat");
var ring = Ring.Create(new RingOptions { Backing = RingBacking.Anonymous, PacketBytes = TraceDat.PageBytes, PacketCount = 64 });
var workers = Enumerable.Range(0, 3).Select(worker => new Thread(() => Work((uint)worker))).ToArray();
Array.ForEach(workers, worker => worker.Start());

var pages = new SortedDictionary<int, List<byte[]>>();
while (workers.Any(worker => worker.IsAlive))
{
    ring.Doorbell.Prepare();
    if (!CopyPages())
        ring.Doorbell.Sleep(TimeSpan.FromMilliseconds(20));
}
CopyPages();
ulong lost = ring.Control.Summarize().LostNoStream;
foreach (int cpu in ring.StreamCpus)
{
    using var stream = ring.OpenReader(cpu);
    lost += stream.LostFull + stream.LostTooLarge;
    // The open page, now that nobody writes any more.
    foreach (var page in StreamSnapshot.Recover(stream).Packets)
        PagesOf(cpu).Add(page.ToArray());
}
TraceDat.Write(output, pages);
Console.WriteLine($"{output}\n{workers.Length * 1000} events, {lost} lost");
return 0;

bool CopyPages()
{
    bool hasCopied = false;
    foreach (int cpu in ring.StreamCpus)
    {
        using var stream = ring.OpenReader(cpu);
        while (stream.TryGetComplete(out var packet))
        {
            var page = new byte[packet.LengthBytes];
            stream.Copy(packet.SequenceNumber, page);
            stream.Release();
            PagesOf(cpu).Add(page);
            hasCopied = true;
        }
    }
    return hasCopied;
}

List<byte[]> PagesOf(int cpu) => pages.TryGetValue(cpu, out var list) ? list : pages[cpu] = [];

unsafe void Work(uint worker)
{
    var thread = WriterThread.New();
    for (uint i = 0; i < 1000; i++)
    {
        var step = new WorkerStep(Environment.ProcessId, worker, i);
        ring.Write(thread, WorkerStep.Id, (byte*)&step, sizeof(WorkerStep));
    }
    WriterThread.Free(thread);
}
