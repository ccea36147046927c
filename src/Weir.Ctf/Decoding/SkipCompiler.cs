namespace Weir.Ctf;

/// <summary>
/// Makes of a program one that only finds where the fields end: neighbours of fixed size become one step, unless the reader needs
/// their values.
/// </summary>
internal sealed class SkipCompiler
{
    private readonly DecodeStep[] _source;
    private readonly List<DecodeStep> _steps = [];
    private long _sizeBits;
    private long _alignmentBits;

    private SkipCompiler(DecodeStep[] source) => _source = source;

    public static DecodeProgram Compile(DecodeProgram program)
    {
        var compiler = new SkipCompiler(program.StepArray);
        compiler.AddRange(0, program.StepArray.Length);
        compiler.Flush();
        return new DecodeProgram([.. compiler._steps], []);
    }

    /// <summary>Size of steps that have a fixed one when they begin at a multiple of <paramref name="alignmentBits"/>, or -1.</summary>
    public static long FixedSize(ReadOnlySpan<DecodeStep> source, int from, int to, out long alignmentBits)
    {
        long sizeBits = 0;
        alignmentBits = 1;
        for (int i = from; i < to;)
        {
            ref readonly var step = ref source[i];
            long fieldBits = FixedSizeOf(source, i, out long fieldAlignmentBits);
            if (fieldBits < 0)
                return -1;
            // A field aligned more than what stands before it would begin at a varying distance from it.
            if (fieldAlignmentBits > alignmentBits && sizeBits > 0)
                return -1;
            alignmentBits = Math.Max(alignmentBits, fieldAlignmentBits);
            sizeBits = Align(sizeBits, fieldAlignmentBits) + fieldBits;
            if (sizeBits > int.MaxValue)
                return -1;
            i = step.End;
        }
        return sizeBits;
    }

    private static long FixedSizeOf(ReadOnlySpan<DecodeStep> source, int index, out long alignmentBits)
    {
        ref readonly var step = ref source[index];
        alignmentBits = step.AlignmentMask + 1;
        if (step.IsSpecial)
            return -1;
        switch (step.Kind)
        {
            case DecodeStepKind.Integer8 or DecodeStepKind.Integer16 or DecodeStepKind.Integer32 or DecodeStepKind.Integer64 or DecodeStepKind.Real:
                return step.SizeBits;
            // Bits in two byte orders inside one byte are an error, which only decoding sees.
            case DecodeStepKind.IntegerBits or DecodeStepKind.Boolean when step.SizeBits % 8 == 0 && alignmentBits % 8 == 0:
                return step.SizeBits;
            case DecodeStepKind.Text or DecodeStepKind.Blob when step.LoadSlot < 0 && step.Length < 1 << 20:
                return (long)step.Length * 8;
            case DecodeStepKind.Structure:
                long sizeBits = FixedSize(source, index + 1, step.End, out long inner);
                alignmentBits = Math.Max(alignmentBits, inner);
                return sizeBits;
            case DecodeStepKind.Array when step.LoadSlot < 0 && step.Length < 1 << 20:
                long elementBits = FixedSize(source, index + 1, step.End, out inner);
                alignmentBits = Math.Max(alignmentBits, inner);
                if (step.Length == 0)
                    return 0;
                // Elements without bits are counted, which only decoding does.
                if (elementBits <= 0)
                    return -1;
                return (((long)step.Length - 1) * Align(elementBits, inner)) + elementBits;
            default:
                return -1;
        }
    }

    private static long Align(long positionBits, long alignmentBits) => (positionBits + alignmentBits - 1) & -alignmentBits;

    private void AddRange(int from, int to)
    {
        for (int i = from; i < to; i = _source[i].End)
            AddStep(i);
    }

    private void AddStep(int index)
    {
        var step = _source[index];
        long sizeBits = FixedSizeOf(_source, index, out long alignmentBits);
        if (sizeBits >= 0)
        {
            if (_alignmentBits < alignmentBits || _sizeBits > int.MaxValue)
                Flush();
            _alignmentBits = Math.Max(_alignmentBits, alignmentBits);
            _sizeBits = Align(_sizeBits, alignmentBits) + sizeBits;
            return;
        }
        if (step.Kind == DecodeStepKind.Structure)
        {
            AddSkip(step.AlignmentMask + 1);
            AddRange(index + 1, step.End);
            return;
        }
        Flush();
        int start = _steps.Count;
        _steps.Add(step);
        if (step.Kind == DecodeStepKind.Array)
        {
            long elementBits = FixedSize(_source, index + 1, step.End, out long inner);
            if (elementBits > 0)
                step.StrideBits = Align(elementBits, inner);
            AddRange(index + 1, step.End);
            Flush();
        }
        else if (step.Kind == DecodeStepKind.Optional)
        {
            AddRange(index + 1, step.End);
            Flush();
        }
        else if (step.Kind == DecodeStepKind.Variant)
        {
            var starts = new int[step.OptionStarts!.Length];
            for (int i = 0; i < starts.Length - 1; i++)
            {
                starts[i] = _steps.Count;
                AddRange(step.OptionStarts[i], step.OptionStarts[i + 1]);
                Flush();
            }
            starts[^1] = _steps.Count;
            step.OptionStarts = starts;
        }
        step.End = _steps.Count;
        _steps[start] = step;
    }

    private void AddSkip(long alignmentBits)
    {
        if (_alignmentBits < alignmentBits)
            Flush();
        _alignmentBits = Math.Max(_alignmentBits, alignmentBits);
        _sizeBits = Align(_sizeBits, alignmentBits);
    }

    private void Flush()
    {
        if (_alignmentBits > 1 || _sizeBits > 0)
        {
            int index = _steps.Count;
            _steps.Add(new DecodeStep
            {
                Kind = DecodeStepKind.Skip,
                AlignmentMask = Math.Max(1, _alignmentBits) - 1,
                Length = (ulong)_sizeBits,
                StoreSlot = -1,
                LoadSlot = -1,
                End = index + 1,
                Name = "",
                Class = null!,
            });
        }
        _sizeBits = 0;
        _alignmentBits = 0;
    }
}
