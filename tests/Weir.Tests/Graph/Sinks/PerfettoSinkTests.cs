using System.Text;
using Google.Protobuf;
using Weir.Graph;
using Xunit;

namespace Weir.Tests.Graph.Sinks;

/// <summary>
/// Decoded by protobuf's own reader, field by field. Perfetto's trace processor, which would be the better judge, is in no package registry.
/// </summary>
public class PerfettoSinkTests
{
    [Fact]
    public void The_sequence_begins_with_its_clocks()
    {
        using var input = new SinkInput();
        input.Work(isBegin: true, 5, 1);
        var packets = Packets(input.Write(PerfettoSink.Class));
        Assert.All(packets, packet => Assert.Equal(1UL, packet.Integer(10)));
        Assert.Equal(1UL, packets[0].Integer(13));
        var clocks = packets[0].Message(6).Messages(1);
        Assert.Equal([(6UL, SinkInput.OriginNs + 5), (1UL, SinkInput.OriginNs + 5)], clocks.Select(clock => (clock.Integer(1), (long)clock.Integer(2))));
    }

    [Fact]
    public void Names_are_interned_before_or_where_they_are_used()
    {
        using var input = new SinkInput();
        input.Everything(5, 1.5, "a\u00ff"u8.ToArray(), isPresent: true, tag: 0);
        input.Everything(6, 2.5, [0xff], isPresent: false, tag: 1);
        var packets = Packets(input.Write(PerfettoSink.Class));
        var names = new Dictionary<(int, ulong), string>();
        var annotations = new List<Dictionary<string, Fields>>();
        foreach (var packet in packets)
        {
            foreach (int kind in (int[])[1, 2, 3])
            {
                foreach (var entry in packet.Has(12) ? packet.Message(12).Messages(kind) : [])
                    names.Add((kind, entry.Integer(1)), entry.Text(2));
            }
            if (!packet.Has(11))
                continue;
            Assert.Equal(2UL, packet.Integer(13));
            var body = packet.Message(11);
            Assert.Equal(("app", "app:everything", 3UL), (names[(1, body.Integer(3))], names[(2, body.Integer(10))], body.Integer(9)));
            annotations.Add(body.Messages(4).ToDictionary(item => names[(3, item.Integer(1))]));
        }
        Assert.Equal(2, annotations.Count);
        var first = annotations[0];
        Assert.Equal(ulong.MaxValue, first["u64"].Integer(3));
        Assert.Equal(unchecked((ulong)-5), first["s32"].Integer(4));
        Assert.Equal("green", first["color"].Text(6));
        Assert.Equal(1.5, BitConverter.UInt64BitsToDouble(first["real"].Integer(5)));
        Assert.Equal("inner", first["inner"].Messages(11)[1].Text(6));
        Assert.Equal([1UL, 2, 3], first["list"].Messages(12).Select(item => item.Integer(3)));
        Assert.Equal(77UL, first["maybe"].Integer(3));
        Assert.Equal("vtid", names[(3, first["context"].Messages(11)[1].Integer(1))]);
        Assert.Equal("\uFFFD", annotations[1]["text"].Text(6));
        Assert.False(annotations[1].ContainsKey("maybe"));
    }

    [Fact]
    public void Threads_are_tracks_and_pairs_are_slices_on_them()
    {
        using var input = new SinkInput();
        input.Work(isBegin: true, 2, 1);
        input.Work(isBegin: false, 4, 1);
        var packets = Packets(input.Write(PerfettoSink.Class));
        var track = packets.Where(packet => packet.Has(60)).Select(packet => packet.Message(60)).Single(item => item.Has(4));
        Assert.Equal((10UL, 11UL, "worker"), (track.Message(4).Integer(1), track.Message(4).Integer(2), track.Message(4).Text(5)));
        var events = packets.Where(packet => packet.Has(11)).ToList();
        Assert.Equal([(1UL, SinkInput.OriginNs + 2), (2UL, SinkInput.OriginNs + 4)], events.Select(packet => (packet.Message(11).Integer(9), (long)packet.Integer(8))));
        Assert.All(events, packet => Assert.Equal(track.Integer(1), packet.Message(11).Integer(11)));
    }

    [Fact]
    public void Switches_are_the_schedulers()
    {
        using var input = new SinkInput();
        input.Switch(1000, 49, 50);
        var bundle = Packets(input.Write(PerfettoSink.Class)).Single(packet => packet.Has(1)).Message(1);
        Assert.Equal(3UL, bundle.Integer(1));
        var body = bundle.Message(2).Message(4);
        Assert.Equal(("before", 49UL, "after", 50UL, 120UL), (body.Text(1), body.Integer(2), body.Text(5), body.Integer(6), body.Integer(7)));
    }

    [Fact]
    public void A_loss_is_a_slice()
    {
        using var input = new SinkInput();
        input.Loss(3, 1000, 2500);
        var events = Packets(input.Write(PerfettoSink.Class)).Where(packet => packet.Has(11)).ToList();
        Assert.Equal("3 events discarded", events[0].Message(11).Text(23));
        Assert.Equal([SinkInput.OriginNs + 1000, SinkInput.OriginNs + 2500], events.Select(packet => (long)packet.Integer(8)));
    }

    private static List<Fields> Packets(byte[] trace) => new Fields(trace).Messages(1);

    /// <summary>The fields of a message: numbers as they are, the rest as bytes.</summary>
    private sealed class Fields
    {
        private readonly List<(int Number, ulong Value, byte[]? Bytes)> _fields = [];

        public Fields(byte[] bytes)
        {
            var input = new CodedInputStream(bytes);
            for (uint tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
            {
                int number = WireFormat.GetTagFieldNumber(tag);
                switch (WireFormat.GetTagWireType(tag))
                {
                    case WireFormat.WireType.Varint:
                        _fields.Add((number, input.ReadUInt64(), null));
                        break;
                    case WireFormat.WireType.Fixed64:
                        _fields.Add((number, input.ReadFixed64(), null));
                        break;
                    default:
                        _fields.Add((number, 0, input.ReadBytes().ToByteArray()));
                        break;
                }
            }
        }

        public bool Has(int number) => _fields.Any(field => field.Number == number);

        public ulong Integer(int number) => _fields.Single(field => field.Number == number).Value;

        public string Text(int number) => Encoding.UTF8.GetString(_fields.Single(field => field.Number == number).Bytes!);

        public Fields Message(int number) => Messages(number).Single();

        public List<Fields> Messages(int number) => [.. _fields.Where(field => field.Number == number).Select(field => new Fields(field.Bytes!))];
    }
}
