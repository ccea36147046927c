using Weir.Ctf;
using Weir.Graph;
using Weir.Kernel;

namespace Weir.Tests.Kernel;

/// <summary>
/// Compares what <see cref="LttngNames"/> makes of a kernel's events with the metadata of a trace that LTTng has recorded on that kernel: every
/// event that both have, every field of LTTng's. A field must be there with the same size and sign, or in the table's list of differences.
/// </summary>
internal sealed class LttngComparison
{
    private readonly Dictionary<string, StructureFieldClass> _theirs = [];

    /// <summary>What is not as the table says, a line each.</summary>
    public List<string> Problems { get; } = [];

    /// <summary>Events that both have.</summary>
    public int Events { get; private set; }

    /// <summary>Fields that are the same.</summary>
    public int SameFields { get; private set; }

    /// <summary>Fields that the table lists as different or absent.</summary>
    public int ListedFields { get; private set; }

    /// <summary>As a process: arguments are LTTng's metadata file and the kernel's directory of events.</summary>
    public static int Run(string[] arguments)
    {
        var comparison = new LttngComparison(MetadataReader.Read(File.ReadAllBytes(arguments[0])));
        foreach (string path in Directory.EnumerateFiles(arguments[1], "format", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 2 }).Order())
            comparison.Compare(path.Split('/')[^3], FormatParser.Parse(File.ReadAllText(path), nint.Size));
        foreach (string problem in comparison.Problems)
            Console.WriteLine(problem);
        Console.WriteLine($"{comparison.Events} events that both have: {comparison.SameFields} fields the same, {comparison.ListedFields} listed as different, {comparison.Problems.Count} problems");
        return comparison.Problems.Count == 0 && comparison.Events > 0 ? 0 : 1;
    }

    public LttngComparison(TraceClass lttng)
    {
        foreach (var item in lttng.DataStreamClasses.SelectMany(stream => stream.EventRecordClasses))
        {
            if (item is { Name: { } name, Payload: { } payload })
                _theirs.TryAdd(name, payload);
        }
    }

    /// <summary>Compares one event of the kernel's.</summary>
    public void Compare(string system, FtraceFormat format)
    {
        var (name, changed) = LttngNames.Apply(system, format, ByteOrder.LittleEndian);
        if (!_theirs.TryGetValue(name, out var theirs))
            return;
        Events++;
        bool isSystemCall = system == SystemCallArguments.System;
        var known = LttngEventTable.Find(system, format.Name);
        if (known is null && !isSystemCall)
            Problems.Add($"{system}:{format.Name}: LTTng has it, the table has not");
        var ours = FtraceRecordClass.Create(changed, ByteOrder.LittleEndian).Payload;
        foreach (var member in theirs.Members)
        {
            if (IsLength(member.Name))
                continue;
            string their = KindOf(member.Class);
            string? our = ours.Find(member.Name) is { } mine ? KindOf(mine) : null;
            if (our == their)
                SameFields++;
            else if (IsListed(known, member.Name, our is null) || (our is null && isSystemCall && IsOutput(format.Name, member.Name)))
                ListedFields++;
            else
                Problems.Add($"{name}.{member.Name}: {their} in LTTng's trace, {our ?? "nothing"} in ours");
        }
    }

    private static bool IsListed(LttngEvent? known, string field, bool isAbsent) =>
        known is not null && (isAbsent ? known.Absent : known.Different).Contains(field);

    /// <summary>What a system call gives out: LTTng has it at the exit, the kernel its address at the entry.</summary>
    private static bool IsOutput(string kernelName, string field) => kernelName.StartsWith("sys_exit_", StringComparison.Ordinal) && field != "ret";

    private static bool IsLength(string name) => name.StartsWith('_') && name.EndsWith("_length", StringComparison.Ordinal);

    private static string KindOf(FieldClass field) => field switch
    {
        IntegerFieldClass integer => $"{(integer.IsSigned ? 's' : 'u')}{integer.SizeBits}",
        StringFieldClass or StaticStringFieldClass or DynamicStringFieldClass => "text",
        StaticArrayFieldClass array => $"array of {KindOf(array.Element)}",
        DynamicArrayFieldClass array => $"array of {KindOf(array.Element)}",
        _ => field.GetType().Name,
    };
}
