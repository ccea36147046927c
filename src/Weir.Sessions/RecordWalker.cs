using Weir.Ctf;
using Weir.Ring;

namespace Weir.Sessions;

/// <summary>Finds the records of packets in memory by a process's schema. Not thread-safe.</summary>
internal sealed unsafe class RecordWalker(TraceDecoder trace)
{
    private readonly PacketCursor _cursor = new(trace);

    /// <summary>How many records a packet holds, as far as they can be read.</summary>
    public ulong Count(ReadOnlySpan<byte> packet)
    {
        fixed (byte* start = packet)
        {
            if (packet.Length < PacketLayout.Records || _cursor.BeginPacket(start, packet.Length * 8L, out _) != DecodeStatus.Done)
                return 0;
            ulong count = 0;
            var record = default(EventRecord);
            while (_cursor.MoveNext(start, packet.Length * 8L, ref record) == DecodeStatus.Done)
                count++;
            return count;
        }
    }
}
