using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Weir.Ring;

/// <summary>A complete packet that waits in a stream.</summary>
/// <param name="FileOffset">Where it begins in the stream's file.</param>
/// <param name="LengthBytes">Its bytes, padding included.</param>
/// <param name="SequenceNumber">Its number in the stream, from 0.</param>
public readonly record struct PendingPacket(long FileOffset, int LengthBytes, ulong SequenceNumber);

/// <summary>Whether a reader gives packets back.</summary>
public enum ReaderAccess
{
    /// <summary>It does: one at a time in a stream. The file must be writable.</summary>
    Consume,

    /// <summary>
    /// It does, and maps nothing: a file that another user can cut short or punch holes into is read and written by system calls, which
    /// fail where a load would be a signal. Costs a call for each word that is looked at.
    /// </summary>
    ConsumeUnmapped,

    /// <summary>It only looks: any number of them, and the file may be on a file system that is mounted read-only.</summary>
    Observe,
}

/// <summary>
/// The reader's side of one stream, from any process: tells which packets are complete, gives them back, and, when the writer is
/// gone or the session ends, reads what is committed of the rest. The writer goes on meanwhile. What it reads
/// is another process's memory, so every value is checked before it is used. Not thread-safe.
/// </summary>
public sealed unsafe class StreamReader : IDisposable
{
    private readonly MappedMemory? _head;
    private readonly RingBuffer? _ring;
    private readonly byte* _control;
    private readonly ulong _ringBytes;
    private readonly StreamHead _layout;
    private MappedMemory? _whole;

    private StreamReader(string path, MappedMemory? head, byte* page, SafeFileHandle? file, RingBuffer? ring, ReaderAccess access)
    {
        Path = path;
        File = file;
        Access = access;
        _head = head;
        _ring = ring;
        _control = head == null ? null : head.Address + StreamLayout.Control;
        _layout = StreamHead.Read(page);
        _ringBytes = (ulong)PacketBytes * (ulong)PacketCount;
    }

    /// <summary>The stream's file, or what it is called in messages.</summary>
    public string Path { get; }

    /// <summary>
    /// The stream's file: packets can be mapped, read, or spliced from it to a file, a pipe or a socket (<see cref="PacketPipe"/>). Null for
    /// memory that has none.
    /// </summary>
    public SafeFileHandle? File { get; }

    /// <summary>Whether it may give packets back.</summary>
    public ReaderAccess Access { get; }

    /// <summary>Bytes of a packet; of the whole ring where it has no packets.</summary>
    public int PacketBytes => _layout.PacketBytes;

    /// <summary>Sub-buffers.</summary>
    public int PacketCount => _layout.PacketCount;

    /// <summary>Bytes of a packet before its first record; 0 in a ring without packets.</summary>
    public int PacketHeadBytes => _layout.PacketHeadBytes;

    /// <summary>The CPU that the stream belongs to; 0 for a global ring's.</summary>
    public uint Cpu => _layout.Cpu;

    /// <summary>How it is written.</summary>
    public SequenceKind Sequence => _layout.Sequence;

    /// <summary>What its bytes are.</summary>
    public StreamFormat Format => _layout.Format;

    /// <summary>Whether the newest packets replace the oldest.</summary>
    public bool IsOverwrite => _layout.IsOverwrite;

    /// <summary>The trace's UUID.</summary>
    public Guid Uuid => _layout.Uuid;

    /// <summary>Events lost so far because no sub-buffer was free.</summary>
    public ulong LostFull => Load(_layout.LostOffset);

    /// <summary>Events lost so far because they are larger than a packet.</summary>
    public ulong LostTooLarge => Load(_layout.LostOffset + sizeof(ulong));

    /// <summary>Time of the stream's last record; on the atomic path it may lag, and a ring without packets has none.</summary>
    public ulong LastTime => PacketHeadBytes == 0 ? 0 : Load(StreamLayout.LastTime);

    /// <summary>Bytes committed (rseq) or reserved (atomic) since the stream began.</summary>
    public ulong Position => PositionOf(PositionWord);

    /// <summary>The word that holds the position, and on the atomic path the number of who moved it last.</summary>
    public ulong PositionWord => Load(_layout.PositionOffset);

