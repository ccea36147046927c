using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Weir.Ring;

/// <summary>
/// The file of a ring that belongs to no stream: counters of what no stream can count, the word that a waiting reader sleeps on, and on the
/// atomic path the intents of the process's threads. Little-endian; valid from the moment its magic is there.
/// <code>
///  0     magic u64 | 8 version u32 | 12 sequence u32 | 16 process id u32 | 20 intent count u32
///  64    events lost for want of a stream u64 | fields cut u64
///  128   doorbell u32: 1 while a reader sleeps on it, see Doorbell
///  4096  intents, a cache line each: see IntentTable
/// </code>
/// </summary>
public sealed unsafe class RingControl
{
    /// <summary>The file's name in the ring's directory.</summary>
    public const string FileName = "ring";

    /// <summary>"WEIRRING" as bytes in memory.</summary>
    public const ulong Magic = 0x474E495252494557;

    internal const int VersionOffset = 8;
    internal const int SequenceOffset = 12;
    internal const int ProcessIdOffset = 16;
    internal const int IntentCountOffset = 20;
    internal const int LostNoStreamOffset = 64;
    internal const int FieldsCutOffset = 72;
    internal const int DoorbellOffset = 128;
    internal const int IntentsOffset = 4096;

    private const int MaxBytes = IntentsOffset + (IntentTable.MaxIntents * IntentTable.LineBytes);

    private readonly MappedMemory _memory;

    private RingControl(MappedMemory memory, int intentCount)
    {
        _memory = memory;
        IntentCount = intentCount;
    }

    /// <summary>Unmaps the file when neither the ring nor anybody who counts in it can hold it any more.</summary>
    ~RingControl() => _memory?.Unmap();

    internal int IntentCount { get; }

    internal byte* Intents => _memory.Address + IntentsOffset;

    internal uint* Doorbell => (uint*)(_memory.Address + DoorbellOffset);

    /// <summary>Counts an event that has nowhere to go. Thread-safe.</summary>
    public void CountNoStream() => Count(LostNoStreamOffset, 1);

    /// <summary>Counts fields that were cut at their limit. Thread-safe.</summary>
    public void CountFieldsCut(int count) => Count(FieldsCutOffset, (ulong)count);

    /// <summary>What it says now, for a reader in this process. Thread-safe.</summary>
    public RingSummary Summarize()
    {
        var table = new ReadOnlySpan<byte>(_memory.Address, IntentsOffset + (IntentCount * IntentTable.LineBytes));
        // The second look after the first, and what the caller reads of records after both: a line that says "done" then vouches for bytes
        // that are read later. Partner: IntentTable.Finish.
        byte[] first = table.ToArray();
        Interlocked.MemoryBarrier();
        byte[] bytes = table.ToArray();
        Interlocked.MemoryBarrier();
        GC.KeepAlive(this);
        return Parse(bytes, Settle(first, bytes), FileName);
    }

    /// <summary>Makes the memory of a new ring's control.</summary>
    /// <exception cref="IOException">It cannot be made, or there is no room.</exception>
    internal static RingControl Create(RingBacking backing, SequenceKind sequence, int intentCount)
    {
        int intents = sequence == SequenceKind.Atomic ? intentCount : 0;
        var memory = MappedMemory.Create(backing with { HugePages = false }, FileName, IntentsOffset + (intents * IntentTable.LineBytes), node: null);
        *(uint*)(memory.Address + VersionOffset) = StreamLayout.Version;
        *(uint*)(memory.Address + SequenceOffset) = (uint)sequence;
        *(uint*)(memory.Address + ProcessIdOffset) = (uint)Environment.ProcessId;
        *(uint*)(memory.Address + IntentCountOffset) = (uint)intents;
        // Release: everything above before the magic that makes the file valid. Partner: Read checks the magic first.
        Volatile.Write(ref *(ulong*)memory.Address, Magic);
        return new RingControl(memory, intents);
    }

    internal void Detach() => _memory.Detach();

