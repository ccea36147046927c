using System.Text;

namespace Weir.Tests.Graph;

/// <summary>Writes <c>.nettrace</c> files of version 6, which no program here can record.</summary>
internal sealed class NettraceBuilder
{
    private readonly List<byte> _file = [];

    /// <summary>
    /// A file with all of the format: three events of two threads that lie out of order, and a fourth; two events lost before one, three
    /// more at the end.
    /// </summary>
    public static byte[] CreateVersion6()
    {
        var builder = new NettraceBuilder();
        builder.Add([.. "Nettrace"u8]);
        builder.Add(Bytes(0, 6, 0));
        builder.AddBlock(1, [.. Shorts(2024, 5, 1, 6, 7, 8, 9, 10), .. Longs(1000, 10_000_000), .. Bytes(8, 1), .. Text("HardwareThreadCount"), .. Text("4")]);
        builder.AddBlock(3, [0, 0, .. Sized(Metadata())]);
        builder.AddBlock(6, [.. Sized([1, 1, .. Text("main"), 2, .. Var(77), 3, .. Var(4711)]), .. Sized([2, 2, .. Var(78), 3, .. Var(4712), 4, .. Text("k"), .. Text("v")])]);
        builder.AddBlock(8, [.. Bytes(1, 1), 1, .. new Guid(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11).ToByteArray(), 3, .. Enumerable.Range(0, 16).Select(i => (byte)i), 0x86, .. Text("key"), .. Var(9)]);
        builder.AddBlock(5, [.. Bytes(1, 1, 16), .. Longs(4096, 8192)]);
        byte[] payload = Payload();
        // Flags: 1 kind, 2 thread and number, 4 thread, 8 stack, 16 labels, 64 sorted, 128 payload's length.
        builder.AddBlock(2, [.. EventHeader(), 0xff & ~32, 1, 0, 1, 3, 1, 1, .. Var(2000), 1, .. Var(payload.Length), .. payload, 2 | 4, 2, 1, 3, 1, .. Var(500), .. payload]);
        builder.AddBlock(2, [.. EventHeader(), 1 | 2 | 4 | 128, 1, 0, 2, 0, 2, .. Var(2100), .. Var(payload.Length), .. payload]);
        builder.AddBlock(4, [.. Longs(3000), .. Bytes(0, 2), .. Var(1), .. Var(4), .. Var(2), .. Var(4)]);
        builder.AddBlock(2, [.. EventHeader(), 1 | 2 | 4 | 128, 1, 4, 2, 0, 2, .. Var(4000), .. Var(payload.Length), .. payload]);
        builder.AddBlock(99, [1, 2, 3]);
        builder.AddBlock(0, []);
        return [.. builder._file];
    }

    /// <summary>A file whose provider sends its manifest, in two pieces and after the first event that it declares.</summary>
    public static byte[] CreateWithManifest(string manifest)
    {
        var builder = new NettraceBuilder();
        builder.Add([.. "Nettrace"u8, .. Bytes(0, 6, 0)]);
        builder.AddBlock(1, [.. Shorts(2024, 5, 1, 6, 7, 8, 9, 10), .. Longs(1000, 1_000_000_000), .. Bytes(8, 0)]);
        builder.AddBlock(3, [0, 0, .. Sized([1, .. Text("Weir-Old"), .. Var(0xfffe), .. Text("ManifestData"), 0, 0, 0, 0]), .. Sized([2, .. Text("Weir-Old"), .. Var(5), .. Text(""), 0, 0, 0, 0])]);
        builder.AddBlock(6, Sized([1, 3, .. Var(4711)]));
        byte[] payload = [.. Bytes(42), .. Encoding.Unicode.GetBytes("text\0")];
        byte[] xml = Encoding.UTF8.GetBytes(manifest);
        byte[] first = [1, 0, 0, 0x5b, 2, 0, 0, 0, .. xml[..10]];
        byte[] second = [1, 0, 0, 0x5b, 2, 0, 1, 0, .. xml[10..]];
        byte[] events = [];
        foreach (var (kind, bytes) in new[] { (2, payload), (1, first), (1, second) })
            events = [.. events, 1 | 2 | 4 | 64 | 128, (byte)kind, 0, 1, 0, 1, .. Var(10), .. Var(bytes.Length), .. bytes];
        builder.AddBlock(2, [.. EventHeader(), .. events]);
        builder.AddBlock(0, []);
        return [.. builder._file];
    }

    private static byte[] EventHeader() => [.. Shorts(20, 1), .. Longs(0, 0)];

    private static byte[] Metadata() =>
    [
        1, .. Text("Weir-Tests-Six"), .. Var(7), .. Text("ThingStart"),
        8, 0,
        .. Sized([.. Text("signed"), 20]),
        .. Sized([.. Text("unsigned"), 21]),
        .. Sized([.. Text("fixed"), 22, 6, 2, 0]),
        .. Sized([.. Text("relative"), 24, 23]),
        .. Sized([.. Text("data"), 25, 8]),
        .. Sized([.. Text("text"), 18]),
        .. Sized([.. Text("object"), 1, 2, 0, .. Sized([.. Text("a"), 9]), .. Sized([.. Text("b"), 19, 11])]),
        .. Sized([.. Text("flag"), 3]),
        .. Sized([8, 4, 9, 2]),
    ];

    private static byte[] Payload()
    {
        byte[] start = [.. Var(5), .. Var(300), 7, 8];
        byte[] end = [.. Encoding.Unicode.GetBytes("wide\0"), .. Bytes(9), .. Shorts(1), .. Longs(5), .. Bytes(1)];
        int tail = start.Length + 8 + end.Length;
        return [.. start, .. Shorts(tail - start.Length - 4, 4), .. Shorts(tail + 4, 6), .. end, .. "utf8"u8, .. Shorts(1, 2, 3)];
    }

    private static byte[] Bytes(params int[] values) => [.. values.SelectMany(BitConverter.GetBytes)];

    private static byte[] Shorts(params int[] values) => [.. values.SelectMany(value => BitConverter.GetBytes((short)value))];

    private static byte[] Longs(params long[] values) => [.. values.SelectMany(BitConverter.GetBytes)];

    private static byte[] Sized(byte[] bytes) => [.. Shorts(bytes.Length), .. bytes];

    private static byte[] Text(string text) => [.. Var(text.Length), .. Encoding.UTF8.GetBytes(text)];

    private static byte[] Var(int value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7)
            bytes.Add((byte)(value | 0x80));
        return [.. bytes, (byte)value];
    }

    private void Add(byte[] bytes) => _file.AddRange(bytes);

    private void AddBlock(int kind, byte[] bytes)
    {
        Add(Bytes(bytes.Length | kind << 24));
        Add(bytes);
    }
}
