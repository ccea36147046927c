using Weir.Ring;

namespace Weir.Tests.Ring;

/// <summary>
/// Threads that number their records and tell, in memory that outlives them, what was committed. What they leave is checked by
/// <see cref="NumberedRecords"/>.
/// <code>
///  a cache line for each thread:   0 records committed u64 | 8 time before the write of the last even one u64 | 16 of the last odd one u64
///  a record's payload:             0 thread u32 | 4 number u32 | 8 filling, by the number
/// </code>
/// </summary>
internal static unsafe class NumberedWriters
{
    public const int Threads = 6;
    public const int LineBytes = 64;
    public const string ProgressFile = "progress";

    private const int MaxId = 40;

    public static int PayloadBytes(uint id) => id is >= 1 and <= MaxId ? 8 + (int)(id * 5) : -1;

    public static byte Filling(int number) => (byte)(0x80 | number);

    /// <summary>Makes a ring in a directory, and the file in which the threads tell, and starts them; they never end.</summary>
    /// <returns>Where the threads tell.</returns>
    public static byte* Start(CtfRing kind, string directory)
    {
        byte* progress = MappedMemory.Create(RingBacking.Files(directory), ProgressFile, Threads * LineBytes, node: null).Address;
        var ring = kind.Create(directory);
        for (int t = 0; t < Threads; t++)
        {
            int thread = t;
            new Thread(() => Write(ring, thread, progress + (thread * LineBytes))) { IsBackground = true }.Start();
        }
        return progress;
    }

    /// <summary>Writes for ever; a record that was lost is tried again.</summary>
    private static void Write(RingBuffer ring, int thread, byte* line)
    {
        var writer = WriterThread.New();
        var random = new Random(thread);
        byte* payload = stackalloc byte[PayloadBytes(MaxId)];
        for (int number = 0; ; number++)
        {
            uint id = (uint)random.Next(1, MaxId + 1);
            int length = PayloadBytes(id);
            new Span<byte>(payload, length).Fill(Filling(number));
            *(int*)payload = thread;
            *(int*)(payload + 4) = number;
            Volatile.Write(ref *(ulong*)(line + 8 + (number % 2 * sizeof(ulong))), CtfRing.Now());
            while (ring.Write(writer, id, payload, length) > CommitResult.CommittedInNewPacket)
                Thread.Yield();
            Volatile.Write(ref *(ulong*)line, (ulong)number + 1);
        }
    }
}
