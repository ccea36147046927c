using System.Globalization;
using System.Text;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// What trace-cmd and perf keep of tracefs beside the events: the layouts of pages and events, names of processes. Both write the same
/// sections in the same way. Source: trace-cmd, Documentation/trace-cmd/trace-cmd.dat.v6.5.txt.
/// </summary>
internal sealed class FtraceMetadata
{
    private readonly Dictionary<int, (string System, FtraceFormat Format)> _formats = [];

    /// <summary>Order of the bytes of all numbers.</summary>
    public required ByteOrder ByteOrder { get; init; }

    /// <summary>Size of the kernel's <c>long</c>: 4 or 8.</summary>
    public int LongBytes { get; private set; }

    /// <summary>Where things lie in a page; null until that section was read.</summary>
    public FtracePageLayout? Page { get; private set; }

    /// <summary>The events by ID, with their systems' names.</summary>
    public IReadOnlyDictionary<int, (string System, FtraceFormat Format)> Formats => _formats;

    /// <summary>Begins with what a file's first bytes say.</summary>
    public static FtraceMetadata Create(FileCursor cursor, out int pageBytes)
    {
        byte order = cursor.ReadByte();
        if (order > 1)
            throw cursor.Fail($"the byte order {order} is not known: expected 0 (little-endian) or 1 (big-endian)");
        cursor.ByteOrder = order == 1 ? ByteOrder.BigEndian : ByteOrder.LittleEndian;
        byte longBytes = cursor.ReadByte();
        if (longBytes is not (4 or 8))
            throw cursor.Fail($"a 'long' of {longBytes} bytes is not known: expected 4 or 8");
        uint page = cursor.ReadUInt32();
        pageBytes = page is >= 512 and <= 64 << 20 ? (int)page : throw cursor.Fail($"a page of {page} bytes is not known");
        return new FtraceMetadata { ByteOrder = cursor.ByteOrder, LongBytes = longBytes };
    }

    /// <summary>The layouts of pages and of what an event begins with.</summary>
    public void ReadHeaderInfo(FileCursor cursor)
    {
        Expect(cursor, "header_page");
        string text = ReadSized(cursor);
        try
        {
            Page = FtracePageLayout.Parse(text, ByteOrder, LongBytes);
            // The page's commit is a long of the kernel's; what the file said before is the user's, who may have a 32-bit machine's.
            LongBytes = Page.CommitBytes;
        }
        catch (CtfException e) when (e is not TraceReadException)
        {
            throw cursor.Fail("the description of pages is bad", e);
        }
        Expect(cursor, "header_event");
        // The layout of what every event begins with has always been the same.
        ReadSized(cursor);
    }

    /// <summary>The events of ftrace itself.</summary>
    public void ReadFtraceFormats(FileCursor cursor) => ReadFormats(cursor, "ftrace");

    /// <summary>All other events.</summary>
    public void ReadEventFormats(FileCursor cursor)
    {
        uint systems = cursor.ReadUInt32();
        for (uint i = 0; i < systems; i++)
            ReadFormats(cursor, cursor.ReadText());
    }

    /// <summary>Passes over a text whose length stands before it in 4 bytes: kallsyms, formats of trace_printk.</summary>
    public static void SkipSized32(FileCursor cursor) => cursor.Skip(cursor.ReadUInt32());

    /// <summary>Names of processes, a line <c>PID NAME</c> each.</summary>
    public static Dictionary<int, string> ReadCommandLines(FileCursor cursor)
    {
        var names = new Dictionary<int, string>();
        foreach (var line in ReadSized(cursor).AsSpan().EnumerateLines())
        {
            int space = line.IndexOf(' ');
            if (space > 0 && int.TryParse(line[..space], NumberStyles.None, CultureInfo.InvariantCulture, out int pid))
                names[pid] = line[(space + 1)..].ToString();
        }
        return names;
    }

    /// <summary>All sections in the order of files without a table of sections.</summary>
    public void ReadAll(FileCursor cursor)
    {
        ReadHeaderInfo(cursor);
        ReadFtraceFormats(cursor);
        ReadEventFormats(cursor);
        SkipSized32(cursor);
        SkipSized32(cursor);
    }

    /// <summary>The description of a shared field, which is the same in all events; null where there is no event.</summary>
    public FtraceField? FindShared(string name)
    {
        foreach (var (_, format) in _formats.Values)
        {
            if (format.FindShared(name) is { } field)
                return field;
        }
        return null;
    }

    private static string ReadSized(FileCursor cursor) => Encoding.UTF8.GetString(cursor.ReadBytes(cursor.ReadUInt64())).TrimEnd('\0');

    private static void Expect(FileCursor cursor, string name)
    {
        string found = cursor.ReadText(32);
        if (found != name)
            throw cursor.Fail($"expected the section '{name}', found '{found}'");
    }

    private void ReadFormats(FileCursor cursor, string system)
    {
        uint count = cursor.ReadUInt32();
        for (uint i = 0; i < count; i++)
        {
            string text = ReadSized(cursor);
            try
            {
                var format = FormatParser.Parse(text, LongBytes);
                _formats.TryAdd(format.Id, (system, format));
            }
            catch (CtfException e) when (e is not TraceReadException)
            {
                throw cursor.Fail($"the format of an event of '{system}' is bad", e);
            }
        }
    }
}
