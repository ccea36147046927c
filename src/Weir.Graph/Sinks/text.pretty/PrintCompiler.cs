using Weir.Ctf;

namespace Weir.Graph;

/// <summary>Makes the operations of a <see cref="PrintProgram"/>.</summary>
internal sealed class PrintCompiler(DecodeProgram program, PrettyStep[] plan)
{
    private readonly List<int> _slots = [];
    private int _literalOffset;
    private long _alignmentBits = 8;

    public List<PrintProgram.Operation> Operations { get; } = [];

    public List<byte> Literals { get; } = [];

    /// <summary>Whether all fields are such as <see cref="PrintProgram"/> knows.</summary>
    public bool TryCompile()
    {
        var steps = program.Steps;
        for (int i = 0; i < steps.Length; i = steps[i].End)
        {
            if (!TryAdd(i))
                return false;
        }
        Add(new PrintProgram.Operation { Kind = PrintProgram.Kind.End });
        return true;
    }

    private bool TryAdd(int index)
    {
        ref readonly var step = ref program.Steps[index];
        long alignmentBits = step.Class.AlignmentBits;
        _alignmentBits = Math.Max(_alignmentBits, alignmentBits);
        if (step.Kind == DecodeStepKind.Structure)
            return TryAddStructure(index, step.End);
        if (step.Kind == DecodeStepKind.Array)
            return step.End == index + 2 && TryDescribe(index + 1, out var element) && TryAddArray(in step, index, element);
        if (!TryDescribe(index, out var operation) || (step.Kind == DecodeStepKind.Text && step.LoadSlot >= 0 && _slots.LastIndexOf(step.LoadSlot) < 0))
            return false;
        operation.Load = step.LoadSlot >= 0 ? _slots.LastIndexOf(step.LoadSlot) : -1;
        operation.Length = step.Length;
        if (step.StoreSlot >= 0)
        {
            if (_slots.Count == PrintProgram.MaxLengths)
                return false;
            operation.Store = _slots.Count;
            _slots.Add(step.StoreSlot);
        }
        if (operation.IsShown && operation.Kind != PrintProgram.Kind.Other)
            Literals.AddRange(plan[index].Prefix!);
        Add(operation);
        return true;
    }

    private bool TryAddStructure(int index, int end)
    {
        // An empty one may be aligned all the same.
        if (end == index + 1)
            return false;
        bool isShown = plan[index].Prefix is not null;
        if (isShown)
            Literals.AddRange([.. plan[index].Prefix!, (byte)'{']);
        for (int i = index + 1; i < end; i = program.Steps[i].End)
        {
            if (!TryAdd(i))
                return false;
        }
        if (isShown)
            Literals.AddRange(" }"u8.ToArray());
        return true;
    }

    private bool TryAddArray(in DecodeStep step, int index, PrintProgram.Operation element)
    {
        int load = step.LoadSlot >= 0 ? _slots.LastIndexOf(step.LoadSlot) : -1;
        ref readonly var inner = ref program.Steps[index + 1];
        bool isShown = plan[index].Prefix is not null;
        if ((step.LoadSlot >= 0 && load < 0) || inner.StoreSlot >= 0 || element.Kind == PrintProgram.Kind.Text || element.IsShown != isShown)
            return false;
        element.IsArray = true;
        element.HasIndices = plan[index].ShowNames;
        element.ElementMask = (inner.Class.AlignmentBits / 8) is > 1 and var bytes ? bytes - 1 : 0;
        element.Load = load;
        element.Length = step.Length;
        if (isShown)
            Literals.AddRange([.. plan[index].Prefix!, (byte)'[']);
        Add(element);
        if (isShown)
            Literals.AddRange(" ]"u8.ToArray());
        return true;
    }

    /// <summary>What a number or a text is; false for anything else.</summary>
    private bool TryDescribe(int index, out PrintProgram.Operation operation)
    {
        ref readonly var step = ref program.Steps[index];
        bool isShown = plan[index].Prefix is not null;
        operation = new PrintProgram.Operation
        {
            Step = index,
            IsShown = isShown,
            IsSigned = step.IsSigned,
            IsBigEndian = step.IsBigEndian,
            Bytes = step.SizeBits / 8,
            Store = -1,
        };
        switch (step.Kind)
        {
            case DecodeStepKind.Integer8 or DecodeStepKind.Integer16 or DecodeStepKind.Integer32 or DecodeStepKind.Integer64 or DecodeStepKind.IntegerBits:
                operation.Kind = !isShown ? PrintProgram.Kind.Hidden
                    : plan[index].IsPlainUnsigned ? PrintProgram.Kind.Unsigned
                    : plan[index].IsPlainSigned ? PrintProgram.Kind.Signed : PrintProgram.Kind.Other;
                return IsOfWholeBytes(in step);
            case DecodeStepKind.Real:
                operation.Kind = isShown ? PrintProgram.Kind.Real : PrintProgram.Kind.Hidden;
                return step.SizeBits >= 32 && IsOfWholeBytes(in step);
            case DecodeStepKind.String:
                operation.Kind = PrintProgram.Kind.String;
                return true;
            case DecodeStepKind.Text:
                operation.Kind = PrintProgram.Kind.Text;
                return true;
            default:
                return false;
        }
    }

    private static bool IsOfWholeBytes(in DecodeStep step) =>
        step.Class is BitsFieldClass { AlignmentBits: >= 8, IsBitOrderReversed: false, SizeBits: 8 or 16 or 32 or 64 };

    private void Add(PrintProgram.Operation operation)
    {
        operation.AlignmentMask = (_alignmentBits / 8) - 1;
        _alignmentBits = 8;
        operation.LiteralOffset = _literalOffset;
        operation.LiteralBytes = Literals.Count - _literalOffset;
        _literalOffset = Literals.Count;
        Operations.Add(operation);
    }
}
