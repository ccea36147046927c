using Weir.Ctf;

namespace Weir.Graph;

/// <summary>What is to be done with the next bytes of a payload.</summary>
internal enum NettraceAction : byte
{
    Copy,

    /// <summary>Copies a number that counts an array's elements, and keeps it.</summary>
    Count,
    Boolean,
    Unit8,
    Unit16,
    Guid,
    DateTime,
    Decimal,
    Text8,
    Text16,
    SignedVariable,
    UnsignedVariable,

    /// <summary>From here on: arrays.</summary>
    Array,
    FixedArray,
    CountedArray,
    RelativeLocation,
    DataLocation,
    TextArray8,
    TextArray16,
}

/// <summary>One thing to do.</summary>
/// <param name="Action">What.</param>
/// <param name="Bytes">Bytes of fixed size that it takes first.</param>
/// <param name="Slot">Of a count or a counted array the slot, of a fixed array the length, of text elsewhere the bytes of a unit.</param>
/// <param name="Inner">Of an array: what to do for each element.</param>
internal readonly record struct NettraceStep(NettraceAction Action, int Bytes, int Slot = 0, NettraceStep[]? Inner = null);

/// <summary>Makes field classes and steps of types.</summary>
/// <param name="pointerBytes">Bytes of an address.</param>
internal sealed class NettracePayloadCompiler(int pointerBytes)
{
    /// <summary>How many counts there are to keep.</summary>
    public int CountCount { get; private set; }

