using System.Buffers.Binary;
using Weir.Ctf;
using Weir.Graph;
using Weir.Tests.Ctf;
using Xunit;

namespace Weir.Tests.Graph.Sources;

/// <summary>Packets at 100 to 199, 200 to 299 and so on, by what they count.</summary>
public unsafe class PacketLossesTests
{
    [Fact]
    public void What_the_first_packet_has_counted_is_not_told() => Assert.Equal("", Tell((4, 0)));

    [Fact]
    public void Later_packets_tell_what_has_come_to_it() =>
        Assert.Equal("events 5 199 299, events 1 299 399, packets 3 299 300", Tell((4, 0), (9, 1), (10, 5)));

    [Fact]
    public void Counters_that_stay_or_go_back_tell_nothing() =>
        Assert.Equal("events 3 299 399", Tell((0, 7), (0, 7), (3, 2), (1, 3)));

    private static string Tell(params (ulong Discarded, ulong Number)[] packets)
    {
        var builder = new LttngTraceBuilder();
        var trace = new Trace(new TraceDecoder(builder.Trace), "t");
        DataStream? stream = null;
        var losses = new PacketLosses();
        var cursor = new PacketCursor(trace.Decoder);
        var said = new List<string>();
        var messages = new Message[PacketLosses.MaxMessages];
        for (int i = 0; i < packets.Length; i++)
        {
            ulong begin = 100 + (100 * (ulong)i);
            byte[] packet = builder.Packet(0, 0, begin, begin + 99, 0);
            BinaryPrimitives.WriteUInt64LittleEndian(packet.AsSpan(LttngLayout.PacketHeaderBytes + 32), packets[i].Number);
            BinaryPrimitives.WriteUInt64LittleEndian(packet.AsSpan(LttngLayout.PacketHeaderBytes + 40), packets[i].Discarded);
            fixed (byte* bytes = packet)
                Assert.Equal(DecodeStatus.Done, cursor.BeginPacket(bytes, packet.Length * 8L, out _));
            stream ??= new DataStream { Trace = trace, Decoder = cursor.Stream!, Name = "s" };
            int count = losses.Take(cursor.Properties, stream, messages);
            foreach (var message in messages[..count])
            {
                Assert.True(message.HasTime);
                string kind = message.Kind == MessageKind.DiscardedEvents ? "events" : "packets";
                said.Add($"{kind} {message.Count} {message.Record.ClockValue} {message.EndClockValue}");
            }
        }
        return string.Join(", ", said);
    }
}
