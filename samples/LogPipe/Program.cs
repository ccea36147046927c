using System.Diagnostics;
using System.Globalization;
using System.Text;
using Weir.Ring;
using Ring = Weir.Ring.RingBuffer<Weir.Ring.PacketClient<
    Weir.Ring.Global, Weir.Ring.Discard<Weir.Ring.WakeAtWatermark>, Weir.Ring.PlainRecords, Weir.Ring.NoHooks>>;
using StreamReader = Weir.Ring.StreamReader;

// A pipe for log lines between two processes. Many threads write, and nobody waits for anybody: a line that finds the pipe full is lost
// and counted. What was written when the writing process dies, however it dies, is read.
if (args is ["produce", var ringDirectory, var lineCount])
    return Produce(ringDirectory, int.Parse(lineCount, CultureInfo.InvariantCulture));

if (args.Length > 1 || (args.Length == 1 && !int.TryParse(args[0], CultureInfo.InvariantCulture, out _)))
{
    Console.Error.WriteLine("usage: LogPipe [LINES_OF_EACH_THREAD]");
    return 2;
}
string linesPerThread = args.Length == 1 ? args[0] : "2000";
string memory = Directory.CreateDirectory($"/dev/shm/log-pipe-{Guid.NewGuid():n}").FullName;
using var producer = Process.Start(
    new ProcessStartInfo(Environment.ProcessPath!, Arguments("produce", memory, linesPerThread)) { RedirectStandardOutput = true })!;
try
{
    // Its first line says that the ring is there.
    if (producer.StandardOutput.ReadLine() == null)
        return 1;
    Console.Error.WriteLine($"lines from process {producer.Id}");
    using var stream = StreamReader.TryOpen(Path.Combine(memory, "stream_0"))!;
    var cursor = new StreamCursor(stream);
    var bell = SharedDoorbell.TryOpenRing(memory)!;
    using var output = new StreamWriter(Console.OpenStandardOutput());
    bool isOver = false;
    while (!isOver)
    {
        // Asked before the look at the ring, so that the last look comes after the last record.
        isOver = producer.HasExited;
        // First the word that the writers look at, then another look at the ring: so no wake-up is missed.
        bell.Prepare();
        if (PrintNew(cursor, output) == 0 && !isOver)
        {
            output.Flush();
            bell.Sleep(TimeSpan.FromMilliseconds(50));
        }
    }
    PrintRest(stream, cursor.Position, output);
    output.Flush();
    Console.Error.WriteLine($"{stream.LostFull + stream.LostTooLarge} lines lost");
    return 0;
}
finally
{
    Directory.Delete(memory, recursive: true);
}

// Prints what is committed by now, where it lies in the ring.
static long PrintNew(StreamCursor cursor, StreamWriter output)
{
    long count = 0;
    while (cursor.Peek() is { IsEmpty: false } records)
    {
        int lengthBytes = records.Length;
        count += Print(records, output);
        cursor.Advance(lengthBytes);
    }
    return count;
}

// A thread that was killed within a record hides what others wrote behind it from a cursor. It is gone now: recovery knows which bytes
// were its, and takes them out.
static void PrintRest(StreamReader stream, ulong position, StreamWriter output)
{
    var rest = StreamSnapshot.Recover(stream);
    ulong start = rest.FirstPacket * (ulong)stream.PacketBytes;
    foreach (var packet in rest.Packets)
    {
        int printed = position > start ? (int)(position - start) : stream.PacketHeadBytes;
        Print(packet.Span[printed..], output);
        start += (ulong)stream.PacketBytes;
    }
}

static long Print(ReadOnlySpan<byte> records, StreamWriter output)
{
    long count = 0;
    for (; PlainRecords.TryTake(ref records, out uint thread, out var line); count++)
        output.WriteLine($"thread {thread}: {Encoding.UTF8.GetString(line)}");
    return count;
}

static int Produce(string directory, int linesPerThread)
{
    var ring = Ring.Create(new RingOptions
    {
        Backing = RingBacking.Files(directory),
        PacketBytes = 64 << 10,
        PacketCount = 16,
        WatermarkBytes = 4 << 10,
    });
    Console.WriteLine("ready");
    var threads = Enumerable.Range(1, 4).Select(thread => new Thread(() => Log(ring, (uint)thread, linesPerThread))).ToArray();
    Array.ForEach(threads, thread => thread.Start());
    Array.ForEach(threads, thread => thread.Join());
    // Less than a watermark may be left.
    ring.Doorbell.Ring();
    return 0;
}

static unsafe void Log(Ring ring, uint number, int lines)
{
    var thread = WriterThread.New();
    Span<byte> line = stackalloc byte[64];
    for (int i = 0; i < lines; i++)
    {
        Encoding.UTF8.TryGetBytes($"line {i}", line, out int lengthBytes);
        fixed (byte* payload = line)
            ring.Write(thread, number, payload, lengthBytes);
    }
    WriterThread.Free(thread);
}

// Started by "dotnet X.dll" this program is its first argument, by its own executable it is not.
static IEnumerable<string> Arguments(params IEnumerable<string> arguments) =>
    Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? arguments.Prepend(Environment.GetCommandLineArgs()[0]) : arguments;
