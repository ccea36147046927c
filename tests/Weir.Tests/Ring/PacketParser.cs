using System.Buffers.Binary;
using Xunit;

namespace Weir.Tests.Ring;

/// <summary>A record as a reader of the trace sees it.</summary>
internal readonly record struct ParsedRecord(uint Id, ulong Time, int Offset, int PayloadOffset, int LengthBytes, bool IsExtended);

/// <summary>
/// Reads the packets of one stream in order, knowing nothing of the ring but the layout of the trace file, whose offsets are
/// written out here once more. Fails the test on anything that no packet may hold.
/// </summary>
/// <param name="uuid">The trace's.</param>
/// <param name="cpu">The stream's.</param>
/// <param name="payloadBytes">Bytes of an event's payload, by its id; negative for an id that there is not.</param>
/// <param name="firstNumber">The number of the first packet.</param>
/// <param name="isLarge">Whether records have CTF's large heads.</param>
internal sealed class PacketParser(Guid uuid, uint cpu, Func<uint, int> payloadBytes, ulong firstNumber = 0, bool isLarge = false)
{
    private const int HeadBytes = 84;

    private ulong _lastTime;

    /// <summary>The number of the packet that comes next.</summary>
    public ulong NextNumber { get; private set; } = firstNumber;

    /// <summary>Losses that the last packet told.</summary>
    public ulong Discarded { get; private set; }

    /// <summary>The end of the last packet.</summary>
    public ulong End { get; private set; }

    public List<ParsedRecord> Parse(ReadOnlySpan<byte> packet)
    {
        string where = $"packet {NextNumber} of CPU {cpu}";
        Assert.True(U32(packet, 0) == 0xC1FC1FC1, $"{where}: no magic");
        Assert.Equal(uuid, new Guid(packet.Slice(4, 16), bigEndian: true));
        Assert.Equal(0U, U32(packet, 20));
        Assert.Equal(cpu, U64(packet, 24));
        ulong begin = U64(packet, 32);
        ulong end = U64(packet, 40);
        int content = checked((int)(U64(packet, 48) / 8));
        Assert.Equal((ulong)packet.Length * 8, U64(packet, 56));
        Assert.Equal(NextNumber++, U64(packet, 64));
        ulong discarded = U64(packet, 72);
        Assert.Equal(cpu, U32(packet, 80));
        Assert.Equal(0UL, U64(packet, 48) % 8);
        Assert.InRange(content, HeadBytes, packet.Length);
        Assert.True(discarded >= Discarded, $"{where}: discarded falls from {Discarded} to {discarded}");
        Assert.True(begin >= End && end >= begin, $"{where}: begin {begin}, end {end}, the end before {End}");
        Discarded = discarded;
        End = end;

        var records = new List<ParsedRecord>();
        ulong time = begin;
        int at = HeadBytes;
        while (at < content)
        {
            uint id = isLarge ? BinaryPrimitives.ReadUInt16LittleEndian(packet[at..]) : (uint)packet[at] & 31;
            bool isExtended = id == (isLarge ? 65535U : 31U);
            int head = (isLarge, isExtended) switch { (false, false) => 4, (false, true) => 13, (true, false) => 6, (true, true) => 14 };
            if (isExtended)
            {
                id = U32(packet, at + head - 12);
                time = U64(packet, at + head - 8);
            }
            else
            {
                int bits = isLarge ? 32 : 27;
                ulong low = isLarge ? U32(packet, at + 2) : U32(packet, at) >> 5;
                ulong now = (time >> bits << bits) | low;
                time = now < time ? now + (1UL << bits) : now;
            }
            int length = payloadBytes(id);
            if (length < 0)
                Assert.Fail($"{where}: offset {at}: unknown id {id}");
            if (at + head + length > content)
                Assert.Fail($"{where}: offset {at}: event {id} reaches beyond the content");
            if (time < _lastTime)
                Assert.Fail($"{where}: offset {at}: time falls from {_lastTime} to {time}");
            if (time < begin || time > end)
                Assert.Fail($"{where}: offset {at}: time {time} is not from {begin} to {end}");
            _lastTime = time;
            records.Add(new ParsedRecord(id, time, at, at + head, length, isExtended));
            at += head + length;
        }
        return records;
    }

    private static uint U32(ReadOnlySpan<byte> packet, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(packet[offset..]);

    private static ulong U64(ReadOnlySpan<byte> packet, int offset) => BinaryPrimitives.ReadUInt64LittleEndian(packet[offset..]);
}
