using System.Buffers.Binary;
using Weir.Ctf;
using Weir.Tests.Ctf;

namespace Weir.Tests.Graph;

/// <summary>A trace of LTTng's layout with random packets, losses and gaps, in a directory that goes with it.</summary>
internal sealed class RandomTrace : IDisposable
{
    /// <summary>Nanoseconds from the Epoch to the clock's zero.</summary>
    public const long OriginNs = 1_700_000_000_000_000_005;

    private RandomTrace(string directory) => Directory = directory;

    public string Directory { get; }

    /// <summary>Clock value behind the last event.</summary>
    public ulong EndTime { get; private set; }

    /// <summary>For each file, where its packets begin.</summary>
    public List<List<int>> Packets { get; } = [];

    public static RandomTrace Create(Random random, int streams, int packets, int events)
    {
        var builder = new LttngTraceBuilder();
        var files = new List<byte[]>();
        var trace = new RandomTrace(LttngTraceBuilder.NewDirectory());
        for (int stream = 0; stream < streams; stream++)
        {
            var file = new List<byte>();
            var begins = new List<int>();
            ulong time = 100 + (ulong)random.Next(50);
            ulong discarded = 0;
            for (int i = 0; i < packets; i++)
            {
                ulong begin = time;
                var list = new List<(ulong, int, long)>();
                for (int n = random.Next(events + 1); n > 0; n--)
                    list.Add((time += (ulong)random.Next(20), random.Next(2), random.Next(100_000)));
                time += (ulong)random.Next(5);
                if (random.Next(6) == 0)
                    builder.Packet(0, 0, 0, 0, 0);
                byte[] packet = builder.Packet((ulong)stream, (uint)stream, begin, time, 8 * random.Next(3), [.. list]);
                if (random.Next(6) == 0)
                    discarded += (ulong)random.Next(1, 9);
                BinaryPrimitives.WriteUInt64LittleEndian(packet.AsSpan(LttngLayout.PacketHeaderBytes + 40), discarded);
                begins.Add(file.Count);
                file.AddRange(packet);
                time += random.Next(3) == 0 ? (ulong)random.Next(200) : 0;
            }
            files.Add([.. file]);
            trace.Packets.Add(begins);
            trace.EndTime = Math.Max(trace.EndTime, time);
        }
        builder.WriteTo(trace.Directory, [.. files]);
        return trace;
    }

    public string FilePath(int file) => Path.Combine(Directory, $"stream_{file}");

    public string IndexPath(int file) => Path.Combine(Directory, "index", $"stream_{file}.idx");

    /// <summary>Writes the index that LTTng would have written.</summary>
    public void WriteIndex(int file)
    {
        System.IO.Directory.CreateDirectory(Path.Combine(Directory, "index"));
        byte[] bytes = File.ReadAllBytes(FilePath(file));
        var index = new byte[16 + (72 * Packets[file].Count)];
        BinaryPrimitives.WriteUInt32BigEndian(index, 0xC1F1DCC1);
        BinaryPrimitives.WriteUInt32BigEndian(index.AsSpan(4), 1);
        BinaryPrimitives.WriteUInt32BigEndian(index.AsSpan(8), 1);
        BinaryPrimitives.WriteUInt32BigEndian(index.AsSpan(12), 72);
        for (int i = 0; i < Packets[file].Count; i++)
        {
            var context = bytes.AsSpan(Packets[file][i] + LttngLayout.PacketHeaderBytes);
            ulong[] values = [(ulong)Packets[file][i], Word(context, 24), Word(context, 16), Word(context, 0), Word(context, 8), Word(context, 40), 0, (ulong)file, Word(context, 32)];
            for (int j = 0; j < values.Length; j++)
                BinaryPrimitives.WriteUInt64BigEndian(index.AsSpan(16 + (72 * i) + (8 * j)), values[j]);
        }
        File.WriteAllBytes(IndexPath(file), index);
    }

    public void Dispose() => System.IO.Directory.Delete(Directory, recursive: true);

    private static ulong Word(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[offset..]);
}
