using System.Text;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>IDs of options, and of the sections that they are about.</summary>
internal enum FtraceDatOption : ushort
{
    Done = 0,
    Date = 1,
    CpuStat = 2,
    Buffer = 3,
    TraceClock = 4,
    Uname = 5,
    Hook = 6,
    Offset = 7,
    CpuCount = 8,
    Version = 9,
    ProcMaps = 10,
    TraceId = 11,
    TimeShift = 12,
    Guest = 13,
    Tsc2Nsec = 14,
    HeaderInfo = 16,
    FtraceEvents = 17,
    EventFormats = 18,
    KernelSymbols = 19,
    Printk = 20,
    CommandLines = 21,
    BufferText = 22,
}

/// <content>Version 7's options and sections, and the options that both versions have.</content>
internal sealed partial class FtraceDatFile
{
    private readonly Dictionary<FtraceDatOption, long> _sections = [];
    private readonly HashSet<long> _optionOffsets = [];

    private void ReadVersion7(int pageBytes)
    {
        Compression = _cursor.ReadText(64);
        string version = _cursor.ReadText(64);
        _compression.Dispose();
        _compression = new FtraceDatCompression(Compression);
        if (!_compression.IsKnown)
            throw _cursor.Fail($"the compression '{Compression}' (version '{version}') is not known: expected zstd, zlib or none");
        long optionsOffset = (long)_cursor.ReadUInt64();
        var buffers = new List<FileCursor>();
        string clock = "local";
        while (optionsOffset != 0)
        {
            // Each section of options leads to the next, and one that was read before to no end.
            if (!_optionOffsets.Add(optionsOffset))
                throw _cursor.Fail($"the options at byte {optionsOffset} lead back to themselves");
            optionsOffset = ReadOptions(OpenSection(FtraceDatOption.Done, optionsOffset), buffers, ref clock);
        }
        if (Section(FtraceDatOption.HeaderInfo) is { } header)
            Metadata.ReadHeaderInfo(header);
        if (Section(FtraceDatOption.FtraceEvents) is { } ftrace)
            Metadata.ReadFtraceFormats(ftrace);
        if (Section(FtraceDatOption.EventFormats) is { } events)
            Metadata.ReadEventFormats(events);
        foreach (var buffer in buffers)
            ReadBuffer(buffer, clock, pageBytes);
    }

    /// <summary>Reads options; returns the offset of more, or 0.</summary>
    private long ReadOptions(FileCursor options, List<FileCursor> buffers, ref string clock)
    {
        while (options.Remaining > 0)
        {
            var id = (FtraceDatOption)options.ReadUInt16();
            var option = ReadOption(options);
            switch (id)
            {
                case FtraceDatOption.Done:
                    return option.Remaining >= 8 ? (long)option.ReadUInt64() : 0;
                case FtraceDatOption.Buffer:
                    buffers.Add(option);
                    break;
                case FtraceDatOption.TraceClock:
                    clock = ChosenClock(RestOf(option)) ?? clock;
                    break;
                case FtraceDatOption.BufferText:
                    throw options.Fail("this is a latency trace, which has text and no events");
                case >= FtraceDatOption.HeaderInfo and <= FtraceDatOption.CommandLines:
                    _sections[id] = (long)option.ReadUInt64();
                    break;
                default:
                    ReadGeneralOption(id, option);
                    break;
            }
        }
        return 0;
    }

    private FileCursor ReadOption() => ReadOption(_cursor);

    private FileCursor ReadOption(FileCursor from)
    {
        uint size = from.ReadUInt32();
        if (size > MaxOptionBytes)
            throw from.Fail($"an option of {size} bytes is too long");
        long position = from.Position;
        return new FileCursor(from.ReadBytes(size), Path, position, Metadata.ByteOrder);
    }

