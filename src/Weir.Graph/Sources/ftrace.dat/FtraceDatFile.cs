using System.Text;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>One CPU's pages in the file.</summary>
/// <param name="Cpu">The CPU.</param>
/// <param name="OffsetBytes">Where they begin.</param>
/// <param name="LengthBytes">How many bytes of the file they take.</param>
/// <param name="IsPacked">Whether they are packed in pieces.</param>
internal sealed record FtraceDatPages(int Cpu, long OffsetBytes, long LengthBytes, bool IsPacked);

/// <summary>A buffer of the kernel's: the top one, without a name, or an instance.</summary>
/// <param name="Name">The instance's name.</param>
/// <param name="Clock">The trace clock's name.</param>
/// <param name="PageBytes">Size of its pages.</param>
/// <param name="Cpus">Its CPUs.</param>
internal sealed record FtraceDatBuffer(string Name, string Clock, int PageBytes, IReadOnlyList<FtraceDatPages> Cpus);

/// <summary>
/// What a trace.dat says about itself. Version 6 is one section after the other, version 7 options that say where the sections are.
/// <code>
///  17 08 44 "tracing" | version "6\0" or "7\0" | byte order u8 | long u8 | page u32
///   6   header_page, header_event, formats, kallsyms, printk, cmdlines | CPUs u32 | "options  \0" options | "flyrecord\0" offset u64, size u64 for each CPU
///   7   compression "name\0version\0" | offset of options u64
///       section   id u16 | flags u16 (1: packed) | name u32 | size u64 | data; packed: packed size u32 | size u32 | packed data
///       pages     of a section that is packed: pieces u32 | for each: packed size u32 | size u32 | packed data
///  option   id u16 | size u32 | data; ends with id 0, in version 7 with the offset u64 of more options, or 0
/// </code>
/// Source: trace-cmd, Documentation/trace-cmd/trace-cmd.dat.v6.5.txt and trace-cmd.dat.v7.5.txt.
/// </summary>
internal sealed partial class FtraceDatFile : IDisposable
{
    private const ushort PackedFlag = 1;
    private const int MaxOptionBytes = 256 << 20;
    private const string Magic = "\u0017\u0008\u0044tracing";

    private readonly FileStream _stream;
    private readonly FileCursor _cursor;
    private readonly List<FtraceDatBuffer> _buffers = [];
    private FtraceDatCompression _compression = new("none");

