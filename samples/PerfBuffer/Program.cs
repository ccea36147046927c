using System.Diagnostics;
using System.Globalization;
using PerfBuffer;
using Weir.Ring;
using Ring = Weir.Ring.RingBuffer<Weir.Ring.ContinuousClient<
    Weir.Ring.WakeAtWatermark, Weir.Ring.PerfRecords<Weir.Clock.MonotonicClock>, Weir.Ring.NoHooks>>;

// Samples in the shape in which the kernel gives out its own: a reader that was written for perf_event_open's buffers reads these, here
// from another process that uses nothing of this library.
if (args is ["read", var ringDirectory, var processId])
{
    using var writer = Process.GetProcessById(int.Parse(processId, CultureInfo.InvariantCulture));
    return PerfReader.Run(ringDirectory, () => writer.HasExited || File.Exists(Path.Combine(ringDirectory, "done")));
}

string memory = Directory.CreateDirectory($"/dev/shm/perf-buffer-{Guid.NewGuid():n}").FullName;
try
{
    Ring ring;
    try
    {
        ring = Ring.Create(new RingOptions { Backing = RingBacking.Files(memory), PacketBytes = 512 << 10, PacketCount = 1, WatermarkBytes = 16 << 10 });
    }
    catch (ArgumentException e)
    {
        // Such a ring is written by the restartable sequence alone.
        Console.Error.WriteLine(e.Message);
        return 1;
    }
    using var reader = Process.Start(
        new ProcessStartInfo(Environment.ProcessPath!, Arguments("read", memory, Environment.ProcessId.ToString(CultureInfo.InvariantCulture)))
        {
            RedirectStandardOutput = true,
        })!;
    // Its first line says that it looks.
    reader.StandardOutput.ReadLine();
    long taken = 0;
    var threads = Enumerable.Range(0, 4).Select(_ => new Thread(() => Interlocked.Add(ref taken, Sample(ring)))).ToArray();
    Array.ForEach(threads, thread => thread.Start());
    Array.ForEach(threads, thread => thread.Join());
    File.WriteAllText(Path.Combine(memory, "done"), "");
    Console.Write(reader.StandardOutput.ReadToEnd());
    reader.WaitForExit();
    ulong lost = ring.StreamCpus.Select(ring.OpenReader).Aggregate(0UL, (sum, stream) => sum + stream.LostFull);
    Console.WriteLine($"written: {taken} samples, {lost} more lost");
    return reader.ExitCode;
}
finally
{
    Directory.Delete(memory, recursive: true);
}

static unsafe long Sample(Ring ring)
{
    var thread = WriterThread.New();
    long taken = 0;
    byte* payload = stackalloc byte[256];
    for (int i = 0; i < 5_000; i++)
    {
        // A number, and as many bytes of it as make the sizes differ.
        int lengthBytes = sizeof(int) + (i % 200);
        new Span<byte>(payload, lengthBytes).Fill((byte)i);
        *(int*)payload = i;
        if (ring.Write(thread, id: 1, payload, lengthBytes) == CommitResult.Committed)
            taken++;
        Thread.SpinWait(100);
    }
    WriterThread.Free(thread);
    return taken;
}

// Started by "dotnet X.dll" this program is its first argument, by its own executable it is not.
static IEnumerable<string> Arguments(params IEnumerable<string> arguments) =>
    Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? arguments.Prepend(Environment.GetCommandLineArgs()[0]) : arguments;
