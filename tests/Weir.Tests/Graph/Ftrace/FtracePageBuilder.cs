using System.Buffers.Binary;
using Weir.Ctf;

namespace Weir.Tests.Graph.Ftrace;

/// <summary>Builds pages of the kernel's ring buffer, byte by byte as its headers describe them.</summary>
internal sealed class FtracePageBuilder(ByteOrder byteOrder, int longBytes, int pageBytes = 4096)
{
    private readonly List<byte> _events = [];
    private ulong _begin;

    public ByteOrder ByteOrder => byteOrder;

    public FtracePageBuilder Begin(ulong time)
    {
        _events.Clear();
        _begin = time;
        return this;
    }

    public FtracePageBuilder Word(uint type, uint time) =>
        U32(byteOrder == ByteOrder.BigEndian ? (type << 27) | time : (time << 5) | type);

    public FtracePageBuilder U32(uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        if (byteOrder == ByteOrder.BigEndian)
            BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        else
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        _events.AddRange(bytes);
        return this;
    }

    public FtracePageBuilder Extend(ulong time) => Word(30, (uint)(time & 0x7ffffff)).U32((uint)(time >> 27));

    public FtracePageBuilder Stamp(ulong time) => Word(31, (uint)(time & 0x7ffffff)).U32((uint)(time >> 27));

    public FtracePageBuilder Event(uint time, byte[] data, bool isLong = false)
    {
        byte[] padded = [.. data, .. new byte[-data.Length & 3]];
        if (isLong || padded.Length > 28 * 4)
            Word(0, time).U32((uint)data.Length + 4);
        else
            Word((uint)padded.Length / 4, time);
        _events.AddRange(padded);
        return this;
    }

    public byte[] Page(uint flags = 0, ulong? lost = null)
    {
        var page = new List<byte>();
        Number(page, _begin, 8);
        Number(page, (uint)_events.Count | flags, longBytes);
        page.AddRange(_events);
        if (lost is { } count)
            Number(page, count, longBytes);
        page.AddRange(new byte[pageBytes - page.Count]);
        return [.. page];
    }

    public void Number(List<byte> into, ulong value, int bytes)
    {
        for (int i = 0; i < bytes; i++)
            into.Add((byte)(value >> (8 * (byteOrder == ByteOrder.BigEndian ? bytes - 1 - i : i))));
    }
}
