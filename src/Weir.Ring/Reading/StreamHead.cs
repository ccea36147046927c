namespace Weir.Ring;

/// <summary>
/// What the first page of a stream's file says; see <see cref="StreamLayout"/>. Read once and checked: what was checked is what is used,
/// whatever becomes of the file.
/// </summary>
internal readonly unsafe record struct StreamHead(
    int PacketBytes, int PacketCount, int PacketHeadBytes, uint Cpu, SequenceKind Sequence, StreamFormat Format, bool IsOverwrite, Guid Uuid,
    int PositionOffset, int ConsumedOffset, int LostOffset)
{
    /// <summary>Reads a page that <see cref="Check"/> has found right.</summary>
    public static StreamHead Read(byte* page) => new(
        (int)*(ulong*)(page + StreamLayout.PacketBytes), *(int*)(page + StreamLayout.PacketCount), *(int*)(page + StreamLayout.PacketHeadBytes),
        *(uint*)(page + StreamLayout.Cpu), *(SequenceKind*)(page + StreamLayout.Sequence), *(StreamFormat*)(page + StreamLayout.Format),
        *(uint*)(page + StreamLayout.IsOverwrite) != 0, new Guid(new ReadOnlySpan<byte>(page + StreamLayout.Uuid, 16), bigEndian: true),
        *(int*)(page + StreamLayout.PositionOffset), *(int*)(page + StreamLayout.ConsumedOffset), *(int*)(page + StreamLayout.LostOffset));

    /// <summary>What is wrong with a page, offset first; null if nothing is.</summary>
    public static string? Check(byte* page, long fileBytes)
    {
        uint version = *(uint*)(page + StreamLayout.VersionOffset);
        if (version != StreamLayout.Version)
            return $"offset {StreamLayout.VersionOffset}: layout version {version}, this program reads {StreamLayout.Version}";
        uint sequence = *(uint*)(page + StreamLayout.Sequence);
        if (sequence is not ((uint)SequenceKind.Rseq or (uint)SequenceKind.Atomic))
            return $"offset {StreamLayout.Sequence}: unknown sequence {sequence}";
        ulong packetBytes = *(ulong*)(page + StreamLayout.PacketBytes);
        uint packetCount = *(uint*)(page + StreamLayout.PacketCount);
        uint packetHeadBytes = *(uint*)(page + StreamLayout.PacketHeadBytes);
        bool isContinuous = packetHeadBytes == 0;
        if (packetBytes > StreamLayout.MaxPacketBytes
            || (isContinuous ? packetCount != 1 || !StreamLayout.IsValidContinuous((long)packetBytes) : !StreamLayout.IsValidGeometry((long)packetBytes, packetCount)))
            return $"offset {StreamLayout.PacketBytes}: {packetCount} packets of {packetBytes} bytes: no stream has these";
        if (isContinuous && sequence != (uint)SequenceKind.Rseq)
            return $"offset {StreamLayout.Sequence}: a ring without packets that is written by sequence {sequence}";
        uint isOverwrite = *(uint*)(page + StreamLayout.IsOverwrite);
        if (isOverwrite > (isContinuous ? 0U : 1U))
            return $"offset {StreamLayout.IsOverwrite}: overwrite is {isOverwrite}";
        var format = *(StreamFormat*)(page + StreamLayout.Format);
        if (packetHeadBytes > IPacketFormat.MaxPacketHeadBytes || (PacketShape.Of(format) is { } shape && shape.HeadBytes != packetHeadBytes))
            return $"offset {StreamLayout.PacketHeadBytes}: format {format} has no packet heads of {packetHeadBytes} bytes";
        foreach (int at in (ReadOnlySpan<int>)[StreamLayout.PositionOffset, StreamLayout.ConsumedOffset, StreamLayout.LostOffset])
        {
            uint offset = *(uint*)(page + at);
            // A pair of words, within the control page.
            if (offset % sizeof(ulong) != 0 || offset > StreamLayout.CommitCounts - (2 * sizeof(ulong)))
                return $"offset {at}: {offset} is no offset of the control page";
        }
        long expected = StreamLayout.HeadBytes + ((long)packetBytes * packetCount);
        return fileBytes < expected ? $"offset {fileBytes}: the file ends before its {packetCount} packets of {packetBytes} bytes do" : null;
    }
}