    private void ReadGeneralOption(FtraceDatOption id, FileCursor option)
    {
        switch (id)
        {
            case FtraceDatOption.Date:
                Clock.AddDate(option.ReadBytes((ulong)option.Remaining));
                break;
            case FtraceDatOption.Offset:
                Clock.AddOffset(option.ReadBytes((ulong)option.Remaining));
                break;
            case FtraceDatOption.Tsc2Nsec when option.Remaining >= 16:
                Clock.SetScale(option);
                break;
            case FtraceDatOption.TimeShift when option.Remaining >= 16:
                Clock.SetCorrections(option);
                break;
            case FtraceDatOption.Uname:
                AddUname(RestOf(option));
                break;
            case FtraceDatOption.Version:
                string version = RestOf(option);
                Clock.SetSession(version);
                Environment.Add(new EnvironmentEntry("tracer_version", version));
                break;
            case FtraceDatOption.TraceId when option.Remaining >= 8:
                Environment.Add(new EnvironmentEntry("trace_id", (long)option.ReadUInt64()));
                break;
        }
    }

    /// <summary><c>Linux HOST RELEASE MACHINE</c></summary>
    private void AddUname(string uname)
    {
        string[] words = uname.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length < 4)
            return;
        Environment.Add(new EnvironmentEntry("sysname", words[0]));
        Environment.Add(new EnvironmentEntry("hostname", words[1]));
        Environment.Add(new EnvironmentEntry("kernel_release", words[2]));
        Environment.Add(new EnvironmentEntry("machine", words[^1]));
    }

    private void ReadBuffer(FileCursor option, string topClock, int pageBytes)
    {
        long offset = (long)option.ReadUInt64();
        string name = option.ReadText();
        string clock = option.ReadText();
        uint bufferPageBytes = option.ReadUInt32();
        uint cpus = option.ReadUInt32();
        if (bufferPageBytes is < 512 or > 64 << 20)
            bufferPageBytes = (uint)pageBytes;
        if (cpus > option.Remaining / 20)
            throw option.Fail($"the option has no room for {cpus} CPUs");
        bool isPacked = (ReadSectionHeader(FtraceDatOption.Buffer, offset, out _) & PackedFlag) != 0;
        var pages = new List<FtraceDatPages>();
        for (uint i = 0; i < cpus; i++)
        {
            uint cpu = option.ReadUInt32();
            AddPages(pages, (int)Math.Min(cpu, int.MaxValue), option.ReadUInt64(), option.ReadUInt64(), isPacked);
        }
        _buffers.Add(new FtraceDatBuffer(name, clock.Length > 0 ? clock : topClock, (int)bufferPageBytes, pages));
    }

    private FileCursor? Section(FtraceDatOption id) => _sections.TryGetValue(id, out long offset) ? OpenSection(id, offset) : null;

    private FileCursor OpenSection(FtraceDatOption id, long offset)
    {
        ushort flags = ReadSectionHeader(id, offset, out ulong size);
        long position = _cursor.Position;
        byte[] bytes = (flags & PackedFlag) == 0 ? _cursor.ReadBytes(size) : _compression.ReadPiece(_cursor);
        return new FileCursor(bytes, Path, position, Metadata.ByteOrder);
    }

    private ushort ReadSectionHeader(FtraceDatOption id, long offset, out ulong size)
    {
        _cursor.Position = offset;
        ushort found = _cursor.ReadUInt16();
        if (found != (ushort)id)
            throw _cursor.Fail($"expected the section {(int)id} ({id}) here, found {found}");
        ushort flags = _cursor.ReadUInt16();
        _cursor.Skip(4);
        size = _cursor.ReadUInt64();
        return flags;
    }

    /// <summary>What is left of an option, as text without the zero that ends it.</summary>
    private static string RestOf(FileCursor option) => Encoding.UTF8.GetString(option.ReadBytes((ulong)option.Remaining)).TrimEnd('\0', '\n');

    /// <summary>Of the file <c>trace_clock</c> the clock in brackets, or null.</summary>
    private static string? ChosenClock(string clocks)
    {
        int open = clocks.IndexOf('[', StringComparison.Ordinal);
        int close = open < 0 ? -1 : clocks.IndexOf(']', open);
        return close > open + 1 ? clocks[(open + 1)..close] : null;
    }
}
