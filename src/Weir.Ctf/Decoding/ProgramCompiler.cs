namespace Weir.Ctf;

/// <summary>
/// Compiles structures into programs. A value that a later length or selector needs is known by its location (scope and path), not by
/// its class, because one class may stand at many places.
/// </summary>
internal sealed class ProgramCompiler
{
    private readonly Dictionary<FieldLocation, int> _slots;
    private readonly List<DecodeStep> _steps = [];
    private readonly List<string> _path = [];
    private FieldScope _scope;

    private ProgramCompiler(Dictionary<FieldLocation, int> slots) => _slots = slots;

    /// <summary>Compiles <paramref name="roots"/>, one after the other.</summary>
    public static DecodeProgram Compile(Dictionary<FieldLocation, int> slots, params ReadOnlySpan<(FieldScope Scope, StructureFieldClass? Class)> roots)
    {
        var compiler = new ProgramCompiler(slots);
        var starts = new int[roots.Length];
        for (int i = 0; i < roots.Length; i++)
        {
            starts[i] = roots[i].Class is null ? -1 : compiler._steps.Count;
            compiler._scope = roots[i].Scope;
            if (roots[i].Class is { } root)
                compiler.Add(root, "");
        }
        return new DecodeProgram([.. compiler._steps], starts);
    }

    /// <summary>Gives each location that a length or a selector of <paramref name="fieldClass"/> names a slot.</summary>
    public static void CollectSlots(FieldClass? fieldClass, Dictionary<FieldLocation, int> slots)
    {
        switch (fieldClass)
        {
            case StructureFieldClass structure:
                foreach (var member in structure.Members)
                {
                    if (member.Class is not (IntegerFieldClass or StringFieldClass or FloatingPointFieldClass))
                        CollectSlots(member.Class, slots);
                }
                break;
            case StaticArrayFieldClass array:
                CollectSlots(array.Element, slots);
                break;
            case DynamicArrayFieldClass array:
                slots.TryAdd(array.LengthLocation, slots.Count);
                CollectSlots(array.Element, slots);
                break;
            case VariantFieldClass variant:
                slots.TryAdd(variant.SelectorLocation, slots.Count);
                foreach (var option in variant.Options)
                    CollectSlots(option.Class, slots);
                break;
        }
    }

    private static DecodeStep NewStep(DecodeStepKind kind, string name, FieldClass fieldClass) => new()
    {
        Kind = kind,
        Name = name,
        Class = fieldClass,
        StoreSlot = -1,
        LoadSlot = -1,
        AlignmentMask = fieldClass.AlignmentBits - 1,
    };

    private void Add(FieldClass fieldClass, string name)
    {
        switch (fieldClass)
        {
            case IntegerFieldClass integer:
                AddInteger(integer, name);
                break;
            case FloatingPointFieldClass real:
                Append(NewStep(DecodeStepKind.Real, name, real) with
                {
                    SizeBits = (byte)real.SizeBits,
                    IsBigEndian = real.ByteOrder == ByteOrder.BigEndian,
                });
                break;
            case StringFieldClass:
                Append(NewStep(DecodeStepKind.String, name, fieldClass));
                break;
            case StructureFieldClass structure:
                AddStructure(structure, name);
                break;
            case StaticArrayFieldClass array:
                AddArray(array, array.Element, array.IsText, name, array.Length, -1, array.Role != FieldRole.None);
                break;
            case DynamicArrayFieldClass array:
                AddArray(array, array.Element, array.IsText, name, 0, _slots[array.LengthLocation], isHidden: false);
                break;
            case VariantFieldClass variant:
                AddVariant(variant, name);
                break;
            default:
                throw new InvalidOperationException("Every class of the schema is listed above.");
        }
    }

    private int Append(DecodeStep step)
    {
        step.End = _steps.Count + 1;
        _steps.Add(step);
        return _steps.Count - 1;
    }

    private void AddInteger(IntegerFieldClass integer, string name)
    {
        bool isBytes = integer.AlignmentBits % 8 == 0 && integer.ByteOrder == ByteOrder.LittleEndian;
        var kind = integer.SizeBits switch
        {
            8 when isBytes => DecodeStepKind.Integer8,
            16 when isBytes => DecodeStepKind.Integer16,
            32 when isBytes => DecodeStepKind.Integer32,
            64 when isBytes => DecodeStepKind.Integer64,
            _ => DecodeStepKind.IntegerBits,
        };
        int slot = FindStoreSlot();
        // The packet's end time is not the clock's value where it stands.
        bool updatesClock = integer.MappedClock is not null && integer.Role != FieldRole.PacketEndTime;
        Append(NewStep(kind, name, integer) with
        {
            SizeBits = (byte)integer.SizeBits,
            IsSigned = integer.IsSigned,
            IsBigEndian = integer.ByteOrder == ByteOrder.BigEndian,
            Role = integer.Role,
            UpdatesClock = updatesClock,
            StoreSlot = slot,
            IsSpecial = slot >= 0 || updatesClock || integer.Role != FieldRole.None,
            IsHidden = slot < 0 && (integer.MappedClock is not null || integer.Role != FieldRole.None),
        });
    }

    private int FindStoreSlot()
    {
        if (_slots.Count == 0 || _path.Count == 0)
            return -1;
        return _slots.TryGetValue(new FieldLocation(_scope, [.. _path]), out int slot) ? slot : -1;
    }

    private void AddStructure(StructureFieldClass structure, string name)
    {
        int start = Append(NewStep(DecodeStepKind.Structure, name, structure));
        bool isHidden = structure.Members.Count > 0;
        foreach (var member in structure.Members)
        {
            int index = _steps.Count;
            _path.Add(member.Name);
            Add(member.Class, member.Name);
            _path.RemoveAt(_path.Count - 1);
            isHidden &= _steps[index].IsHidden;
        }
        Close(start, isHidden);
    }

    private void AddArray(FieldClass array, FieldClass element, bool isText, string name, ulong length, int slot, bool isHidden)
    {
        var step = NewStep(isText ? DecodeStepKind.Text : DecodeStepKind.Array, name, array) with
        {
            Length = length,
            LoadSlot = slot,
            IsHidden = isHidden,
            Role = array is StaticArrayFieldClass { Role: var role } ? role : FieldRole.None,
        };
        int start = Append(step);
        if (isText)
            return;
        Add(element, "");
        Close(start, isHidden || _steps[start + 1].IsHidden);
    }

    private void AddVariant(VariantFieldClass variant, string name)
    {
        int start = Append(NewStep(DecodeStepKind.Variant, name, variant) with
        {
            LoadSlot = _slots[variant.SelectorLocation],
            IsSigned = variant.IsSelectorSigned,
        });
        var starts = new int[variant.Options.Count + 1];
        bool isHidden = true;
        for (int i = 0; i < variant.Options.Count; i++)
        {
            starts[i] = _steps.Count;
            _path.Add(variant.Options[i].Name);
            Add(variant.Options[i].Class, variant.Options[i].Name);
            _path.RemoveAt(_path.Count - 1);
            isHidden &= _steps[starts[i]].IsHidden;
        }
        starts[^1] = _steps.Count;
        var step = _steps[start];
        step.OptionStarts = starts;
        _steps[start] = step;
        Close(start, isHidden);
    }

    private void Close(int start, bool isHidden)
    {
        var step = _steps[start];
        step.End = _steps.Count;
        step.IsHidden = isHidden;
        _steps[start] = step;
    }
}
