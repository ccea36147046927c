using System.Globalization;
using Weir.Ctf;
using Weir.Graph;

namespace Weir.Kernel;

/// <summary>An integer's type in the trace.</summary>
/// <param name="Bytes">Its size.</param>
/// <param name="IsSigned">Whether it is two's complement.</param>
/// <param name="IsHexadecimal">Whether it is shown in base 16.</param>
internal readonly record struct IntegerType(int Bytes, bool IsSigned, bool IsHexadecimal = false)
{
    /// <summary>
    /// The field with this type: its low bytes, which lie last where the byte order is big-endian. A field that has no more bytes than the type keeps its own.
    /// </summary>
    public FtraceField ApplyTo(FtraceField field, ByteOrder byteOrder)
    {
        if (field.Place != FtraceFieldPlace.Fixed || field.IsArray)
            return field;
        int bytes = Math.Min(Bytes, field.SizeBytes);
        return field with
        {
            OffsetBytes = field.OffsetBytes + (byteOrder == ByteOrder.BigEndian ? field.SizeBytes - bytes : 0),
            SizeBytes = bytes,
            ElementBytes = bytes,
            IsSigned = IsSigned,
            IsHexadecimal = IsHexadecimal || field.IsHexadecimal,
        };
    }

    /// <summary>Parses <c>s32</c>, <c>u64x</c>.</summary>
    public static IntegerType Parse(ReadOnlySpan<char> text)
    {
        bool isHexadecimal = text.EndsWith("x");
        int bits = int.Parse(text[1..(isHexadecimal ? ^1 : ^0)], CultureInfo.InvariantCulture);
        return new IntegerType(bits / 8, text[0] == 's', isHexadecimal);
    }
}

/// <summary>What LTTng has otherwise in a field.</summary>
/// <param name="Name">Its name there, or null for the kernel's.</param>
/// <param name="Type">Its type there, or null for the kernel's.</param>
/// <param name="Addend">What is added to its value.</param>
internal readonly record struct LttngField(string? Name, IntegerType? Type, int Addend = 0);

/// <summary>An event that LTTng has too.</summary>
/// <param name="System">The kernel's system of it.</param>
/// <param name="KernelName">The kernel's name.</param>
/// <param name="Name">LTTng's name, or null for the kernel's.</param>
internal sealed record LttngEvent(string System, string KernelName, string? Name)
{
    /// <summary>No changes.</summary>
    public static readonly IReadOnlyDictionary<string, LttngField> NoChanges = new Dictionary<string, LttngField>();

    /// <summary>What is changed, by the kernel's names of fields.</summary>
    public IReadOnlyDictionary<string, LttngField> Changes { get; init; } = NoChanges;

    /// <summary>Fields by their names in the trace in which LTTng has something else: another type or value.</summary>
    public IReadOnlyList<string> Different { get; init; } = [];

    /// <summary>Fields that LTTng has and the kernel's event does not.</summary>
    public IReadOnlyList<string> Absent { get; init; } = [];
}

/// <summary>
/// The events that both the kernel and LTTng have, by the file <c>lttng-events.txt</c>, whose head says what its lines mean. Of system calls it
/// has those only that need a change.
/// </summary>
internal static class LttngEventTable
{
    private static readonly Lazy<Dictionary<(string System, string Name), LttngEvent>> s_events = new(Load);

    /// <summary>All events of the table, in its order.</summary>
    public static IReadOnlyCollection<LttngEvent> Events => s_events.Value.Values;

    /// <summary>The event by the kernel's names, or null where the table has none.</summary>
    public static LttngEvent? Find(string system, string name) => s_events.Value.GetValueOrDefault((system, name));

    private static Dictionary<(string System, string Name), LttngEvent> Load()
    {
        var events = new Dictionary<(string System, string Name), LttngEvent>();
        using var stream = typeof(LttngEventTable).Assembly.GetManifestResourceStream("lttng-events.txt")!;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            if (line.Length > 0 && line[0] != '#')
            {
                var item = Parse(line.Split(' '));
                events.Add((item.System, item.KernelName), item);
            }
        }
        return events;
    }

    private static LttngEvent Parse(string[] words)
    {
        var changes = new Dictionary<string, LttngField>();
        foreach (string word in words[3..])
        {
            if (word[0] is '!' or '+')
                continue;
            if (Cut(word, '-') is (var counted, { } less))
            {
                changes.Add(counted, new LttngField(null, null, -int.Parse(less, NumberStyles.None, CultureInfo.InvariantCulture)));
                continue;
            }
            var (field, type) = Cut(word, ':');
            var (kernelName, name) = Cut(field, '>');
            changes.Add(kernelName, new LttngField(name, type is null ? null : IntegerType.Parse(type)));
        }
        return new LttngEvent(words[0], words[1], words[2] == "-" ? null : words[2])
        {
            Changes = changes,
            Different = [.. words.Where(word => word[0] == '!').Select(word => word[1..])],
            Absent = [.. words.Where(word => word[0] == '+').Select(word => word[1..])],
        };
    }

    private static (string Before, string? Behind) Cut(string text, char at)
    {
        int index = text.IndexOf(at, StringComparison.Ordinal);
        return index < 0 ? (text, null) : (text[..index], text[(index + 1)..]);
    }
}
