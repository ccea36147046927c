using System.Globalization;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// Parses the kernel's descriptions of its events, the files <c>events/SYSTEM/EVENT/format</c> of tracefs:
/// <code>
/// name: sched_wakeup
/// ID: 374
/// format:
///         field:unsigned short common_type;       offset:0;       size:2; signed:0;
///
///         field:char comm[16];    offset:8;       size:16;        signed:0;
///         field:__data_loc char[] filename;       offset:24;      size:4; signed:0;
///
/// print fmt: "comm=%s prio=%d", REC->comm, REC->prio
/// </code>
/// Source: linux, Documentation/trace/events.rst.
/// </summary>
public sealed class FormatParser
{
    /// <summary>Most fields of one event that anybody may want to see; the kernel's largest have some dozens.</summary>
    private const int MaxFields = 1024;

    private readonly int _longBytes;
    private readonly List<FtraceField> _shared = [];
    private readonly List<FtraceField> _fields = [];
    private string? _name;
    private int? _id;
    private string _printFormat = "";

    private FormatParser(int longBytes) => _longBytes = longBytes;

    /// <summary>Parses one description.</summary>
    /// <param name="text">The file's text.</param>
    /// <param name="longBytes">Size of the kernel's <c>long</c>: 4 or 8.</param>
    /// <exception cref="CtfException">It is none; says which line and why.</exception>
    public static FtraceFormat Parse(string text, int longBytes)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parser = new FormatParser(longBytes);
        int number = 0;
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            number++;
            if (parser.ReadLine(line.Trim()) is { } problem)
                throw new CtfException($"line {number} of the format of event '{parser._name}': {problem}");
        }
        if (parser._name is not { } name || parser._id is not { } id)
            throw new CtfException("this is no format of an event: expected lines 'name:' and 'ID:'");
        return new FtraceFormat
        {
            Name = name,
            Id = id,
            SharedFields = parser._shared,
            Fields = PrintFormatParser.Annotate(parser._fields, parser._printFormat),
            PrintFormat = parser._printFormat,
        };
    }

    /// <summary>The fields of a description that has nothing else, as <c>events/header_page</c>.</summary>
    /// <exception cref="CtfException">A line is bad.</exception>
    public static IReadOnlyList<FtraceField> ParseFields(string text, int longBytes)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parser = new FormatParser(longBytes);
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            if (parser.ReadLine(line.Trim()) is { } problem)
                throw new CtfException(problem);
        }
        return parser._fields;
    }

    private string? ReadLine(ReadOnlySpan<char> line)
    {
        if (line.StartsWith("name:"))
        {
            _name = line[5..].Trim().ToString();
        }
        else if (line.StartsWith("ID:"))
        {
            if (!int.TryParse(line[3..], NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out int id))
                return $"'{Shorten(line[3..])}' is no ID";
            _id = id;
        }
        else if (line.StartsWith("print fmt:"))
        {
            _printFormat = line[10..].Trim().ToString();
        }
        else if (line.StartsWith("field:") || line.StartsWith("field special:"))
        {
            return ReadField(line[(line.IndexOf(':') + 1)..]);
        }
        return null;
    }

    /// <summary><c>TYPE NAME; offset:N; size:N; signed:N;</c>; the last is missing in old kernels.</summary>
    private string? ReadField(ReadOnlySpan<char> line)
    {
        int end = line.IndexOf(';');
        if (end < 0)
            return "a field's declaration ends with ';'";
        int? offset = FindNumber(line[end..], "offset:");
        int? size = FindNumber(line[end..], "size:");
        if (offset is not { } offsetBytes || size is not { } sizeBytes)
            return $"expected 'offset:' and 'size:' with numbers behind '{Shorten(line[..end])}'";
        if (_fields.Count + _shared.Count >= MaxFields)
            return $"more than {MaxFields} fields";
        if (Declare(line[..end].Trim(), offsetBytes, sizeBytes, FindNumber(line[end..], "signed:") is > 0) is not { } field)
            return $"'{Shorten(line[..end])}' declares no field";
        (field.Name.StartsWith("common_", StringComparison.Ordinal) ? _shared : _fields).Add(field);
        return null;
    }

    private FtraceField? Declare(ReadOnlySpan<char> declaration, int offsetBytes, int sizeBytes, bool isSigned)
    {
        var place = sizeBytes == 0 ? FtraceFieldPlace.Tail : FtraceFieldPlace.Fixed;
        if (TakePrefix(ref declaration, "__data_loc "))
            place = FtraceFieldPlace.DataLocation;
        else if (TakePrefix(ref declaration, "__rel_loc "))
            place = FtraceFieldPlace.RelativeLocation;
        bool isDynamic = place is FtraceFieldPlace.DataLocation or FtraceFieldPlace.RelativeLocation;
        if (isDynamic && sizeBytes != sizeof(uint))
            return null;

        // "char comm[16]", "char[] name" and "unsigned long * at" are all in use.
        ReadOnlySpan<char> length = "";
        bool isArray = isDynamic || sizeBytes == 0;
        int open = declaration.IndexOf('[');
        if (open >= 0)
        {
            int close = declaration.LastIndexOf(']');
            if (close < open)
                return null;
            length = declaration[(open + 1)..close].Trim();
            isArray = true;
            declaration = $"{declaration[..open]} {declaration[(close + 1)..]}".AsSpan().Trim();
        }
        int nameStart = declaration.LastIndexOfAny(' ', '*') + 1;
        if (nameStart == 0 || nameStart == declaration.Length)
            return null;
        string type = string.Join(' ', declaration[..nameStart].ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        int elementBytes = !isArray ? sizeBytes : place == FtraceFieldPlace.Fixed ? ElementOf(type, length, sizeBytes) : SizeOf(type);
        return new FtraceField
        {
            Name = declaration[nameStart..].ToString(),
            Type = type,
            OffsetBytes = offsetBytes,
            SizeBytes = sizeBytes,
            IsSigned = isSigned,
            Place = place,
            IsArray = isArray,
            ElementBytes = elementBytes,
        };
    }

    private int ElementOf(string type, ReadOnlySpan<char> length, int sizeBytes)
    {
        if (int.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count > 0 && sizeBytes % count == 0)
            return sizeBytes / count;
        // The length is the name of a constant.
        int elementBytes = SizeOf(type);
        return sizeBytes % elementBytes == 0 ? elementBytes : 1;
    }

    private int SizeOf(string type)
    {
        if (type.EndsWith('*'))
            return _longBytes;
        ReadOnlySpan<char> word = type.AsSpan(type.LastIndexOf(' ') + 1);
        switch (word)
        {
            case "short" or "u16" or "s16" or "__u16" or "__s16" or "__be16" or "__le16" or "uint16_t" or "int16_t" or "umode_t":
                return 2;
            case "u32" or "s32" or "__u32" or "__s32" or "__be32" or "__le32" or "uint32_t" or "int32_t" or "unsigned" or "pid_t" or "gfp_t" or "dev_t":
                return 4;
            case "u64" or "s64" or "__u64" or "__s64" or "__be64" or "__le64" or "uint64_t" or "int64_t":
                return 8;
            case "size_t" or "ssize_t" or "uintptr_t" or "cpumask_t":
                return _longBytes;
            case "long":
                return type.Contains("long long", StringComparison.Ordinal) ? 8 : _longBytes;
            case "int":
                return type switch
                {
                    _ when type.Contains("long long", StringComparison.Ordinal) => 8,
                    _ when type.Contains("long", StringComparison.Ordinal) => _longBytes,
                    _ when type.Contains("short", StringComparison.Ordinal) => 2,
                    _ => 4,
                };
            default:
                return 1;
        }
    }

    private static bool TakePrefix(ref ReadOnlySpan<char> text, string prefix)
    {
        if (!text.StartsWith(prefix))
            return false;
        text = text[prefix.Length..].Trim();
        return true;
    }

    private static int? FindNumber(ReadOnlySpan<char> line, string key)
    {
        int at = line.IndexOf(key);
        if (at < 0)
            return null;
        line = line[(at + key.Length)..];
        int end = line.IndexOf(';');
        line = end < 0 ? line : line[..end];
        return int.TryParse(line.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;
    }

    private static string Shorten(ReadOnlySpan<char> text) => text.Length <= 80 ? text.Trim().ToString() : $"{text[..77]}...";
}