    private FtraceDatFile(string path)
    {
        Path = path;
        _stream = Open(path);
        _cursor = new FileCursor(_stream, path);
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>6 or 7.</summary>
    public int Version { get; private set; }

    /// <summary>Layouts and formats.</summary>
    public FtraceMetadata Metadata { get; private set; } = null!;

    /// <summary>Its compression's name; <c>none</c> for none.</summary>
    public string Compression { get; private set; } = "none";

    /// <summary>How times become nanoseconds.</summary>
    public FtraceDatClock Clock { get; } = new();

    /// <summary>The buffers, the top one first.</summary>
    public IReadOnlyList<FtraceDatBuffer> Buffers => _buffers;

    /// <summary>What else the options say: <c>uname</c>, trace-cmd's version, the trace's ID, statistics of CPUs.</summary>
    public List<EnvironmentEntry> Environment { get; } = [];

    /// <summary>How sure it is that a path is a trace.dat.</summary>
    public static double Recognize(string path) =>
        Encoding.Latin1.GetString(RegularFile.ReadHead(path, stackalloc byte[Magic.Length])) == Magic ? 1 : 0;

    /// <summary>Reads everything but the pages.</summary>
    /// <exception cref="TraceReadException">The file is no trace.dat, or a bad one.</exception>
    public static FtraceDatFile Read(string path)
    {
        var file = new FtraceDatFile(path);
        try
        {
            file.ReadMetadata();
            return file;
        }
        catch (Exception e) when (e is IOException or EndOfStreamException)
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

    /// <summary>A reader of its own, which stands at an offset.</summary>
    public FileCursor OpenAt(long offset) => new(Open(Path), Path) { ByteOrder = Metadata.ByteOrder, Position = offset };

    /// <inheritdoc/>
    public void Dispose()
    {
        _stream.Dispose();
        _compression.Dispose();
    }

    private static FileStream Open(string path) => RegularFile.Open(path, 64 << 10);

    private void ReadMetadata()
    {
        if (_cursor.Remaining < Magic.Length || Encoding.Latin1.GetString(_cursor.ReadBytes((ulong)Magic.Length)) != Magic)
            throw new TraceReadException(Path, 0, "this is no trace.dat: expected the bytes 17 08 44 and 'tracing'");
        string version = _cursor.ReadText(16);
        Version = version switch
        {
            "6" => 6,
            "7" => 7,
            _ => throw _cursor.Fail($"version '{version}' of trace.dat is not known: expected 6 or 7"),
        };
        Metadata = FtraceMetadata.Create(_cursor, out int pageBytes);
        if (Version == 6)
            ReadVersion6(pageBytes);
        else
            ReadVersion7(pageBytes);
        if (Metadata.Page is null)
            throw _cursor.Fail("nothing says where things lie in a page: expected the section 'header_page'");
        // The top buffer is the one that everybody means.
        _buffers.Sort((left, right) => string.CompareOrdinal(left.Name, right.Name));
    }

    private void ReadVersion6(int pageBytes)
    {
        Metadata.ReadAll(_cursor);
        FtraceMetadata.ReadCommandLines(_cursor);
        uint cpus = _cursor.ReadUInt32();
        var instances = new List<(long Offset, string Name)>();
        string clock = "local";
        string kind = _cursor.ReadText(10);
        if (kind.StartsWith("options", StringComparison.Ordinal))
        {
            for (ushort id = _cursor.ReadUInt16(); id != (ushort)FtraceDatOption.Done; id = _cursor.ReadUInt16())
            {
                var option = ReadOption();
                switch ((FtraceDatOption)id)
                {
                    case FtraceDatOption.Buffer:
                        instances.Add(((long)option.ReadUInt64(), option.ReadText()));
                        break;
                    case FtraceDatOption.TraceClock:
                        clock = ChosenClock(RestOf(option)) ?? clock;
                        break;
                    case FtraceDatOption.CpuCount when option.Remaining >= 4:
                        cpus = option.ReadUInt32();
                        break;
                    default:
                        ReadGeneralOption((FtraceDatOption)id, option);
                        break;
                }
            }
            kind = _cursor.ReadText(10);
        }
        ReadVersion6Cpus("", clock, pageBytes, cpus, kind);
        foreach (var (offset, name) in instances)
        {
            _cursor.Position = offset;
            ReadVersion6Cpus(name, clock, pageBytes, cpus, _cursor.ReadText(10));
        }
    }

    private void ReadVersion6Cpus(string name, string clock, int pageBytes, uint cpus, string kind)
    {
        if (kind.StartsWith("latency", StringComparison.Ordinal))
            throw _cursor.Fail("this is a latency trace, which has text and no events");
        if (kind != "flyrecord")
            throw _cursor.Fail($"expected 'flyrecord', found '{kind}'");
        if (cpus > _cursor.Remaining / 16)
            throw _cursor.Fail($"the file has no room for the pages of {cpus} CPUs");
        var pages = new List<FtraceDatPages>();
        for (int cpu = 0; cpu < cpus; cpu++)
            AddPages(pages, cpu, isPacked: false);
        _buffers.Add(new FtraceDatBuffer(name, clock, pageBytes, pages));
    }

    private void AddPages(List<FtraceDatPages> pages, int cpu, bool isPacked) => AddPages(pages, cpu, _cursor.ReadUInt64(), _cursor.ReadUInt64(), isPacked);

    private static void AddPages(List<FtraceDatPages> pages, int cpu, ulong offset, ulong length, bool isPacked)
    {
        // What the file does not have fails when it is read: the CPUs before give their events first.
        if (length > 0)
            pages.Add(new FtraceDatPages(cpu, (long)Math.Min(offset, long.MaxValue / 2), (long)Math.Min(length, long.MaxValue / 2), isPacked));
    }
}