    /// <summary>Adds fields; returns the members that they become.</summary>
    /// <param name="fields">The fields.</param>
    /// <param name="path">Names from the payload down to where these fields stand.</param>
    /// <param name="steps">Takes the steps.</param>
    public List<StructureMember> AddFields(IReadOnlyList<NettraceField> fields, string[] path, List<NettraceStep> steps)
    {
        var members = new List<StructureMember>(fields.Count);
        var names = new Dictionary<string, int>(StringComparer.Ordinal);
        var countNames = fields.Select(field => field.Type.LengthName).Where(name => name is not null).ToHashSet();
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var field in fields)
        {
            string name = MakeUnique(field.Name.Length == 0 ? "field" : field.Name, names);
            if (countNames.Contains(field.Name))
            {
                counts[field.Name] = CountCount;
                steps.Add(new NettraceStep(NettraceAction.Count, field.Type.NumberBytes(pointerBytes), CountCount++));
                members.Add(new StructureMember(name, NumberClass(field.Type.Kind)));
            }
            else if (field.Type.Kind == NettraceTypeKind.CountedArray)
            {
                var inner = new List<NettraceStep>();
                var element = AddType(field.Type.Element!, [.. path, name], inner);
                bool isCounted = counts.TryGetValue(field.Type.LengthName!, out int slot);
                if (!isCounted)
                    throw new InvalidOperationException($"The table of events has no field '{field.Type.LengthName}' before '{field.Name}'.");
                steps.Add(new NettraceStep(NettraceAction.CountedArray, 0, slot, [.. inner]));
                members.Add(new StructureMember(name, new DynamicArrayFieldClass(element, Location(path, field.Type.LengthName!))));
            }
            else
            {
                AddMember(name, field.Type, path, names, members, steps);
            }
        }
        return members;
    }

    /// <summary>The name, or the first of <c>name_2</c>, <c>name_3</c>, ... that is free; for each name it is kept which was the last.</summary>
    private static string MakeUnique(string name, Dictionary<string, int> names)
    {
        if (names.TryAdd(name, 1))
            return name;
        string unique;
        do
            unique = $"{name}_{++names[name]}";
        while (!names.TryAdd(unique, 1));
        return unique;
    }

    private static FieldLocation Location(string[] path, string name) => new(FieldScope.EventPayload, [.. path, name]);

    /// <summary>A member, and before an array its length.</summary>
    private void AddMember(string name, NettraceType type, string[] path, Dictionary<string, int> names, List<StructureMember> members, List<NettraceStep> steps)
    {
        if (type.Kind is not (NettraceTypeKind.Array or NettraceTypeKind.RelativeLocation or NettraceTypeKind.DataLocation))
        {
            members.Add(new StructureMember(name, AddType(type, [.. path, name], steps)));
            return;
        }
        bool isElsewhere = type.Kind != NettraceTypeKind.Array;
        if (type.Element!.Kind is NettraceTypeKind.Utf16Unit or NettraceTypeKind.Utf8Unit)
        {
            bool isWide = type.Element.Kind == NettraceTypeKind.Utf16Unit;
            steps.Add(isElsewhere ? new NettraceStep(ActionOf(type.Kind), 4, isWide ? 2 : 1) : new NettraceStep(isWide ? NettraceAction.TextArray16 : NettraceAction.TextArray8, 2));
            members.Add(new StructureMember(name, new StringFieldClass()));
            return;
        }
        string lengthName = MakeUnique($"_{name}_length", names);
        var inner = new List<NettraceStep>();
        var element = AddType(type.Element, [.. path, name], inner);
        steps.Add(new NettraceStep(ActionOf(type.Kind), isElsewhere ? 4 : 2, 0, [.. inner]));
        members.Add(new StructureMember(lengthName, new IntegerFieldClass(16)));
        members.Add(new StructureMember(name, new DynamicArrayFieldClass(element, Location(path, lengthName))));
    }

    private static NettraceAction ActionOf(NettraceTypeKind kind) => kind switch
    {
        NettraceTypeKind.Array => NettraceAction.Array,
        NettraceTypeKind.RelativeLocation => NettraceAction.RelativeLocation,
        _ => NettraceAction.DataLocation,
    };

    private FieldClass AddType(NettraceType type, string[] path, List<NettraceStep> steps)
    {
        if (type.NumberBytes(pointerBytes) is > 0 and int bytes)
        {
            // Neighbours are copied as one.
            if (steps.Count > 0 && steps[^1].Action == NettraceAction.Copy)
                steps[^1] = steps[^1] with { Bytes = steps[^1].Bytes + bytes };
            else
                steps.Add(new NettraceStep(NettraceAction.Copy, bytes));
            return NumberClass(type.Kind);
        }
        switch (type.Kind)
        {
            case NettraceTypeKind.Object:
                return new StructureFieldClass(AddFields(type.Members, path, steps), 8);
            case NettraceTypeKind.Array or NettraceTypeKind.RelativeLocation or NettraceTypeKind.DataLocation:
                // An array as an element: a structure has room for its length.
                return new StructureFieldClass(AddFields([new NettraceField("elements", type)], path, steps), 8);
            case NettraceTypeKind.FixedArray when type.Element!.Kind is not (NettraceTypeKind.Utf16Unit or NettraceTypeKind.Utf8Unit):
                var inner = new List<NettraceStep>();
                var element = AddType(type.Element, path, inner);
                steps.Add(new NettraceStep(NettraceAction.FixedArray, 0, type.Length, [.. inner]));
                return new StaticArrayFieldClass(element, (ulong)type.Length);
            default:
                return AddConverted(type, steps);
        }
    }

    /// <summary>What becomes something else than it was.</summary>
    private static FieldClass AddConverted(NettraceType type, List<NettraceStep> steps)
    {
        var (action, bytes) = type.Kind switch
        {
            NettraceTypeKind.Boolean => (NettraceAction.Boolean, 4),
            NettraceTypeKind.Utf8Unit => (NettraceAction.Unit8, 1),
            NettraceTypeKind.Utf16Unit => (NettraceAction.Unit16, 2),
            NettraceTypeKind.Guid => (NettraceAction.Guid, 16),
            NettraceTypeKind.DateTime => (NettraceAction.DateTime, 8),
            NettraceTypeKind.Decimal => (NettraceAction.Decimal, 16),
            NettraceTypeKind.Text8 => (NettraceAction.Text8, 0),
            NettraceTypeKind.VariableInt => (NettraceAction.SignedVariable, 0),
            NettraceTypeKind.VariableUInt => (NettraceAction.UnsignedVariable, 0),
            NettraceTypeKind.FixedArray => (NettraceAction.Unit8, type.Length),
            _ => (NettraceAction.Text16, 0),
        };
        if (type.Kind == NettraceTypeKind.FixedArray && type.Element!.Kind == NettraceTypeKind.Utf16Unit)
            (action, bytes) = (NettraceAction.Unit16, type.Length * 2);
        steps.Add(new NettraceStep(action, bytes));
        return type.Kind switch
        {
            NettraceTypeKind.Boolean => new BooleanFieldClass(8, 8),
            NettraceTypeKind.VariableInt => new IntegerFieldClass(64, isSigned: true),
            NettraceTypeKind.VariableUInt => new IntegerFieldClass(64),
            _ => new StringFieldClass(),
        };
    }

    private FieldClass NumberClass(NettraceTypeKind kind) => kind switch
    {
        NettraceTypeKind.SByte => new IntegerFieldClass(8, isSigned: true),
        NettraceTypeKind.Byte => new IntegerFieldClass(8),
        NettraceTypeKind.Int16 => new IntegerFieldClass(16, isSigned: true),
        NettraceTypeKind.UInt16 => new IntegerFieldClass(16),
        NettraceTypeKind.Int32 => new IntegerFieldClass(32, isSigned: true),
        NettraceTypeKind.UInt32 => new IntegerFieldClass(32),
        NettraceTypeKind.Int64 => new IntegerFieldClass(64, isSigned: true),
        NettraceTypeKind.UInt64 => new IntegerFieldClass(64),
        NettraceTypeKind.Single => new FloatingPointFieldClass(32),
        NettraceTypeKind.Double => new FloatingPointFieldClass(64),
        _ => new IntegerFieldClass(pointerBytes * 8),
    };
}
