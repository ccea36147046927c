using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>Labels of an event: what version 6 says of the work that it belongs to.</summary>
/// <param name="Activity">The activity, or empty.</param>
/// <param name="RelatedActivity">The activity that it came from, or empty.</param>
/// <param name="Others">All others, as <c>key=value</c>.</param>
internal sealed record NettraceLabels(Guid Activity, Guid RelatedActivity, IReadOnlyList<string> Others)
{
    public static NettraceLabels Read(ref NettraceReader reader)
    {
        Guid activity = default;
        Guid related = default;
        var others = new List<string>();
        byte kind;
        do
        {
            kind = reader.ReadByte();
            switch (kind & 0x7f)
            {
                case 1:
                    activity = reader.ReadGuid();
                    break;
                case 2:
                    related = reader.ReadGuid();
                    break;
                case 3:
                    others.Add($"trace_id={Convert.ToHexStringLower(reader.Take(16))}");
                    break;
                case 4:
                    others.Add($"span_id={reader.ReadUInt64():x16}");
                    break;
                case 5:
                    others.Add($"{reader.ReadText8()}={reader.ReadText8()}");
                    break;
                case 6:
                    string key = reader.ReadText8();
                    ulong value = reader.ReadVariable64();
                    others.Add(string.Create(CultureInfo.InvariantCulture, $"{key}={(long)((value >> 1) ^ (0 - (value & 1)))}"));
                    break;
                case 7:
                    others.Add($"opcode={reader.ReadByte()}");
                    break;
                case 8:
                    others.Add($"keywords=0x{reader.ReadUInt64():x}");
                    break;
                case 9:
                    others.Add($"level={reader.ReadByte()}");
                    break;
                case 10:
                    others.Add($"version={reader.ReadByte()}");
                    break;
                default:
                    throw reader.Error($"a label of kind {kind & 0x7f} is not known");
            }
        }
        while (kind < 0x80);
        return new NettraceLabels(activity, related, others);
    }
}

/// <summary>The contexts of events: who wrote them, and what some have beside that.</summary>
internal static class NettraceContext
{
    /// <summary>The context that all events have. In version 6 a file may have several processes.</summary>
    public static StructureFieldClass CreateCommonClass(int version)
    {
        var members = new List<StructureMember>();
        if (version >= 6)
            members.Add(new StructureMember("vpid", new IntegerFieldClass(64)));
        members.Add(new StructureMember("vtid", new IntegerFieldClass(64)));
        return new StructureFieldClass(members);
    }

    /// <summary>The context of events of a shape, or null where they have none.</summary>
    public static StructureFieldClass? CreateClass(NettraceShape shape, int pointerBytes)
    {
        var members = new List<StructureMember>();
        if (shape.HasFlag(NettraceShape.Processor))
            members.Add(new StructureMember("cpu_id", new IntegerFieldClass(32)));
        if (shape.HasFlag(NettraceShape.Activity))
            members.Add(new StructureMember("activity_id", new StringFieldClass()));
        if (shape.HasFlag(NettraceShape.RelatedActivity))
            members.Add(new StructureMember("related_activity_id", new StringFieldClass()));
        if (shape.HasFlag(NettraceShape.Labels))
            AddArray(members, "labels", new StringFieldClass());
        if (shape.HasFlag(NettraceShape.Stack))
            AddArray(members, "stack", new IntegerFieldClass(pointerBytes * 8) { DisplayBase = DisplayBase.Hexadecimal });
        return members.Count == 0 ? null : new StructureFieldClass(members);
    }

    /// <summary>Writes both contexts of an event.</summary>
    public static void Write(in NettraceEvent item, NettraceShape shape, int version, int pointerBytes, BitWriter fields)
    {
        if (version >= 6)
            fields.Write(item.Process, 64);
        fields.Write(item.Thread, 64);
        if (shape.HasFlag(NettraceShape.Processor))
            fields.Write((uint)item.Processor, 32);
        if (shape.HasFlag(NettraceShape.Activity))
            WriteGuid(item.Activity, fields);
        if (shape.HasFlag(NettraceShape.RelatedActivity))
            WriteGuid(item.RelatedActivity, fields);
        if (shape.HasFlag(NettraceShape.Labels))
        {
            fields.Write((ulong)item.Labels!.Others.Count, 32);
            foreach (string label in item.Labels.Others)
                fields.WriteString(Encoding.UTF8.GetBytes(label));
        }
        if (!shape.HasFlag(NettraceShape.Stack))
            return;
        var stack = item.Stack.Span;
        fields.Write((ulong)(stack.Length / pointerBytes), 32);
        fields.WriteBytes(stack[..(stack.Length / pointerBytes * pointerBytes)]);
    }

    private static void WriteGuid(Guid value, BitWriter fields)
    {
        Span<byte> text = stackalloc byte[36];
        value.TryFormat(text, out _);
        fields.WriteString(text);
    }

    private static void AddArray(List<StructureMember> members, string name, FieldClass element)
    {
        members.Add(new StructureMember($"_{name}_length", new IntegerFieldClass(32)));
        members.Add(new StructureMember(name, new DynamicArrayFieldClass(element, new FieldLocation(FieldScope.EventSpecificContext, $"_{name}_length"))));
    }
}
