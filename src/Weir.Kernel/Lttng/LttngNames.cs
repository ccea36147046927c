using Weir.Ctf;
using Weir.Graph;

namespace Weir.Kernel;

/// <summary>
/// Names and field types of the kernel's events as LTTng's kernel traces have them, so that what was written for those reads ours. What
/// stands otherwise there is in <see cref="LttngEventTable"/>; of system calls the types come from the C types that the kernel tells,
/// because it keeps every argument as an unsigned long.
/// </summary>
internal static class LttngNames
{
    private const string Entry = "sys_enter_";
    private const string Exit = "sys_exit_";

    /// <summary>
    /// The name of an event in the trace, and the description from which <see cref="FtraceRecordClass.Create"/> makes the fields that it has
    /// there. The fields lie where they lay in the record, so that nothing but their bytes is copied.
    /// </summary>
    /// <param name="system">The event's system, such as <c>sched</c>.</param>
    /// <param name="format">The kernel's description.</param>
    /// <param name="byteOrder">Order of the bytes of all numbers.</param>
    public static (string Name, FtraceFormat Format) Apply(string system, FtraceFormat format, ByteOrder byteOrder)
    {
        ArgumentNullException.ThrowIfNull(format);
        var known = LttngEventTable.Find(system, format.Name);
        IReadOnlyList<FtraceField> fields = format.Fields;
        if (system == SystemCallArguments.System)
            fields = SystemCallArguments.Describe(fields, byteOrder);
        if (known is { Changes.Count: > 0 })
            fields = Change(fields, known, byteOrder);
        return (NameOf(system, format.Name, known), format with { Fields = fields });
    }

    /// <summary>What is added to a field's value in the trace, by the kernel's name of the field.</summary>
    public static int AddendOf(string system, string eventName, string kernelField) =>
        LttngEventTable.Find(system, eventName) is { } known && known.Changes.TryGetValue(kernelField, out var change) ? change.Addend : 0;

    /// <summary>The kernel's name of a field, for its filters, by the name that the field has in the trace.</summary>
    /// <param name="system">The event's system.</param>
    /// <param name="eventName">The kernel's name of the event, such as <c>sys_enter_mmap</c>.</param>
    /// <param name="traceField">The field's name in the trace, or already the kernel's.</param>
    public static string KernelField(string system, string eventName, string traceField)
    {
        foreach (var (field, change) in LttngEventTable.Find(system, eventName)?.Changes ?? LttngEvent.NoChanges)
        {
            if (change.Name == traceField)
                return field;
        }
        return traceField;
    }

    private static string NameOf(string system, string name, LttngEvent? known)
    {
        if (system == SystemCallArguments.System && name.StartsWith(Entry, StringComparison.Ordinal))
            return "syscall_entry_" + name[Entry.Length..];
        if (system == SystemCallArguments.System && name.StartsWith(Exit, StringComparison.Ordinal))
            return "syscall_exit_" + name[Exit.Length..];
        return known?.Name ?? name;
    }

    private static FtraceField[] Change(IReadOnlyList<FtraceField> fields, LttngEvent known, ByteOrder byteOrder)
    {
        var changed = fields.ToArray();
        foreach (ref var field in changed.AsSpan())
        {
            if (!known.Changes.TryGetValue(field.Name, out var change))
                continue;
            field = field with { Addend = change.Addend };
            if (change.Type is { } type)
                field = type.ApplyTo(field, byteOrder);
            // A kernel that has both has its reason.
            if (change.Name is { } name && fields.All(other => other.Name != name))
                field = field with { Name = name };
        }
        return changed;
    }
}
