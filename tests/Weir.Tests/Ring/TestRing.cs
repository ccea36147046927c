using Weir.Clock;
using Weir.Ring;
using Xunit;
using StreamReader = Weir.Ring.StreamReader;

namespace Weir.Tests.Ring;

/// <summary>A ring in a directory of its own in memory, which goes with it.</summary>
internal sealed unsafe class TestRing : IDisposable
{
    public TestRing(SequenceKind sequence, ClockKind clock = ClockKind.Counter, int packetBytes = 4096, int packetCount = 4)
    {
        SkipUnlessPossible(sequence, clock);
        Directory = NewDirectory();
        Ring = RingBuffer.CreateCtf(Options(Directory, packetBytes, packetCount), clock, sequence);
    }

    public static Guid Uuid { get; } = new("f00dcafe-89ab-cdef-0123-456789abcdef");

    public string Directory { get; }

    public RingBuffer Ring { get; }

    public static string NewDirectory()
    {
        string memory = System.IO.Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
        return System.IO.Directory.CreateDirectory(Path.Combine(memory, $"weir-test-{Guid.NewGuid():n}")).FullName;
    }

    public static void SkipUnlessPossible(SequenceKind sequence, ClockKind clock)
    {
        if (sequence == SequenceKind.Rseq)
            Assert.SkipUnless(RseqSection.IsAvailable, RseqSection.Verdict);
        if (clock == ClockKind.Counter)
            Assert.SkipUnless(CpuCounter.IsTrusted, CpuCounter.Verdict);
    }

    public static RingOptions Options(string directory, int packetBytes = 4096, int packetCount = 4) =>
        new() { Backing = RingBacking.Files(directory), Uuid = Uuid, PacketBytes = packetBytes, PacketCount = packetCount };

    public CommitResult Write(WriterThread* thread, uint id, ReadOnlySpan<byte> payload)
    {
        fixed (byte* p = payload)
        {
            byte none;
            return Ring.Write(thread, id, p == null ? &none : p, payload.Length);
        }
    }

    public string StreamPath(int cpu) => StreamPath(Directory, cpu);

    public static string StreamPath(string directory, int cpu) => Path.Combine(directory, $"stream_{cpu}");

    public static List<StreamReader> OpenAll(string directory) =>
        [.. System.IO.Directory.GetFiles(directory, "stream_*").Order(StringComparer.Ordinal).Select(path => StreamReader.TryOpen(path)).OfType<StreamReader>()];

    /// <summary>Gives each packet that is complete to an action, and back to the writer.</summary>
    public static int Drain(StreamReader reader, PacketAction action)
    {
        var bytes = new byte[reader.PacketBytes];
        int count = 0;
        while (reader.TryGetComplete(out var pending))
        {
            Assert.Equal(StreamLayout.HeadBytes + (long)(pending.SequenceNumber % (ulong)reader.PacketCount * (ulong)reader.PacketBytes), pending.FileOffset);
            Assert.Equal(reader.PacketBytes, pending.LengthBytes);
            reader.Copy(pending.SequenceNumber, bytes);
            reader.Release();
            action(bytes);
            count++;
        }
        return count;
    }

    /// <summary>Recovers all that was not given back, as a session's end or a recovery after a kill does; true if something was cut.</summary>
    public static bool Recover(StreamReader reader, string directory, ulong previousEnd, PacketAction action) =>
        Recover(reader, directory, previousEnd, action, out _);

    /// <summary>The same, and how many bytes of the open packet were holes.</summary>
    public static bool Recover(StreamReader reader, string directory, ulong previousEnd, PacketAction action, out int holeBytes)
    {
        holeBytes = 0;
        ulong consumed = reader.Consumed;
        ulong word = reader.PositionWord;
        ulong position = reader.CheckedPosition(consumed);
        var intents = RingControl.Read(directory).Intents;
        ulong lastTime = reader.LastTime;
        ulong discarded = 0;
        bool isCut = false;
        var bytes = new byte[reader.PacketBytes];
        for (ulong number = consumed / (ulong)reader.PacketBytes; number * (ulong)reader.PacketBytes < position; number++)
        {
            reader.Copy(number, bytes);
            var context = new RecoveryContext(number, word, previousEnd, discarded, lastTime, reader.LostFull + reader.LostTooLarge, IsLive: false);
            int length = PacketRecovery.Recover(reader, bytes, context, intents, out bool isPacketCut);
            isCut |= isPacketCut;
            previousEnd = BitConverter.ToUInt64(bytes, PacketLayout.TimestampEnd);
            discarded = BitConverter.ToUInt64(bytes, PacketLayout.EventsDiscarded);
            action(bytes.AsSpan(0, length));
            holeBytes = (int)(position % (ulong)reader.PacketBytes) - length;
        }
        return isCut;
    }

    public void Dispose()
    {
        GC.KeepAlive(Ring);
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    public delegate void PacketAction(ReadOnlySpan<byte> packet);
}
