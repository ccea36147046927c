using Microsoft.Win32.SafeHandles;

namespace Weir.Ring;

/// <summary>A complete packet that waits in a stream.</summary>
/// <param name="FileOffset">Where it begins in the stream's file.</param>
/// <param name="LengthBytes">Its bytes, padding included.</param>
/// <param name="SequenceNumber">Its number in the stream, from 0.</param>
public readonly record struct PendingPacket(long FileOffset, int LengthBytes, ulong SequenceNumber);

/// <summary>
/// The reader's side of one stream, from any process: tells which packets are complete, gives them back, and, when the writer is
/// gone or the session ends, reads what is committed of the rest. One reader at a time; the writer goes on meanwhile. What it reads
/// is another process's memory, so every value is checked before it is used.
/// </summary>
public sealed unsafe class StreamReader : IDisposable
{
    private readonly MappedFile _head;
    private readonly byte* _control;
    private readonly ulong _ringBytes;
    private SafeFileHandle? _clearing;

    private StreamReader(string path, MappedFile head, SafeFileHandle file)
    {
        Path = path;
        File = file;
        _head = head;
        _control = head.Address + StreamLayout.Control;
        PacketBytes = (int)*(ulong*)(head.Address + StreamLayout.PacketBytes);
        PacketCount = *(int*)(head.Address + StreamLayout.PacketCount);
        Cpu = *(uint*)(head.Address + StreamLayout.Cpu);
        Sequence = *(SequenceKind*)(head.Address + StreamLayout.Sequence);
        Uuid = new Guid(new ReadOnlySpan<byte>(head.Address + StreamLayout.Uuid, 16), bigEndian: true);
        _ringBytes = (ulong)PacketBytes * (ulong)PacketCount;
    }

    /// <summary>The stream's file.</summary>
    public string Path { get; }

    /// <summary>The stream's file, open for reading; packets can be moved from it by descriptor.</summary>
    public SafeFileHandle File { get; }

    /// <summary>Bytes of a packet.</summary>
    public int PacketBytes { get; }

    /// <summary>Sub-buffers.</summary>
    public int PacketCount { get; }

    /// <summary>The CPU that the stream belongs to.</summary>
    public uint Cpu { get; }

    /// <summary>How it is written.</summary>
    public SequenceKind Sequence { get; }

    /// <summary>The trace's UUID.</summary>
    public Guid Uuid { get; }

    /// <summary>Events lost so far because no sub-buffer was free.</summary>
    public ulong LostFull => Load(StreamLayout.LostFull);

    /// <summary>Events lost so far because they are larger than a packet.</summary>
    public ulong LostTooLarge => Load(StreamLayout.LostTooLarge);

    /// <summary>Time of the stream's last record; on the atomic path it may lag.</summary>
    public ulong LastTime => Load(StreamLayout.LastTime);

    /// <summary>Bytes committed (rseq) or reserved (atomic) since the stream began.</summary>
    public ulong Position => Load(StreamLayout.Position);

    /// <summary>Bytes given back so far.</summary>
    public ulong Consumed => Load(StreamLayout.Consumed);

    /// <summary>Opens a stream; null while its writer has not finished making it.</summary>
    /// <exception cref="InvalidDataException">The file is not a stream of this version; the message names file and offset.</exception>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    public static StreamReader? TryOpen(string path)
    {
        if (new FileInfo(path).Length < StreamLayout.HeadBytes)
            return null;
        var head = MappedFile.Open(path, StreamLayout.HeadBytes);
        // Acquire: the magic before everything else in the head; the writer stores it last.
        ulong magic = Volatile.Read(ref *(ulong*)head.Address);
        string? wrong = magic switch
        {
            0 => null,
            StreamLayout.Magic => Check(head.Address, new FileInfo(path).Length),
            _ => "offset 0: not a stream's file",
        };
        if (magic == 0 || wrong != null)
        {
            head.Unmap();
            return wrong == null ? null : throw new InvalidDataException($"{path}: {wrong}");
        }
        try
        {
            var file = System.IO.File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return new StreamReader(path, head, file);
        }
        catch
        {
            head.Unmap();
            throw;
        }
    }

    /// <summary>The oldest packet that is complete and not given back, if there is one.</summary>
    /// <exception cref="InvalidDataException">The stream's control line holds what no writer leaves there.</exception>
    public bool TryGetComplete(out PendingPacket packet)
    {
        CheckLength();
        ulong consumed = Consumed;
        ulong position = CheckedPosition(consumed);
        packet = new PendingPacket(
            StreamLayout.HeadBytes + (long)(consumed & (_ringBytes - 1)), PacketBytes, consumed / (ulong)PacketBytes);
        if (position < consumed + (ulong)PacketBytes)
            return false;
        if (Sequence == SequenceKind.Rseq)
            return true;
        ulong committed = CommitCount(consumed);
        ulong expected = ExpectedCount(consumed);
        if (committed > expected)
        {
            throw new InvalidDataException(
                $"{Path}: offset {StreamLayout.Control + CommitCountOffset(consumed)}: {committed} bytes committed to a sub-buffer that can have {expected}");
        }
        return committed == expected;
    }