    /// <summary>Bytes given back so far.</summary>
    public ulong Consumed => Load(_layout.ConsumedOffset);

    /// <summary>Overwrite mode: what lies below may be gone.</summary>
    public ulong Floor => IsOverwrite ? Load(StreamLayout.Floor) : 0;

    /// <summary>The ring's bytes.</summary>
    internal ulong RingBytes => _ringBytes;

    /// <summary>Opens a stream; null while its writer has not finished making it.</summary>
    /// <exception cref="InvalidDataException">The file is not a stream of this version; the message names file and offset.</exception>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    public static StreamReader? TryOpen(string path, ReaderAccess access = ReaderAccess.Consume) => TryOpen(OpenFile(path, access), path, access);

    /// <summary>The same of a file that is open already.</summary>
    /// <param name="file">The file; closed with the reader, and where there is none at once.</param>
    /// <param name="path">What to call it.</param>
    /// <param name="access">What for; the file must be open for it.</param>
    /// <exception cref="InvalidDataException">The file is not a stream of this version; the message names file and offset.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static StreamReader? TryOpen(SafeFileHandle file, string path, ReaderAccess access)
    {
        MappedMemory? head = null;
        try
        {
            long fileBytes = LengthOf(file, path);
            if (fileBytes >= StreamLayout.HeadBytes)
            {
                // A copy: what was checked is what is used, whatever becomes of the file. Acquire: the magic before everything else in the
                // head; the writer stores it last.
                byte* page = stackalloc byte[StreamLayout.HeadWords];
                ulong magic;
                if (access == ReaderAccess.ConsumeUnmapped)
                {
                    magic = ReadWord(file, 0);
                    if (RandomAccess.Read(file, new Span<byte>(page, StreamLayout.HeadWords), 0) != StreamLayout.HeadWords)
                        throw new InvalidDataException($"{path}: offset 0: the file was cut while it was read");
                }
                else
                {
                    head = MappedMemory.Open(file, path, StreamLayout.HeadBytes, access == ReaderAccess.Consume);
                    magic = Volatile.Read(ref *(ulong*)head.Address);
                    Buffer.MemoryCopy(head.Address, page, StreamLayout.HeadWords, StreamLayout.HeadWords);
                }
                string? wrong = magic switch
                {
                    0 => null,
                    StreamLayout.Magic => StreamHead.Check(page, fileBytes),
                    _ => "offset 0: not a stream's file",
                };
                if (wrong != null)
                    throw new InvalidDataException($"{path}: {wrong}");
                if (magic != 0)
                    return new StreamReader(path, head, page, file, null, access);
            }
            head?.Unmap();
            file.Dispose();
            return null;
        }
        catch
        {
            head?.Unmap();
            file.Dispose();
            throw;
        }
    }

    /// <param name="memory">The stream's memory, which is the ring's.</param>
    /// <param name="ring">The ring.</param>
    /// <param name="name">The path of the stream's file, or what to call it.</param>
    /// <param name="hasPath">Whether it is a path.</param>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    internal static StreamReader OfOwnMemory(MappedMemory memory, RingBuffer ring, string name, bool hasPath) =>
        new(name, memory, memory.Address, hasPath ? OpenFile(name, ReaderAccess.Observe) : memory.File, ring, ReaderAccess.Consume);

    /// <summary>The oldest packet that is complete and not given back, if there is one.</summary>
    /// <exception cref="InvalidDataException">The stream's control line holds what no writer leaves there.</exception>
    /// <exception cref="InvalidOperationException">Nothing is given back in this ring, or it has no packets.</exception>
    public bool TryGetComplete(out PendingPacket packet)
    {
        if (IsOverwrite || PacketHeadBytes == 0)
            throw new InvalidOperationException("Packets are taken from a ring that has them and that does not overwrite them.");
        CheckLength();
        ulong consumed = Consumed;
        ulong position = CheckedPosition(consumed);
        packet = new PendingPacket(OffsetOf(consumed), PacketBytes, consumed / (ulong)PacketBytes);
        return position - consumed >= (ulong)PacketBytes && IsComplete(consumed);
    }

