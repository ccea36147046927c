using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Weir.Ring;

/// <summary>
/// The file of a ring that belongs to no stream: counters of what no stream can count, and on the atomic path the intents of the
/// process's threads. Little-endian; valid from the moment its magic is there.
/// <code>
///  0     magic u64 | 8 version u32 | 12 sequence u32 | 16 process id u32 | 20 intent count u32
///  64    events lost for want of a stream u64 | fields cut u64
///  4096  intents, a cache line each: 0 start u64 | 8 CPU u32 above size u32 | 16 start of the reservation won u64
/// </code>
/// A thread announces (CPU, start, size) before its compare-and-swap on a position and marks it won right after. Two threads may have
/// announced the same start, and the loser may not have gone on yet; the winner is the one that a hole belongs to. Only where it died
/// between swap and mark does a reader have to choose between them.
/// </summary>
public sealed unsafe class RingControl
{
    /// <summary>The file's name in the ring's directory.</summary>
    public const string FileName = "ring";

    /// <summary>"WEIRRING" as bytes in memory.</summary>
    public const ulong Magic = 0x474E495252494557;

    /// <summary>Threads with an intent of their own; of further ones a hole costs the rest of its packet.</summary>
    public const int MaxIntents = 1024;

    internal const int SequenceOffset = 12;
    internal const int ProcessIdOffset = 16;
    internal const int IntentCountOffset = 20;
    internal const int LostNoStreamOffset = 64;
    internal const int FieldsCutOffset = 72;
    internal const int IntentsOffset = 4096;
    internal const int IntentBytes = 64;

    private const int IntentStart = 0;
    private const int IntentPlace = 1;
    private const int IntentWon = 2;

    private readonly MappedFile _file;
    private readonly int _intentCount;

    private RingControl(MappedFile file, int intentCount)
    {
        _file = file;
        _intentCount = intentCount;
    }

    /// <summary>Makes the file of a new ring.</summary>
    /// <exception cref="IOException">It cannot be made, or there is no room.</exception>
    internal static RingControl Create(string directory, SequenceKind sequence)
    {
        int intents = sequence == SequenceKind.Atomic ? MaxIntents : 0;
        var file = MappedFile.Create(Path.Combine(directory, FileName), IntentsOffset + (intents * IntentBytes));
        *(uint*)(file.Address + 8) = StreamLayout.Version;
        *(uint*)(file.Address + SequenceOffset) = (uint)sequence;
        *(uint*)(file.Address + ProcessIdOffset) = (uint)Environment.ProcessId;
        *(uint*)(file.Address + IntentCountOffset) = (uint)intents;
        // Release: everything above before the magic that makes the file valid. Partner: Read checks the magic first.
        Volatile.Write(ref *(ulong*)file.Address, Magic);
        return new RingControl(file, intents);
    }

    /// <summary>Unmaps the file when neither the ring nor anybody who counts in it can hold it any more.</summary>
    ~RingControl() => _file?.Unmap();

    /// <summary>Counts an event that has nowhere to go. Thread-safe.</summary>
    public void CountNoStream() => Count(LostNoStreamOffset, 1);

    /// <summary>Counts fields that were cut at their limit. Thread-safe.</summary>
    public void CountFieldsCut(int count) => Count(FieldsCutOffset, (ulong)count);

    internal void Detach() => _file.Detach();

    private void Count(int offset, ulong count)
    {
        Interlocked.Add(ref *(ulong*)(_file.Address + offset), count);
        GC.KeepAlive(this);
    }

    /// <summary>The intent of a thread, or null where it has none; the caller keeps this object alive while it uses it.</summary>
    internal ulong* IntentOf(int slot) =>
        (uint)slot < (uint)_intentCount ? (ulong*)(_file.Address + IntentsOffset + (slot * IntentBytes)) : null;

    internal static void Announce(ulong* intent, uint cpu, ulong start, ulong size)
    {
        if (intent == null)
            return;
        // Not won yet: another stream may have had the same start.
        intent[IntentWon] = 0;
        intent[IntentPlace] = ((ulong)cpu << 32) | size;
        // Release: never the new start with the old size. The swap that follows is the barrier that shows both to a reader.
        Volatile.Write(ref intent[IntentStart], start);
    }

    internal static void Win(ulong* intent, ulong start)
    {
        if (intent != null)
            Volatile.Write(ref intent[IntentWon], start);
    }

    /// <summary>Reads the file of another process's ring.</summary>
    /// <exception cref="InvalidDataException">It is not a ring's file.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static RingSummary Read(string directory)
    {
        string path = Path.Combine(directory, FileName);
        byte[] bytes = ReadAtMost(path, IntentsOffset + (MaxIntents * IntentBytes));
        if (bytes.Length < IntentsOffset || BinaryPrimitives.ReadUInt64LittleEndian(bytes) != Magic)
            throw new InvalidDataException($"{path}: offset 0: not the file of a ring");
        uint version = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(8));
        if (version != StreamLayout.Version)
            throw new InvalidDataException($"{path}: offset 8: layout version {version}, this program reads {StreamLayout.Version}");
        int count = (int)Math.Min(
            BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(IntentCountOffset)), (uint)(bytes.Length - IntentsOffset) / IntentBytes);
        var intents = new List<WriteIntent>();
        for (int i = 0; i < count; i++)
        {
            var line = bytes.AsSpan(IntentsOffset + (i * IntentBytes), IntentBytes);
            ulong start = BinaryPrimitives.ReadUInt64LittleEndian(line);
            ulong place = BinaryPrimitives.ReadUInt64LittleEndian(line[8..]);
            if (place != 0)
                intents.Add(new WriteIntent((uint)(place >> 32), start, (uint)place, BinaryPrimitives.ReadUInt64LittleEndian(line[16..]) == start));
        }
        return new RingSummary(
            BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(LostNoStreamOffset)),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(FieldsCutOffset)),
            intents);
    }

    // What another process made may be of any length and kind: a link is not followed, a pipe is not waited for.
    private static byte[] ReadAtMost(string path, int lengthBytes)
    {
        int fd = LibC.Open(path, LibC.NoFollow | LibC.NonBlocking | LibC.CloseOnExec, 0);
        if (fd < 0)
            throw new IOException($"{path}: cannot be opened: {Marshal.GetLastPInvokeErrorMessage()}");
        using var file = new SafeFileHandle(fd, ownsHandle: true);
        var bytes = new byte[lengthBytes];
        int got = 0;
        try
        {
            while (got < bytes.Length && RandomAccess.Read(file, bytes.AsSpan(got), got) is > 0 and int n)
                got += n;
            return bytes[..got];
        }
        catch (NotSupportedException e)
        {
            throw new InvalidDataException($"{path}: a pipe, not the file of a ring", e);
        }
    }
}

/// <summary>What a thread on the atomic path was about to write, or wrote, last.</summary>
/// <param name="Cpu">The stream.</param>
/// <param name="Start">The record's position.</param>
/// <param name="SizeBytes">The record's size with its head.</param>
/// <param name="IsWon">Whether the thread is known to have reserved it.</param>
public readonly record struct WriteIntent(uint Cpu, ulong Start, uint SizeBytes, bool IsWon);

/// <summary>What a ring's own file says.</summary>
/// <param name="LostNoStream">Events lost because a CPU's stream could not be made (no room left).</param>
/// <param name="FieldsCut">Strings and sequences that were cut at their limit.</param>
/// <param name="Intents">The threads' intents; empty but on the atomic path.</param>
public sealed record RingSummary(ulong LostNoStream, ulong FieldsCut, IReadOnlyList<WriteIntent> Intents);
