namespace Weir.Tests.Ring.Formats;

/// <summary>Parsers of CTF packets for <see cref="ManyWriters"/>.</summary>
internal static class CtfPackets
{
    public static ParsePacket ParserOf(uint[] ids, uint cpu, bool isLarge)
    {
        PacketParser? parser = null;
        return packet =>
        {
            // A snapshot begins with any packet.
            parser ??= new PacketParser(TestRing.Uuid, cpu, id => ManyWriters.LengthOf(ids, id), BitConverter.ToUInt64(packet[64..]), isLarge);
            return [.. parser.Parse(packet).Select(record => new FoundRecord(record.Id, record.Time, record.PayloadOffset, record.LengthBytes))];
        };
    }
}