    /// <summary>
    /// A position below which everything is committed and will not change, in the oldest packet. Always to be had where commits are one
    /// store; on the atomic path only at moments when no writer is between its reservation and its commit: of a living process ask again,
    /// or ask <see cref="CommittedPosition"/>.
    /// </summary>
    /// <exception cref="InvalidDataException">The stream's control line holds what no writer leaves there.</exception>
    public bool TryGetSettled(out ulong position)
    {
        ulong consumed = Consumed;
        position = CheckedPosition(consumed);
        if (Sequence == SequenceKind.Rseq)
            return true;
        return position - consumed < (ulong)PacketBytes && IsSettled(consumed, position);
    }

    /// <summary>
    /// Where the committed part of a packet ends at this moment, without any action of a writer: everything from the packet's begin to there
    /// is written and will not change until the packet is given back or overwritten. On the atomic path it ends at the first record that
    /// a writer has reserved and not finished, if there is one.
    /// </summary>
    /// <param name="packetStart">The packet's begin, in bytes since the stream began; the packet was opened, and not given back.</param>
    /// <param name="readRing">Reads the ring's control; asked only where a writer is at work in the packet.</param>
    /// <exception cref="InvalidDataException">The stream or the ring hold what no writer leaves there.</exception>
    public ulong CommittedPosition(ulong packetStart, Func<RingSummary> readRing)
    {
        // Once: the intents are asked who has not finished what this word counts, and know nothing of what a later one does.
        ulong word = PositionWord;
        ulong position = CheckedPosition(word, packetStart);
        ulong packetEnd = packetStart + (ulong)PacketBytes;
        bool isOpen = position - packetStart < (ulong)PacketBytes;
        if (Sequence == SequenceKind.Rseq)
            return isOpen ? position : ContentEnd(packetStart);
        if (!isOpen && IsComplete(packetStart))
            return ContentEnd(packetStart);
        if (isOpen && IsSettled(packetStart, position))
            return position;
        var holes = new PacketHoles(readRing().Intents, Cpu, word, packetStart, PacketBytes);
        ulong end = isOpen ? position : holes.ClosedAt ?? ContentEnd(packetStart);
        foreach (var hole in holes.Holes)
            end = Math.Min(end, hole.Start);
        return Math.Clamp(end, packetStart + (ulong)PacketHeadBytes, packetEnd);
    }

    /// <summary>Gives the oldest packet back to the writer.</summary>
    /// <exception cref="InvalidOperationException">The stream was opened to observe it.</exception>
    public void Release() => Release(Consumed + (ulong)PacketBytes);

    /// <summary>Copies a packet, complete or not, as it lies in its sub-buffer.</summary>
    /// <param name="sequenceNumber">A packet between <see cref="Consumed"/> or <see cref="Floor"/>, and <see cref="Position"/>.</param>
    /// <param name="target">At least <see cref="PacketBytes"/>.</param>
    /// <exception cref="InvalidDataException">The file is shorter than its head says.</exception>
    public void Copy(ulong sequenceNumber, Span<byte> target) => CopyBytes(sequenceNumber * (ulong)PacketBytes, target[..PacketBytes]);

    /// <summary>The position, if it is one that a writer can have reached.</summary>
    /// <param name="consumed">Bytes given back; in overwrite mode any position that was reached before.</param>
    /// <exception cref="InvalidDataException">It is not.</exception>
    public ulong CheckedPosition(ulong consumed) => CheckedPosition(PositionWord, consumed);

    /// <summary>The position in a word that was read after what was consumed, for who needs the word too and so must read it once.</summary>
    /// <exception cref="InvalidDataException">It is not one that a writer can have reached.</exception>
    public ulong CheckedPosition(ulong positionWord, ulong consumed)
    {
        ulong position = PositionOf(positionWord);
        bool isPossible = PacketHeadBytes == 0
            ? position - consumed <= _ringBytes
            : position % (ulong)PacketBytes >= (ulong)PacketHeadBytes && position >= consumed
                && (IsOverwrite || (consumed % (ulong)PacketBytes == 0 && position - consumed <= _ringBytes));
        if (!isPossible)
        {
            throw new InvalidDataException(
                $"{Path}: offset {StreamLayout.Control + _layout.PositionOffset}: position {position} and consumed {consumed} cannot be those of a ring of {_ringBytes} bytes");
        }
        return position;
    }