    /// <summary>
    /// A position below which everything is committed and will not change, in the oldest packet. Always to be had where commits are one
    /// store; on the atomic path only at moments when no writer is between its reservation and its commit: of a living process ask again.
    /// </summary>
    /// <exception cref="InvalidDataException">The stream's control line holds what no writer leaves there.</exception>
    public bool TryGetSettled(out ulong position)
    {
        ulong consumed = Consumed;
        position = CheckedPosition(consumed);
        if (Sequence == SequenceKind.Rseq)
            return true;
        if (position - consumed >= (ulong)PacketBytes)
            return false;
        // The count after the position, and the position again: what was reserved in between is not in the one but may be in the other.
        ulong committed = CommitCount(consumed);
        return committed == ExpectedCount(consumed) - (ulong)PacketBytes + (position - consumed) && Position == position;
    }

    /// <summary>Gives the oldest packet back to the writer.</summary>
    public void Release()
    {
        ulong consumed = Consumed;
        if (Sequence == SequenceKind.Atomic)
            Clear(consumed);
        // Release: the reads (and the clearing) before the word that lets the writer in. Partner: its load of consumed.
        Volatile.Write(ref *(ulong*)(_control + StreamLayout.Consumed), consumed + (ulong)PacketBytes);
    }

    /// <summary>Copies a packet, complete or not, as it lies in its sub-buffer.</summary>
    /// <param name="sequenceNumber">A packet between <see cref="Consumed"/> and <see cref="Position"/>.</param>
    /// <param name="target">At least <see cref="PacketBytes"/>.</param>
    /// <exception cref="InvalidDataException">The file is shorter than its head says.</exception>
    public void Copy(ulong sequenceNumber, Span<byte> target)
    {
        long offset = StreamLayout.HeadBytes + (long)((sequenceNumber * (ulong)PacketBytes) & (_ringBytes - 1));
        int got = 0;
        while (got < PacketBytes)
        {
            int n = RandomAccess.Read(File, target[got..PacketBytes], offset + got);
            if (n == 0)
                throw new InvalidDataException($"{Path}: offset {offset + got}: the file ends in the middle of packet {sequenceNumber}");
            got += n;
        }
    }

    /// <summary>The position, if it is one that a writer can have reached.</summary>
    /// <exception cref="InvalidDataException">It is not.</exception>
    public ulong CheckedPosition(ulong consumed)
    {
        ulong position = Position;
        if (consumed % (ulong)PacketBytes != 0 || position < consumed || position - consumed > _ringBytes
            || position % (ulong)PacketBytes < PacketLayout.Records)
        {
            throw new InvalidDataException(
                $"{Path}: offset {StreamLayout.Control}: position {position} and consumed {consumed} cannot be those of a ring of {_ringBytes} bytes");
        }
        return position;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _head.Unmap();
        File.Dispose();
        _clearing?.Dispose();
    }

    /// <summary>
    /// A file that was cut while we have its head mapped would be a SIGBUS at the next look. Asked before each look, this leaves a window of
    /// a microsecond to somebody who cuts it on purpose.
    /// </summary>
    private void CheckLength()
    {
        long length = RandomAccess.GetLength(File);
        if (length < StreamLayout.HeadBytes)
            throw new InvalidDataException($"{Path}: offset {length}: the file was cut while it was read");
    }

    private static string? Check(byte* head, long fileBytes)
    {
        uint version = *(uint*)(head + 8);
        if (version != StreamLayout.Version)
            return $"offset 8: layout version {version}, this program reads {StreamLayout.Version}";
        uint sequence = *(uint*)(head + StreamLayout.Sequence);
        if (sequence is not ((uint)SequenceKind.Rseq or (uint)SequenceKind.Atomic))
            return $"offset {StreamLayout.Sequence}: unknown sequence {sequence}";
        ulong packetBytes = *(ulong*)(head + StreamLayout.PacketBytes);
        uint packetCount = *(uint*)(head + StreamLayout.PacketCount);
        if (packetBytes > StreamLayout.MaxPacketBytes || !StreamLayout.IsValidGeometry((long)packetBytes, packetCount))
            return $"offset {StreamLayout.PacketBytes}: {packetCount} packets of {packetBytes} bytes: no stream has these";
        long expected = StreamLayout.HeadBytes + ((long)packetBytes * packetCount);
        return fileBytes < expected ? $"offset {fileBytes}: the file ends before its {packetCount} packets of {packetBytes} bytes do" : null;
    }

    private ulong Load(int offset) => Volatile.Read(ref *(ulong*)(_control + offset));

    private ulong CommitCount(ulong start) => Load(CommitCountOffset(start));

    private int CommitCountOffset(ulong start)
    {
        ulong subBuffer = (start & (_ringBytes - 1)) / (ulong)PacketBytes;
        return StreamLayout.CommitCounts + ((int)subBuffer * StreamLayout.CommitCountStride);
    }

    private ulong ExpectedCount(ulong start) => ((start / _ringBytes) + 1) * (ulong)PacketBytes;

    private void Clear(ulong consumed)
    {
        var zeros = new byte[Math.Min(PacketBytes, 64 * 1024)];
        _clearing ??= System.IO.File.OpenHandle(Path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        long offset = StreamLayout.HeadBytes + (long)(consumed & (_ringBytes - 1));
        for (int done = 0; done < PacketBytes; done += zeros.Length)
            RandomAccess.Write(_clearing, zeros, offset + done);
    }
}
