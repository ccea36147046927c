namespace Weir.Ctf;

/// <summary>Checks that members which the reader acts upon are what CTF 1.8 says they are.</summary>
internal static class TsdlWellKnown
{
    private static readonly string[] s_packetContextMembers =
        ["timestamp_begin", "timestamp_end", "events_discarded", "packet_seq_num", "packet_size", "content_size"];

    /// <summary>Whether readers act upon a member of the packet context with this name.</summary>
    public static bool IsPacketContextMember(string name) => Array.IndexOf(s_packetContextMembers, name) >= 0;

    public static void CheckPacketHeader(TsdlLowering lowering, TsdlStructure? header, int streamCount)
    {
        if (header is not null && header.IndexOf("magic") is >= 0 and var magic)
        {
            if (magic != 0)
                throw lowering.Error(header.Members[magic].Position, "expected 'magic' as the first member of the packet header");
            if (CheckUnsigned(lowering, header, "magic")!.SizeBits != 32)
                throw lowering.Error(header.Members[magic].Position, "expected an integer of 32 bits as 'magic'");
        }
        if (CheckUnsigned(lowering, header, "stream_id") is null && streamCount > 1)
            throw lowering.Error(header?.Members is [var first, ..] ? first.Position : 0, "a trace of several streams needs the packet header's member 'stream_id'");
        CheckUnsigned(lowering, header, "stream_instance_id");
        if (header is not null && header.IndexOf("uuid") is >= 0 and var uuid
            && header.Members[uuid].Draft is not TsdlArray
            {
                Length: 16, LengthReference: null,
                Element: TsdlLeaf { Class: IntegerFieldClass { SizeBits: 8, AlignmentBits: 8, IsSigned: false, Mappings: null } },
            })
            throw lowering.Error(header.Members[uuid].Position, "expected an array of 16 unsigned integers of 8 bits as 'uuid'");
    }

    public static void CheckStream(TsdlLowering lowering, TsdlStreamBlock block)
    {
        foreach (string name in s_packetContextMembers)
            CheckUnsigned(lowering, block.PacketContext, name);
        if (CheckUnsigned(lowering, block.EventHeader, "id") is null && block.Events.Count > 1)
            throw lowering.Error(block.Position, "a stream of several events needs the event header's member 'id'");
    }

    private static IntegerFieldClass? CheckUnsigned(TsdlLowering lowering, TsdlStructure? structure, string name)
    {
        if (structure is null || structure.IndexOf(name) is < 0 and var index)
            return null;
        index = structure.IndexOf(name);
        return structure.Members[index].Draft is TsdlLeaf { Class: IntegerFieldClass { IsSigned: false } integer }
            ? integer
            : throw lowering.Error(structure.Members[index].Position, $"expected an unsigned integer as '{name}'");
    }
}