    /// <summary>In overwrite mode the floor, if it is one that writers can have left; else 0.</summary>
    /// <exception cref="InvalidDataException">It is not.</exception>
    internal ulong CheckedFloor()
    {
        if (!IsOverwrite)
            return 0;
        // Writers raise the floor before they move the position: so it is not behind a position that was read before it, and not beyond
        // one that is read after it.
        ulong packetBytes = (ulong)PacketBytes;
        ulong open = CheckedPosition(0) / packetBytes * packetBytes;
        ulong floor = Floor;
        if (floor % packetBytes != 0 || (open > floor && open - floor > _ringBytes - packetBytes) || floor > CheckedPosition(0))
            throw new InvalidDataException($"{Path}: offset {StreamLayout.Control + StreamLayout.Floor}: floor {floor} cannot be that of a ring at {open}");
        return floor;
    }

    /// <summary>Reads the control of the stream's ring, in this process or beside the stream's file.</summary>
    /// <exception cref="InvalidDataException">It is not a ring's file.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public RingSummary ReadRing() => _ring != null ? _ring.Control.Summarize() : RingControl.Read(System.IO.Path.GetDirectoryName(Path)!);

    /// <inheritdoc/>
    public void Dispose()
    {
        // The memory of a ring of this process is the ring's, and so is a memory file.
        if (!ReferenceEquals(File, _head?.File))
            File?.Dispose();
        if (_ring != null)
            return;
        _head?.Unmap();
        _whole?.Unmap();
    }

    internal ulong PositionOf(ulong word) => Sequence == SequenceKind.Atomic ? word & StreamLayout.PositionMask : word;

    /// <summary>Bytes counted to the packet that begins at a position; meaningless once its sub-buffer is used again.</summary>
    internal ulong CountedBytes(ulong packetStart) => CommitCount(packetStart) - (ExpectedCount(packetStart) - (ulong)PacketBytes);

    internal long OffsetOf(ulong position) => StreamLayout.HeadBytes + (long)(position & (_ringBytes - 1));

    /// <summary>The data in this process's memory, mirror included; null for another process's.</summary>
    internal byte* OwnData => _ring != null ? _control + StreamLayout.Data : null;

    /// <summary>The data, mapped to be read if it is another process's. A load from it is a SIGBUS if that process cuts its file; a system call that is given it is not.</summary>
    /// <exception cref="IOException">It cannot be mapped.</exception>
    internal byte* MapData()
    {
        if (OwnData != null)
            return OwnData;
        // Without packets a record may lie over the ring's end: like its writer the reader has the data twice, one behind the other.
        _whole ??= MappedMemory.Open(
            File!, Path, StreamLayout.HeadBytes + (long)_ringBytes, isWritable: false, mirroredBytes: PacketHeadBytes == 0 ? (long)_ringBytes : 0);
        return _whole.Address + StreamLayout.HeadBytes;
    }

    internal void CopyBytes(ulong position, Span<byte> target)
    {
        if (OwnData != null)
        {
            new ReadOnlySpan<byte>(OwnData + (position & (_ringBytes - 1)), target.Length).CopyTo(target);
            GC.KeepAlive(_ring);
            return;
        }
        long offset = OffsetOf(position);
        int got = 0;
        while (got < target.Length)
        {
            int n = RandomAccess.Read(File!, target[got..], offset + got);
            if (n == 0)
                throw new InvalidDataException($"{Path}: offset {offset + got}: the file ends in the middle of packet {position / (ulong)PacketBytes}");
            got += n;
        }
    }

    /// <summary>Says up to where the reader has finished.</summary>
    internal void Release(ulong consumed)
    {
        if (Access == ReaderAccess.Observe)
            throw new InvalidOperationException("A reader that observes gives nothing back.");
        // Release: the reads before the word that lets the writer in. Partner: its load of consumed.
        if (_control != null)
            Volatile.Write(ref *(ulong*)(_control + _layout.ConsumedOffset), consumed);
        else
            RandomAccess.Write(File!, new ReadOnlySpan<byte>(&consumed, sizeof(ulong)), StreamLayout.Control + _layout.ConsumedOffset);
    }

