using System.Buffers.Binary;
using Weir.Ring;
using Xunit;

namespace Weir.Tests.Ring.Formats;

[Collection(nameof(Alone))]
public class PlainRecordsTests
{
    private static readonly uint[] s_ids = [0, 1, 31, 65_535, uint.MaxValue, 5, 6, 7, 8, 9];

    [Theory]
    [InlineData(0, 0, "0000000000000000", 0)]
    [InlineData(7, 9, "0900000007000000", 7)]
    [InlineData(0x12345678, 16, "1000000078563412", 0)]
    public void A_head_has_length_and_kind(uint id, int lengthBytes, string bytes, int tailBytes)
    {
        Assert.Equal(bytes, Convert.ToHexString(FormatHeads.Record<PlainRecords>(id, 0, 0, lengthBytes)));
        Assert.Equal(tailBytes, PlainRecords.TailBytes(PlainRecords.RecordHeadBytes, lengthBytes));
    }

    [Theory]
    [MemberData(nameof(ManyWriters.Combinations), MemberType = typeof(ManyWriters))]
    public void Many_threads_write_and_every_record_is_read_once(string placement, string mode) =>
        ManyWriters.Check<PlainRecords>(placement, mode, s_ids, _ => Parser());

    [Fact]
    public void Records_are_taken_one_by_one()
    {
        ReadOnlySpan<byte> records =
        [
            3, 0, 0, 0, 7, 0, 0, 0, (byte)'a', (byte)'b', (byte)'c', 0, 0, 0, 0, 0,
            0, 0, 0, 0, 8, 0, 0, 0,
        ];
        Assert.True(PlainRecords.TryTake(ref records, out uint kind, out var payload));
        Assert.Equal((7U, "abc"), (kind, System.Text.Encoding.ASCII.GetString(payload)));
        Assert.True(PlainRecords.TryTake(ref records, out kind, out payload));
        Assert.Equal((8U, 0), (kind, payload.Length));
        Assert.False(PlainRecords.TryTake(ref records, out _, out _));
    }

    [Theory]
    [InlineData("00")]
    [InlineData("0100000000000000")]
    [InlineData("FFFFFFFF00000000")]
    [InlineData("F9FFFFFF000000000000000000000000")]
    public void What_is_not_a_record_is_refused(string bytes) => Assert.Throws<InvalidDataException>(() =>
    {
        ReadOnlySpan<byte> records = Convert.FromHexString(bytes);
        PlainRecords.TryTake(ref records, out _, out _);
    });

    /// <summary>Knows the layout that <see cref="PlainRecords"/> draws, and nothing else.</summary>
    private static ParsePacket Parser()
    {
        ulong? number = null;
        ulong lost = 0;
        return packet =>
        {
            Assert.Equal("PLNR"u8, packet[..4]);
            int used = BinaryPrimitives.ReadInt32LittleEndian(packet[4..]);
            number ??= BinaryPrimitives.ReadUInt64LittleEndian(packet[8..]);
            Assert.Equal(number++, BinaryPrimitives.ReadUInt64LittleEndian(packet[8..]));
            ulong nowLost = BinaryPrimitives.ReadUInt64LittleEndian(packet[16..]);
            Assert.True(nowLost >= lost, $"losses fall from {lost} to {nowLost}");
            lost = nowLost;
            Assert.InRange(used, 24, packet.Length);
            var records = new List<FoundRecord>();
            int at = 24;
            while (at < used)
            {
                int length = BinaryPrimitives.ReadInt32LittleEndian(packet[at..]);
                int padded = (length + 7) / 8 * 8;
                records.Add(new FoundRecord(BinaryPrimitives.ReadUInt32LittleEndian(packet[(at + 4)..]), 0, at + 8, padded));
                at += 8 + padded;
            }
            Assert.Equal(used, at);
            return records;
        };
    }
}
