using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Weir.Kernel;
using Xunit.Sdk;

namespace Weir.Tests.Kernel;

/// <summary>
/// Compares what Weir and LTTng's own tracer have recorded of one kernel at once, event by event: those that both have, by name, thread and the
/// fields that both have under one name, but for those that docs/kernel-events.md lists as different.
/// </summary>
internal static partial class LttngTruth
{
    // An emulated processor stamps slowly, and an interrupt may come in between.
    private const long MaxApartNs = 20_000_000;
    private const long MarginNs = 100_000_000;

    // TRACE_FLAG_HARDIRQ, TRACE_FLAG_SOFTIRQ and TRACE_FLAG_NMI of the kernel's common_flags.
    private const int InInterrupt = 0x08 | 0x10 | 0x40;

    /// <summary>As a process: arguments are the events of Weir and those of LTTng, as <c>weir convert --clock-seconds</c> prints them.</summary>
    public static int Run(string[] arguments)
    {
        var ours = Read(arguments[0]);
        var theirs = Read(arguments[1]);
        var fields = CommonFields(ours, theirs);
        Console.WriteLine($"{ours.Count} events of Weir, {theirs.Count} of LTTng; {fields.Count} kinds that both have, {fields.Values.Sum(item => item.Count)} fields");
        int compared = 0;
        try
        {
            var mine = ByCpu(ours, fields);
            var other = ByCpu(theirs, fields);
            foreach (int cpu in mine.Keys.Where(other.ContainsKey))
                compared += TracerPairs.Compare(cpu, mine[cpu], other[cpu], MaxApartNs, MarginNs);
        }
        catch (XunitException e)
        {
            Console.WriteLine(e.Message);
            return 1;
        }
        Console.WriteLine($"{compared} events are the same at both");
        return compared >= 1000 && fields.Count >= 20 ? 0 : 1;
    }

    /// <summary>Of each event that both have the fields that both have as numbers, or both as texts.</summary>
    private static Dictionary<string, List<string>> CommonFields(List<Line> ours, List<Line> theirs)
    {
        var kinds = Kinds(theirs);
        var common = new Dictionary<string, List<string>>();
        foreach (var (name, mine) in Kinds(ours))
        {
            if (!kinds.TryGetValue(name, out var other))
                continue;
            var listed = LttngEventTable.Events.FirstOrDefault(item => (item.Name ?? item.KernelName) == name);
            common[name] = [.. mine.Where(item => other.TryGetValue(item.Key, out bool isText) && isText == item.Value && listed?.Different.Contains(item.Key) != true).Select(item => item.Key)];
        }
        return common;
    }

    private static Dictionary<string, Dictionary<string, bool>> Kinds(List<Line> lines) =>
        lines.GroupBy(line => line.Name).ToDictionary(group => group.Key, group => group.First().Fields.ToDictionary(item => item.Key, item => item.Value.StartsWith('"')));

    private static Dictionary<int, List<TracedEvent>> ByCpu(List<Line> lines, Dictionary<string, List<string>> fields)
    {
        var events = new Dictionary<int, List<TracedEvent>>();
        foreach (var line in lines)
        {
            if (!fields.TryGetValue(line.Name, out var names))
                continue;
            if (!events.TryGetValue(line.Cpu, out var list))
                events.Add(line.Cpu, list = []);
            string values = string.Join(' ', names.Select(name => $"{name}={line.Fields.GetValueOrDefault(name)}"));
            list.Add(new TracedEvent(line.TimeNs, line.Thread, line.Interrupts, $"{line.Name} tid={line.Thread} {values}"));
        }
        return events;
    }

    private static List<Line> Read(string path)
    {
        var lines = new List<Line>();
        foreach (string text in File.ReadLines(path))
        {
            var match = Event().Match(text);
            if (!match.Success)
                continue;
            var flags = match.Groups["flags"];
            lines.Add(new Line(
                long.Parse(match.Groups["s"].Value + match.Groups["ns"].Value, CultureInfo.InvariantCulture),
                int.Parse(match.Groups["cpu"].Value, CultureInfo.InvariantCulture),
                match.Groups["tid"].Value,
                flags.Success ? int.Parse(flags.Value, NumberStyles.HexNumber, CultureInfo.InvariantCulture) & InInterrupt : 0,
                match.Groups["name"].Value,
                Fields(match.Groups["fields"].Value)));
        }
        return lines;
    }

    /// <summary>The members that are numbers or texts; of a number with a label the number.</summary>
    private static Dictionary<string, string> Fields(string text)
    {
        var fields = new Dictionary<string, string>();
        foreach (string member in Members(text))
        {
            int equals = member.IndexOf(" = ", StringComparison.Ordinal);
            if (equals < 0)
                continue;
            string value = member[(equals + 3)..];
            var labelled = Labelled().Match(value);
            if (labelled.Success)
                value = labelled.Groups[1].Value;
            if (value.StartsWith('"') || Number(value) is not null)
                fields[member[..equals].Trim()] = Number(value) ?? value.Replace(" ", "", StringComparison.Ordinal);
        }
        return fields;
    }

    /// <summary>What stands between the commas that are in no text and no braces.</summary>
    private static IEnumerable<string> Members(string text)
    {
        int depth = 0;
        bool isText = false;
        var member = new StringBuilder();
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (isText && c == '\\' && i + 1 < text.Length)
            {
                member.Append(c).Append(text[++i]);
                continue;
            }
            isText ^= c == '"';
            depth += isText ? 0 : c is '{' or '[' or '(' ? 1 : c is '}' or ']' or ')' ? -1 : 0;
            if (c == ',' && depth == 0 && !isText)
            {
                yield return member.ToString().Trim();
                member.Clear();
                continue;
            }
            member.Append(c);
        }
        yield return member.ToString().Trim();
    }

    /// <summary>A number in base 10, of 64 bits without a sign: an address has one at the one and none at the other.</summary>
    private static string? Number(string text)
    {
        if (text.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
            return ulong.TryParse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong value) ? value.ToString(CultureInfo.InvariantCulture) : null;
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number))
            return unchecked((ulong)number).ToString(CultureInfo.InvariantCulture);
        return ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong large) ? large.ToString(CultureInfo.InvariantCulture) : null;
    }

    private sealed record Line(long TimeNs, int Cpu, string Thread, int Interrupts, string Name, Dictionary<string, string> Fields);

    [GeneratedRegex(@"^\[(?<s>\d+)\.(?<ns>\d+)\] .*? ?(?<name>\w+): \{ cpu_id = (?<cpu>\d+) \}, \{ tid = (?<tid>-?\d+)(?:, preempt_count = .*?irq_flags = 0x(?<flags>[0-9A-F]+))? \}, \{ ?(?<fields>.*) \}$")]
    private static partial Regex Event();

    [GeneratedRegex(@"^\( .* : container = (\S+) \)$")]
    private static partial Regex Labelled();
}
