using System.Text;
using Weir.Ctf;

namespace Weir.Tests.Graph.Sources;

/// <summary>Builds a perf.data, to a file or to a pipe, for machines of any byte order.</summary>
internal sealed class PerfDataBuilder(ByteOrder byteOrder, bool isPipe = false)
{
    private readonly List<(string Name, uint Type, ulong Config, ulong Fields, ulong ReadFormat, ulong[] Ids)> _events = [];
    private readonly List<byte> _records = [];

    /// <summary>Adds an event; samples name it by its IDs.</summary>
    public PerfDataBuilder Event(string name, uint type, ulong config, ulong fields, ulong readFormat, params ulong[] ids)
    {
        _events.Add((name, type, config, fields, readFormat, ids));
        return this;
    }

    public PerfDataBuilder Sample(params (ulong Value, int Bytes)[] fields) => Record(9, fields);

    public PerfDataBuilder Record(uint type, params (ulong Value, int Bytes)[] fields)
    {
        _records.AddRange(RecordBytes(type, fields));
        return this;
    }

    /// <summary>Puts the records so far into packed ones of a few bytes, as a perf that packs does.</summary>
    public PerfDataBuilder Pack(int pieceBytes)
    {
        using var zstd = new ZstdSharp.Compressor();
        byte[] packed = zstd.Wrap(_records.ToArray()).ToArray();
        _records.Clear();
        foreach (byte[] piece in packed.Chunk(pieceBytes))
            Record(81, [.. piece.Select(one => ((ulong)one, 1))]);
        return this;
    }

    public byte[] Build()
    {
        var file = new List<byte>();
        Put(file, 0x32454c4946524550, 8);
        Put(file, isPipe ? 16u : 104, 8);
        if (isPipe)
        {
            foreach (var item in _events)
                file.AddRange(RecordOf(64, [.. Attribute(item.Type, item.Config, item.Fields, item.ReadFormat), .. item.Ids.SelectMany(id => Number(id, 8))]));
            file.AddRange(RecordOf(80, [.. Number(12, 8), .. Descriptions()]));
            file.AddRange(_records);
            return [.. file];
        }
        const int attributeBytes = 112 + 16;
        int ids = 104 + (attributeBytes * _events.Count);
        int data = ids + _events.Sum(item => 8 * item.Ids.Length);
        Put(file, attributeBytes, 8);
        foreach (int part in new[] { 104, attributeBytes * _events.Count, data, _records.Count, 0, 0 })
            Put(file, (ulong)part, 8);
        Put(file, 1 << 12, 8);
        file.AddRange(new byte[24]);
        foreach (var item in _events)
        {
            file.AddRange(Attribute(item.Type, item.Config, item.Fields, item.ReadFormat));
            Put(file, (ulong)ids, 8);
            Put(file, 8 * (ulong)item.Ids.Length, 8);
            ids += 8 * item.Ids.Length;
        }
        file.AddRange(_events.SelectMany(item => item.Ids).SelectMany(id => Number(id, 8)));
        file.AddRange(_records);
        byte[] descriptions = Descriptions();
        Put(file, (ulong)file.Count + 16, 8);
        Put(file, (ulong)descriptions.Length, 8);
        file.AddRange(descriptions);
        return [.. file];
    }

    private byte[] Attribute(uint type, ulong config, ulong fields, ulong readFormat)
    {
        var bytes = new List<byte>();
        Put(bytes, type, 4);
        Put(bytes, 112, 4);
        Put(bytes, config, 8);
        Put(bytes, 1, 8);
        Put(bytes, fields, 8);
        Put(bytes, readFormat, 8);
        // sample_id_all, bit 18 of the structure's bits, which a big-endian compiler counts from the other end
        Put(bytes, 1UL << (byteOrder == ByteOrder.BigEndian ? 63 - 18 : 18), 8);
        bytes.AddRange(new byte[24]);
        Put(bytes, 1 << 17, 8); // branches with an index
        Put(bytes, 0b101, 8); // two registers
        bytes.AddRange(new byte[8]);
        Put(bytes, 0b1, 8);
        bytes.AddRange(new byte[112 - bytes.Count]);
        return [.. bytes];
    }

    private byte[] Descriptions()
    {
        var bytes = new List<byte>();
        Put(bytes, (ulong)_events.Count, 4);
        Put(bytes, 112, 4);
        foreach (var item in _events)
        {
            bytes.AddRange(Attribute(item.Type, item.Config, item.Fields, item.ReadFormat));
            Put(bytes, (ulong)item.Ids.Length, 4);
            Put(bytes, 32, 4);
            bytes.AddRange(Encoding.ASCII.GetBytes(item.Name.PadRight(32, '\0')));
            foreach (ulong id in item.Ids)
                Put(bytes, id, 8);
        }
        return [.. bytes];
    }

    private byte[] RecordBytes(uint type, (ulong Value, int Bytes)[] fields) => RecordOf(type, [.. fields.SelectMany(field => Number(field.Value, field.Bytes))]);

    private byte[] RecordOf(uint type, byte[] body)
    {
        var record = new List<byte>();
        Put(record, type, 4);
        Put(record, 0, 2);
        Put(record, (ulong)body.Length + 8, 2);
        return [.. record, .. body];
    }

    private List<byte> Number(ulong value, int bytes)
    {
        var list = new List<byte>();
        Put(list, value, bytes);
        return list;
    }

    private void Put(List<byte> into, ulong value, int bytes)
    {
        for (int i = 0; i < bytes; i++)
            into.Add((byte)(value >> (8 * (byteOrder == ByteOrder.BigEndian ? bytes - 1 - i : i))));
    }
}