    /// <summary>
    /// A file that was cut while we have its head mapped would be a SIGBUS at the next look. Asked before each look, this leaves a window of
    /// a microsecond to somebody who cuts it on purpose.
    /// </summary>
    private void CheckLength()
    {
        long length = File != null ? RandomAccess.GetLength(File) : long.MaxValue;
        if (length < StreamLayout.HeadBytes)
            throw new InvalidDataException($"{Path}: offset {length}: the file was cut while it was read");
    }

    /// <summary>Opens whatever has the name; one that waits for somebody at its other end is not waited for.</summary>
    private static SafeFileHandle OpenFile(string path, ReaderAccess access)
    {
        int fd = LibC.Open(path, (access == ReaderAccess.Observe ? 0 : LibC.ReadWrite) | LibC.NonBlocking | LibC.CloseOnExec, 0);
        return fd >= 0 ? new SafeFileHandle(fd, ownsHandle: true)
            : throw new IOException($"{path}: cannot be opened: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    private static long LengthOf(SafeFileHandle file, string path)
    {
        try
        {
            return RandomAccess.GetLength(file);
        }
        catch (NotSupportedException e)
        {
            throw new InvalidDataException($"{path}: offset 0: a pipe or a device, not a stream's file", e);
        }
    }

    /// <summary>Whether a packet that is not open any more has all its records.</summary>
    internal bool IsComplete(ulong packetStart)
    {
        if (Sequence == SequenceKind.Rseq)
            return true;
        ulong committed = CommitCount(packetStart);
        ulong expected = ExpectedCount(packetStart);
        // In overwrite mode the sub-buffer may be used again already, which the floor tells.
        if (committed > expected && !IsOverwrite)
        {
            throw new InvalidDataException(
                $"{Path}: offset {StreamLayout.Control + CommitCountOffset(packetStart)}: {committed} bytes committed to a sub-buffer that can have {expected}");
        }
        return committed >= expected;
    }

    /// <summary>
    /// Whether all that is reserved in the open packet is committed: the count after the position, and the position again; what was reserved
    /// in between is not in the one but may be in the other.
    /// </summary>
    private bool IsSettled(ulong packetStart, ulong position) =>
        CommitCount(packetStart) == ExpectedCount(packetStart) - (ulong)PacketBytes + (position - packetStart) && Position == position;

    /// <summary>Where a closed packet's content ends, as its head says if it can be believed.</summary>
    private ulong ContentEnd(ulong packetStart)
    {
        ulong end = packetStart + (ulong)PacketBytes;
        if (PacketShape.Of(Format) is not { } shape)
            return end;
        Span<byte> head = stackalloc byte[shape.HeadBytes];
        CopyBytes(packetStart, head);
        long content = shape.ContentBytes(head);
        return content >= shape.HeadBytes && content <= PacketBytes ? packetStart + (ulong)content : end;
    }

    private ulong Load(int offset) =>
        _control != null ? Volatile.Read(ref *(ulong*)(_control + offset)) : ReadWord(File!, StreamLayout.Control + offset);

    /// <summary>
    /// A word of a file that is not mapped. Acquire, as the load would be. The kernel promises nobody that it copies a word whole, so it is
    /// read until two reads agree. Of a file that was cut meanwhile 0, which no position is: what looks at packets finds out.
    /// </summary>
    private static ulong ReadWord(SafeFileHandle file, long offset)
    {
        const int MaxReads = 10;
        ulong last = 0;
        for (int i = 0; i < MaxReads; i++)
        {
            ulong word;
            if (RandomAccess.Read(file, new Span<byte>(&word, sizeof(ulong)), offset) != sizeof(ulong))
                return 0;
            Interlocked.MemoryBarrier();
            if (i > 0 && word == last)
                break;
            last = word;
        }
        return last;
    }

    private ulong CommitCount(ulong start) => Load(CommitCountOffset(start));

    private int CommitCountOffset(ulong start)
    {
        ulong subBuffer = (start & (_ringBytes - 1)) / (ulong)PacketBytes;
        return StreamLayout.CommitCounts + ((int)subBuffer * StreamLayout.CommitCountStride);
    }

    private ulong ExpectedCount(ulong start) => ((start / _ringBytes) + 1) * (ulong)PacketBytes;
}
