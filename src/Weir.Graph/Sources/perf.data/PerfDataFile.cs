using System.Text;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// What a perf.data says about itself.
/// <code>
///  file    magic "PERFILE2" u64 | header's size u64 | attribute's size u64 | attributes, data, types: offset u64, size u64 each | features 256 bits
///          attribute   perf_event_attr | IDs: offset u64, size u64
///          features    behind the data, for each bit that is set: offset u64, size u64
///  pipe    magic u64 | 16 u64 | records, of which some are attributes and features
///  record  type u32 | misc u16 | size u16, with these 8 bytes | data
/// </code>
/// The magic number, read as a number, tells the byte order. Source: linux, tools/perf/Documentation/perf.data-file-format.txt.
/// </summary>
internal sealed partial class PerfDataFile : IDisposable
{
    private const ulong Magic = 0x32454c4946524550;
    private const int FeatureBits = 256;
    private const int MaxAttributes = 1 << 16;

    private readonly FileStream _stream;
    private readonly FileCursor _cursor;
    private readonly List<PerfAttribute> _attributes = [];

    private PerfDataFile(string path)
    {
        Path = path;
        _stream = Open(path);
        _cursor = new FileCursor(_stream, path);
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Order of the bytes of all numbers.</summary>
    public ByteOrder ByteOrder { get; private set; }

    /// <summary>Where the records begin.</summary>
    public long DataOffset { get; private set; }

    /// <summary>Where they end; null where nobody said, as of a pipe's, or of a perf that was killed.</summary>
    public long? DataEnd { get; private set; }

    /// <summary>The events that were recorded.</summary>
    public IReadOnlyList<PerfAttribute> Attributes => _attributes;

    /// <summary>The kernel's tracepoints, or null.</summary>
    public FtraceMetadata? Tracepoints { get; private set; }

    /// <summary>Real time and the chosen clock's at one moment, in nanoseconds; null where the file does not say.</summary>
    public (ulong RealtimeNs, ulong ClockNs)? ClockPoint { get; private set; }

    /// <summary>Where the trace was made.</summary>
    public List<EnvironmentEntry> Environment { get; } = [];

    /// <summary>How sure it is that a path is a perf.data.</summary>
    public static double Recognize(string path)
    {
        var magic = RegularFile.ReadHead(path, stackalloc byte[8]);
        return magic.SequenceEqual("PERFILE2"u8) || magic.SequenceEqual("2ELIFREP"u8) ? 1 : 0;
    }

    /// <summary>Reads everything but the records.</summary>
    /// <exception cref="TraceReadException">The file is no perf.data, or a bad one.</exception>
    public static PerfDataFile Read(string path)
    {
        var file = new PerfDataFile(path);
        try
        {
            file.ReadHeader();
            return file;
        }
        catch (Exception e) when (e is IOException)
        {
            file.Dispose();
            throw new TraceReadException(path, -1, "this file cannot be read", e);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Opens a file for reading.</summary>
    public static FileStream Open(string path) => RegularFile.Open(path, 256 << 10);

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();

    private void ReadHeader()
    {
        ulong magic = _cursor.ReadUInt64();
        if (magic != Magic && magic != System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(Magic))
            throw new TraceReadException(Path, 0, "this is no perf.data: expected the magic 'PERFILE2'");
        ByteOrder = _cursor.ByteOrder = magic == Magic ? ByteOrder.LittleEndian : ByteOrder.BigEndian;
        ulong headerBytes = _cursor.ReadUInt64();
        if (headerBytes == 16)
            ReadPipe();
        else
            ReadSections(headerBytes);
        if (_attributes.Count == 0)
            throw _cursor.Fail("the file says of no event that it was recorded");
        NameEvents();
    }

    private void ReadSections(ulong headerBytes)
    {
        if (headerBytes < 104)
            throw _cursor.Fail($"a header of {headerBytes} bytes is not known: expected 16 or 104");
        ulong attributeBytes = _cursor.ReadUInt64();
        var (attributesOffset, attributesBytes) = ReadSection();
        var (dataOffset, dataBytes) = ReadSection();
        ReadSection();
        byte[] features = new byte[FeatureBits / 8];
        for (int i = 0; i < FeatureBits / 64; i++)
            BitConverter.TryWriteBytes(features.AsSpan(i * 8), _cursor.ReadUInt64());
        if (attributeBytes is < 80 or > 4096)
            throw _cursor.Fail($"attributes of {attributeBytes} bytes are not known");
        if (attributesBytes / attributeBytes > MaxAttributes)
            throw _cursor.Fail($"{attributesBytes / attributeBytes} events are more than {MaxAttributes}");
        for (ulong i = 0; i < attributesBytes / attributeBytes; i++)
        {
            _cursor.Position = (long)(attributesOffset + (i * attributeBytes));
            var attribute = PerfAttribute.Read(_cursor, (uint)attributeBytes - 16);
            var (idsOffset, idsBytes) = ReadSection();
            _cursor.Position = (long)idsOffset;
            ReadIds(attribute, idsBytes / 8);
            _attributes.Add(attribute);
        }
        DataOffset = (long)Math.Min(dataOffset, long.MaxValue / 2);
        if (dataBytes == 0)
            return;
        DataEnd = DataOffset + (long)Math.Min(dataBytes, long.MaxValue / 2);
        // What stands behind data that the file does not have is not there either; the error comes where the data ends.
        if (DataEnd <= _stream.Length)
            ReadFeatures(features);
    }

    private void ReadFeatures(byte[] features)
    {
        long table = DataEnd!.Value;
        for (int feature = 0; feature < FeatureBits; feature++)
        {
            if ((features[feature / 8] >> (feature % 8) & 1) == 0)
                continue;
            _cursor.Position = table;
            var (offset, bytes) = ReadSection();
            table += 16;
            if (!IsWanted(feature))
                continue;
            _cursor.Position = (long)offset;
            ReadFeature(feature, new FileCursor(_cursor.ReadBytes(bytes), Path, (long)offset, ByteOrder));
        }
    }

    private (ulong Offset, ulong Bytes) ReadSection() => (_cursor.ReadUInt64(), _cursor.ReadUInt64());

    private void ReadIds(PerfAttribute attribute, ulong count)
    {
        if (count > (ulong)_cursor.Remaining / 8)
            throw _cursor.Fail($"the file has no room for {count} IDs");
        for (ulong i = 0; i < count; i++)
            attribute.Ids.Add(_cursor.ReadUInt64());
    }

    private void NameEvents()
    {
        foreach (var attribute in _attributes)
        {
            if (attribute.Name is null && attribute.Type == PerfAttribute.TracepointType && FindFormat(attribute) is var (system, format))
                attribute.Name = $"{system}:{format.Name}";
        }
    }

    /// <summary>The description of a tracepoint's records, or null.</summary>
    public (string System, FtraceFormat Format)? FindFormat(PerfAttribute attribute) =>
        attribute.Type == PerfAttribute.TracepointType && attribute.Config <= int.MaxValue
            && Tracepoints?.Formats.TryGetValue((int)attribute.Config, out var found) == true ? found : null;
}
