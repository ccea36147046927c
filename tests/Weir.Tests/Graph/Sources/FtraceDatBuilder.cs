using System.Text;
using Weir.Ctf;
using Weir.Tests.Graph.Ftrace;

namespace Weir.Tests.Graph.Sources;

/// <summary>Builds a trace.dat of version 6 or 7 with two events, for machines of any byte order and size of long.</summary>
internal sealed class FtraceDatBuilder(int version, ByteOrder byteOrder = ByteOrder.LittleEndian, int longBytes = 8, string compression = "none")
{
    private const int PageBytes = 4096;
    private const string Shared = "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n";

    private const string Number = "name: number\nID: 5\nformat:\n" + Shared
        + "\tfield:char comm[8];\toffset:8;\tsize:8;\tsigned:0;\n\tfield:short low;\toffset:16;\tsize:2;\tsigned:1;\n\tfield:u64 value;\toffset:24;\tsize:8;\tsigned:0;\n\nprint fmt: \"%03d %llu\", REC->low, REC->value\n";

    private const string Dynamic = "name: dynamic\nID: 6\nformat:\n" + Shared
        + "\tfield:__data_loc char[] name;\toffset:8;\tsize:4;\tsigned:0;\n\tfield:__rel_loc u16[] list;\toffset:12;\tsize:4;\tsigned:0;\n\nprint fmt: \"%s\", __get_str(name)\n";

    private readonly FtracePageBuilder _pages = new(byteOrder, longBytes);
    private readonly List<(ushort Id, byte[] Data)> _options = [];

    public FtracePageBuilder Pages => _pages;

    public List<(string Name, string Clock, byte[][] Cpus)> Buffers { get; } = [];

    public FtraceDatBuilder Option(int id, byte[] data)
    {
        _options.Add(((ushort)id, data));
        return this;
    }

    public byte[] NumberRecord(int pid, string comm, short low, ulong value)
    {
        var record = Head(5, pid);
        record.AddRange(Encoding.ASCII.GetBytes(comm.PadRight(8, '\0')));
        Put(record, (ushort)low, 2);
        Put(record, 0xdead_beef, 6);
        Put(record, value, 8);
        return [.. record];
    }

    public byte[] DynamicRecord(int pid, string name, params ushort[] list)
    {
        var record = Head(6, pid);
        Put(record, ((uint)(name.Length + 1) << 16) | 16, 4);
        Put(record, ((uint)(list.Length * 2) << 16) | (uint)(name.Length + 1), 4);
        record.AddRange(Encoding.ASCII.GetBytes(name + "\0"));
        foreach (ushort item in list)
            Put(record, item, 2);
        return [.. record];
    }

    public byte[] Build()
    {
        var file = new List<byte>([0x17, 0x08, 0x44, .. "tracing"u8]);
        Text(file, $"{version}");
        file.Add((byte)byteOrder);
        file.Add((byte)longBytes);
        Put(file, PageBytes, 4);
        return version == 6 ? Build6(file) : Build7(file);
    }

    private byte[] Build6(List<byte> file)
    {
        file.AddRange(HeaderInfo());
        file.AddRange(Formats());
        Put(file, 0, 4);
        Put(file, 0, 4);
        Sized(file, "1 init\n");
        int cpus = Buffers[0].Cpus.Length;
        Put(file, (ulong)cpus, 4);
        Text(file, "options  ");
        foreach (var (id, data) in _options)
            PutOption(file, id, data);
        Option(4, [.. Encoding.ASCII.GetBytes($"local [{Buffers[0].Clock}] x\n\0")]);
        PutOption(file, _options[^1].Id, _options[^1].Data);
        var offsets = new List<int>();
        foreach (var (name, _, _) in Buffers.Skip(1))
        {
            PutOption(file, 3, [.. new byte[8], .. Encoding.ASCII.GetBytes(name + "\0")]);
            offsets.Add(file.Count - 8 - name.Length - 1);
        }
        Put(file, 0, 2);
        var tables = new List<int>();
        for (int i = 0; i < Buffers.Count; i++)
        {
            if (i > 0)
                Overwrite(file, offsets[i - 1], (ulong)file.Count);
            Text(file, "flyrecord");
            tables.Add(file.Count);
            file.AddRange(new byte[16 * cpus]);
        }
        for (int i = 0; i < Buffers.Count; i++)
        {
            for (int cpu = 0; cpu < cpus; cpu++)
            {
                file.AddRange(new byte[-file.Count & (PageBytes - 1)]);
                Overwrite(file, tables[i] + (16 * cpu), (ulong)file.Count);
                Overwrite(file, tables[i] + (16 * cpu) + 8, (ulong)Buffers[i].Cpus[cpu].Length);
                file.AddRange(Buffers[i].Cpus[cpu]);
            }
        }
        return [.. file];
    }

