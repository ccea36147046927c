using System.Text;
using Apache.Arrow.Types;
using Weir.Ctf;

namespace Weir.Graph.Columns;

/// <summary>Where the values of one step go.</summary>
internal struct ColumnStep
{
    /// <summary>Number of the column in the plan, or -1.</summary>
    public int Column;

    /// <summary>Number of the column for an enumeration's label, or -1.</summary>
    public int LabelColumn;

    public bool IsSigned;

    public IReadOnlyList<EnumerationMapping>? Mappings;

    public byte[][]? Labels;

    /// <summary>How the step and all inside it are written as one JSON text, or null.</summary>
    public JsonPlan? Json;
}

/// <summary>
/// The columns of a program's fields. Structures and arrays are nested columns; variants, and what is nested deeper than <see cref="MaxDepth"/>, are
/// JSON texts as <c>sink.text.json</c> writes them.
/// </summary>
internal sealed class ColumnPlan
{
    private const int MaxDepth = 4;

    private readonly DecodeProgram _program;
    private readonly List<Column> _all;

    private ColumnPlan(DecodeProgram program, List<Column> all)
    {
        _program = program;
        _all = all;
        Steps = new ColumnStep[program.Steps.Length];
        Array.Fill(Steps, new ColumnStep { Column = -1, LabelColumn = -1 });
    }

    /// <summary>The steps, numbered as the program's.</summary>
    public ColumnStep[] Steps { get; }

    /// <summary>Whether any value goes anywhere.</summary>
    public bool HasColumns { get; private set; }

    /// <summary>Plans the members of a program's roots.</summary>
    /// <param name="program">The program.</param>
    /// <param name="prefixes">For each root what stands before the names of its members.</param>
    /// <param name="leftOut">A member that gets no column, or null.</param>
    /// <param name="top">Takes the columns of the members.</param>
    /// <param name="all">Takes all columns, nested ones too, in an order that depends on nothing but the program.</param>
    /// <param name="names">The names that are taken; a member of such a name gets another.</param>
    public static ColumnPlan Create(
        DecodeProgram program, ReadOnlySpan<string> prefixes, string? leftOut, List<Column> top, List<Column> all, HashSet<string> names)
    {
        var plan = new ColumnPlan(program, all);
        for (int root = 0; root < program.RootStarts.Count; root++)
        {
            int start = program.RootStarts[root];
            for (int i = start + 1; start >= 0 && i < program.Steps[start].End; i = program.Steps[i].End)
            {
                if (!program.Steps[i].IsHidden && program.Steps[i].Name != leftOut)
                    plan.AddMember(i, FreeName(names, prefixes[root] + program.Steps[i].Name), top, names, depth: 1);
            }
        }
        plan.HasColumns = top.Count > 0;
        return plan;
    }

    private static string FreeName(HashSet<string> names, string name)
    {
        string free = name;
        for (int i = 1; !names.Add(free); i++)
            free = i == 1 ? $"field_{name}" : $"field_{name}_{i}";
        return free;
    }

    private void AddMember(int index, string name, List<Column> columns, HashSet<string> names, int depth, bool isNullable = false)
    {
        ref readonly var step = ref _program.Steps[index];
        if (step.Class is OptionalFieldClass && !_program.Steps[index + 1].IsHidden)
        {
            AddMember(index + 1, name, columns, names, depth, isNullable: true);
            Steps[index].Column = Steps[index + 1].Column;
            Steps[index].LabelColumn = Steps[index + 1].LabelColumn;
            return;
        }
        columns.Add(AddColumn(index, name, isNullable, depth));
        if (step.Class is not IntegerFieldClass { Mappings: { } mappings } integer)
            return;
        ref var planned = ref Steps[index];
        planned.IsSigned = integer.IsSigned;
        planned.Mappings = mappings;
        planned.Labels = [.. mappings.Select(mapping => Encoding.UTF8.GetBytes(mapping.Label))];
        planned.LabelColumn = _all.Count;
        columns.Add(Add(new Column(FreeName(names, name + "_label"), StringType.Default, isNullable: true)));
    }

    private Column AddColumn(int index, string name, bool isNullable, int depth)
    {
        var step = _program.Steps[index];
        bool isNested = step.Kind is DecodeStepKind.Structure or DecodeStepKind.Array;
        if (isNested && depth <= MaxDepth && step.Class is not OptionalFieldClass)
        {
            var column = step.Kind == DecodeStepKind.Array ? CreateList(index, name, depth) : CreateStructure(index, name, isNullable, depth);
            Steps[index].Column = _all.Count;
            return Add(column);
        }
        Steps[index].Column = _all.Count;
        if (step.End > index + 1)
        {
            Steps[index].Json = JsonPlan.CreateForField(_program, index);
            // A text that would be too long is missing.
            return Add(new Column(name, StringType.Default, isNullable: true));
        }
        return Add(new Column(name, LeafType(step.Class), isNullable));
    }

    private Column CreateList(int index, string name, int depth)
    {
        var element = AddColumn(index + 1, "element", isNullable: false, depth + 1);
        // An array that would be too long is missing.
        return new Column(name, new ListType(element.Field), isNullable: true, element);
    }

    private Column CreateStructure(int index, string name, bool isNullable, int depth)
    {
        var members = new List<Column>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        var steps = _program.Steps;
        for (int i = index + 1; i < steps[index].End; i = steps[i].End)
        {
            if (!steps[i].IsHidden)
                AddMember(i, FreeName(names, steps[i].Name), members, names, depth + 1);
        }
        // Parquet knows no structure without members.
        if (members.Count == 0)
            members.Add(Add(new Column("empty", BooleanType.Default, isNullable: true)));
        return new Column(name, new StructType([.. members.Select(member => member.Field)]), isNullable, [.. members]);
    }

    private Column Add(Column column)
    {
        _all.Add(column);
        return column;
    }

    private static IArrowType LeafType(FieldClass fieldClass) => fieldClass switch
    {
        BooleanFieldClass => BooleanType.Default,
        IntegerFieldClass integer => (integer.SizeBits, integer.IsSigned) switch
        {
            ( <= 8, true) => Int8Type.Default,
            ( <= 8, false) => UInt8Type.Default,
            ( <= 16, true) => Int16Type.Default,
            ( <= 16, false) => UInt16Type.Default,
            ( <= 32, true) => Int32Type.Default,
            ( <= 32, false) => UInt32Type.Default,
            (_, true) => Int64Type.Default,
            _ => UInt64Type.Default,
        },
        BitsFieldClass and not FloatingPointFieldClass => UInt64Type.Default,
        FloatingPointFieldClass { SizeBits: 32 } => FloatType.Default,
        FloatingPointFieldClass => DoubleType.Default,
        StaticBlobFieldClass or DynamicBlobFieldClass => BinaryType.Default,
        _ => StringType.Default,
    };
}