    /// <summary>Reads the file of another process's ring, which may be running. Of the intents those are there that did not change during the call.</summary>
    /// <exception cref="InvalidDataException">It is not a ring's file.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static RingSummary Read(string directory)
    {
        string path = Path.Combine(directory, FileName);
        int fd = LibC.Open(path, LibC.NoFollow | LibC.NonBlocking | LibC.CloseOnExec, 0);
        if (fd < 0)
            throw new IOException($"{path}: cannot be opened: {Marshal.GetLastPInvokeErrorMessage()}");
        using var file = new SafeFileHandle(fd, ownsHandle: true);
        return Read(file, path);
    }

    /// <summary>The same of a file that is open already.</summary>
    /// <exception cref="InvalidDataException">It is not a ring's file.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static RingSummary Read(SafeFileHandle file, string path)
    {
        byte[] first = ReadAll(file, path);
        byte[] bytes = ReadAll(file, path);
        return Parse(bytes, Settle(first, bytes), path);
    }

    /// <summary>
    /// Keeps of a second look at the table the lines that say the same as in the first. A thread whose line has changed in between has
    /// finished what it was at, and what it is at now it began after the first look: for a reader that had read the position before, it
    /// leaves no hole. A line that has not changed was not half written when it was read. Only a mark may have come, which the second has.
    /// </summary>
    /// <returns>The latest time in any line at either look: the record of a thread that has gone on since had a time too.</returns>
    internal static ulong Settle(ReadOnlySpan<byte> first, Span<byte> second)
    {
        ulong lastTime = 0;
        for (int at = IntentsOffset; at + IntentTable.LineBytes <= second.Length; at += IntentTable.LineBytes)
        {
            var line = second.Slice(at, IntentTable.LineBytes);
            var before = at + IntentTable.LineBytes <= first.Length ? first.Slice(at, IntentTable.LineBytes) : default;
            lastTime = Math.Max(lastTime, Math.Max(IntentTable.TimeOf(before), IntentTable.TimeOf(line)));
            if (!IntentTable.IsSame(before, line))
                line.Clear();
        }
        return lastTime;
    }

    private static RingSummary Parse(byte[] bytes, ulong lastTime, string path)
    {
        if (bytes.Length < IntentsOffset || BinaryPrimitives.ReadUInt64LittleEndian(bytes) != Magic)
            throw new InvalidDataException($"{path}: offset 0: not the file of a ring");
        uint version = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(VersionOffset));
        if (version != StreamLayout.Version)
            throw new InvalidDataException($"{path}: offset 8: layout version {version}, this program reads {StreamLayout.Version}");
        int count = (int)Math.Min(
            BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(IntentCountOffset)), (uint)(bytes.Length - IntentsOffset) / IntentTable.LineBytes);
        var intents = new List<WriteIntent>();
        for (int slot = 0; slot < count; slot++)
        {
            if (IntentTable.Read(bytes.AsSpan(IntentsOffset + (slot * IntentTable.LineBytes), IntentTable.LineBytes), slot) is { } intent)
                intents.Add(intent);
        }
        return new RingSummary(
            BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(LostNoStreamOffset)),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(FieldsCutOffset)),
            intents,
            lastTime);
    }

    private void Count(int offset, ulong count)
    {
        Interlocked.Add(ref *(ulong*)(_memory.Address + offset), count);
        GC.KeepAlive(this);
    }

    // What another process made may be of any length and kind: a link is not followed, a pipe is not waited for.
    private static byte[] ReadAll(SafeFileHandle file, string path)
    {
        int got = 0;
        try
        {
            var bytes = new byte[Math.Clamp(RandomAccess.GetLength(file), 0, MaxBytes)];
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

/// <summary>What a ring's own file says.</summary>
/// <param name="LostNoStream">Events lost because a CPU's stream could not be made (no room left).</param>
/// <param name="FieldsCut">Strings and sequences that were cut at their limit.</param>
/// <param name="Intents">The threads' intents; empty but on the atomic path.</param>
/// <param name="LastTime">Atomic path: the latest time that a writer has told of; no record that was reserved before the call is later.</param>
public sealed record RingSummary(ulong LostNoStream, ulong FieldsCut, IReadOnlyList<WriteIntent> Intents, ulong LastTime);