    private byte[] Build7(List<byte> file)
    {
        Text(file, compression);
        Text(file, compression == "none" ? "" : "1");
        int optionsPlace = file.Count;
        file.AddRange(new byte[8]);
        foreach (var (id, data) in new (ushort, byte[])[] { (16, HeaderInfo()), (17, Formats()[..4]), (18, Formats()[4..]) })
        {
            Option(id, [.. Bytes((ulong)file.Count, 8)]);
            Section(file, id, data, isPacked: compression != "none");
        }
        foreach (var (name, clock, cpus) in Buffers)
            PutBuffer(file, name, clock, cpus);
        // In two parts, one of which says where the other is.
        int half = _options.Count / 2;
        int second = file.Count;
        Section(file, 0, Options(half, _options.Count, 0), isPacked: false);
        Overwrite(file, optionsPlace, (ulong)file.Count);
        Section(file, 0, Options(0, half, (ulong)second), isPacked: false);
        return [.. file];
    }

    private byte[] Options(int from, int to, ulong next)
    {
        var data = new List<byte>();
        foreach (var (id, option) in _options[from..to])
            PutOption(data, id, option);
        PutOption(data, 0, [.. Bytes(next, 8)]);
        return [.. data];
    }

    private void PutBuffer(List<byte> file, string name, string clock, byte[][] cpus)
    {
        var option = new List<byte>(Bytes((ulong)file.Count, 8));
        Text(option, name);
        Text(option, clock);
        Put(option, PageBytes, 4);
        Put(option, (ulong)cpus.Length, 4);
        Section(file, 3, [], isPacked: false);
        if (compression != "none")
            file[^14] = file[^13] = 1;
        for (int cpu = 0; cpu < cpus.Length; cpu++)
        {
            file.AddRange(new byte[-file.Count & (PageBytes - 1)]);
            byte[] data = cpus[cpu];
            if (compression != "none" && data.Length > 0)
                data = [.. Bytes((ulong)(data.Length / PageBytes), 4), .. data.Chunk(PageBytes).SelectMany(Packed)];
            Put(option, (ulong)cpu, 4);
            Put(option, (ulong)file.Count, 8);
            Put(option, (ulong)data.Length, 8);
            file.AddRange(data);
        }
        Option(3, [.. option]);
    }

    private void Section(List<byte> file, ushort id, byte[] data, bool isPacked)
    {
        Put(file, id, 2);
        Put(file, isPacked ? 1u : 0, 2);
        Put(file, 0, 4);
        byte[] stored = isPacked ? [.. Packed(data)] : data;
        Put(file, (ulong)stored.Length, 8);
        file.AddRange(stored);
    }

    private IEnumerable<byte> Packed(byte[] data)
    {
        byte[] packed;
        if (compression == "zlib")
        {
            var stream = new MemoryStream();
            using (var zlib = new System.IO.Compression.ZLibStream(stream, System.IO.Compression.CompressionLevel.Fastest))
                zlib.Write(data);
            packed = stream.ToArray();
        }
        else
        {
            using var zstd = new ZstdSharp.Compressor();
            packed = zstd.Wrap(data).ToArray();
        }
        return [.. Bytes((ulong)packed.Length, 4), .. Bytes((ulong)data.Length, 4), .. packed];
    }

    private byte[] HeaderInfo()
    {
        var section = new List<byte>();
        Text(section, "header_page");
        Sized(section, $"\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n\tfield: local_t commit;\toffset:8;\tsize:{longBytes};\tsigned:1;\n"
            + $"\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n\tfield: char data;\toffset:{8 + longBytes};\tsize:4080;\tsigned:0;\n");
        Text(section, "header_event");
        Sized(section, "# compressed entry header\n");
        return [.. section];
    }

    private byte[] Formats()
    {
        var section = new List<byte>();
        Put(section, 0, 4);
        Put(section, 1, 4);
        Text(section, "test");
        Put(section, 2, 4);
        Sized(section, Number);
        Sized(section, Dynamic);
        return [.. section];
    }

    private List<byte> Head(uint id, int pid)
    {
        var record = new List<byte>();
        Put(record, id, 2);
        Put(record, 0, 2);
        Put(record, (uint)pid, 4);
        return record;
    }

    private void PutOption(List<byte> into, ushort id, byte[] data)
    {
        Put(into, id, 2);
        Put(into, (ulong)data.Length, 4);
        into.AddRange(data);
    }

    private void Overwrite(List<byte> file, int at, ulong value)
    {
        foreach (byte one in Bytes(value, 8))
            file[at++] = one;
    }

    private List<byte> Bytes(ulong value, int bytes)
    {
        var list = new List<byte>();
        Put(list, value, bytes);
        return list;
    }

    private void Put(List<byte> into, ulong value, int bytes) => _pages.Number(into, value, bytes);

    private void Sized(List<byte> into, string text)
    {
        Put(into, (ulong)text.Length, 8);
        into.AddRange(Encoding.ASCII.GetBytes(text));
    }

    private static void Text(List<byte> into, string text) => into.AddRange(Encoding.ASCII.GetBytes(text + "\0"));
}
