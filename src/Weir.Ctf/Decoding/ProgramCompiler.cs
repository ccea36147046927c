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
            if (roots[i].Class is not { } root)
                continue;
            compiler.Add(root, "");
            if (roots[i].Scope == FieldScope.PacketContext && !FieldVisibility.IsContextShown(root))
                compiler.Hide(starts[i]);
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
            case DynamicStringFieldClass text:
                slots.TryAdd(text.LengthLocation, slots.Count);
                break;
            case DynamicBlobFieldClass blob:
                slots.TryAdd(blob.LengthLocation, slots.Count);
                break;
            case OptionalFieldClass optional:
                slots.TryAdd(optional.SelectorLocation, slots.Count);
                CollectSlots(optional.Content, slots);
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
        IsHidden = !FieldVisibility.IsShown(fieldClass),
    };

    private void Add(FieldClass fieldClass, string name)
    {
        switch (fieldClass)
        {
            case IntegerFieldClass integer:
                AddInteger(integer, name);
                break;
            case BooleanFieldClass boolean:
                AddBits(DecodeStepKind.Boolean, boolean, name);
                break;
            case BitArrayFieldClass bits:
                AddBits(KindOf(bits), bits, name);
                break;
            case FloatingPointFieldClass real:
                AddBits(DecodeStepKind.Real, real, name);
                break;
            case StringFieldClass text:
                AddText(text.Encoding == TextEncoding.Utf8 ? DecodeStepKind.String : DecodeStepKind.WideString, text, text.Encoding, name);
                break;
            case StaticStringFieldClass text:
                AddText(TextKindOf(text.Encoding), text, text.Encoding, name, length: text.LengthBytes);
                break;
            case DynamicStringFieldClass text:
                AddText(TextKindOf(text.Encoding), text, text.Encoding, name, slot: _slots[text.LengthLocation]);
                break;
            case StaticBlobFieldClass blob:
                Append(NewStep(DecodeStepKind.Blob, name, blob) with
                {
                    Length = blob.LengthBytes,
                    Role = blob.Role,
                });
                break;
            case DynamicBlobFieldClass blob:
                Append(NewStep(DecodeStepKind.Blob, name, blob) with { LoadSlot = _slots[blob.LengthLocation] });
                break;
            case StructureFieldClass structure:
                AddStructure(structure, name);
                break;
            case StaticArrayFieldClass array:
                AddArray(array, array.Element, name, array.Length, -1, array.Role);
                break;
            case DynamicArrayFieldClass array:
                AddArray(array, array.Element, name, 0, _slots[array.LengthLocation], FieldRole.None);
                break;
            case OptionalFieldClass optional:
                AddOptional(optional, name);
                break;
            case VariantFieldClass variant:
                AddVariant(variant, name);
                break;
            default:
                throw new InvalidOperationException("Every class of the schema is listed above.");
        }
    }

    private void Hide(int index)
    {
        var step = _steps[index];
        step.IsHidden = true;
        _steps[index] = step;
    }

    private int Append(DecodeStep step)
    {
        step.End = _steps.Count + 1;
        _steps.Add(step);
        return _steps.Count - 1;
    }

    /// <summary>Byte-aligned little-endian numbers of whole bytes are one load.</summary>
    private static DecodeStepKind KindOf(BitsFieldClass bits)
    {
        bool isLoad = bits.AlignmentBits % 8 == 0 && bits.ByteOrder == ByteOrder.LittleEndian && !bits.IsBitOrderReversed;
        return bits.SizeBits switch
        {
            8 when isLoad => DecodeStepKind.Integer8,
            16 when isLoad => DecodeStepKind.Integer16,
            32 when isLoad => DecodeStepKind.Integer32,
            64 when isLoad => DecodeStepKind.Integer64,
            _ => DecodeStepKind.IntegerBits,
        };
    }

    private static DecodeStepKind TextKindOf(TextEncoding encoding) =>
        encoding == TextEncoding.Utf8 ? DecodeStepKind.Text : DecodeStepKind.WideText;

    private DecodeStep NewBitsStep(DecodeStepKind kind, BitsFieldClass bits, string name)
    {
        int slot = FindStoreSlot();
        return NewStep(kind, name, bits) with
        {
            SizeBits = (byte)bits.SizeBits,
            IsBigEndian = bits.ByteOrder == ByteOrder.BigEndian,
            IsReversed = bits.IsBitOrderReversed,
            StoreSlot = slot,
            IsSpecial = slot >= 0,
        };
    }

    private void AddBits(DecodeStepKind kind, BitsFieldClass bits, string name) => Append(NewBitsStep(kind, bits, name));

    private void AddText(DecodeStepKind kind, FieldClass text, TextEncoding encoding, string name, ulong length = 0, int slot = -1) =>
        Append(NewStep(kind, name, text) with { Encoding = encoding, Length = length, LoadSlot = slot });

    private void AddInteger(IntegerFieldClass integer, string name)
    {
        var step = NewBitsStep(integer.IsVariableLength ? DecodeStepKind.VariableLengthInteger : KindOf(integer), integer, name);
        // The packet's end time is not the clock's value where it stands.
        bool updatesClock = integer.MappedClock is not null && integer.Role != FieldRole.PacketEndTime;
        Append(step with
        {
            IsSigned = integer.IsSigned,
            Role = integer.Role,
            OtherRoles = integer.OtherRoles.Count > 0 ? [.. integer.OtherRoles] : null,
            UpdatesClock = updatesClock,
            IsSpecial = step.StoreSlot >= 0 || updatesClock || integer.Role != FieldRole.None,
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
        foreach (var member in structure.Members)
        {
            _path.Add(member.Name);
            Add(member.Class, member.Name);
            _path.RemoveAt(_path.Count - 1);
        }
        Close(start);
    }

    private void AddArray(FieldClass array, FieldClass element, string name, ulong length, int slot, FieldRole role)
    {
        int start = Append(NewStep(DecodeStepKind.Array, name, array) with { Length = length, LoadSlot = slot, Role = role });
        Add(element, "");
        Close(start);
    }

    private void AddOptional(OptionalFieldClass optional, string name)
    {
        int start = Append(NewStep(DecodeStepKind.Optional, name, optional) with
        {
            LoadSlot = _slots[optional.SelectorLocation],
            IsSigned = optional.IsSelectorSigned,
        });
        Add(optional.Content, "");
        Close(start);
    }

    private void AddVariant(VariantFieldClass variant, string name)
    {
        int start = Append(NewStep(DecodeStepKind.Variant, name, variant) with
        {
            LoadSlot = _slots[variant.SelectorLocation],
            IsSigned = variant.IsSelectorSigned,
        });
        var starts = new int[variant.Options.Count + 1];
        for (int i = 0; i < variant.Options.Count; i++)
        {
            starts[i] = _steps.Count;
            Add(variant.Options[i].Class, variant.Options[i].Name);
        }
        starts[^1] = _steps.Count;
        var step = _steps[start];
        step.OptionStarts = starts;
        _steps[start] = step;
        Close(start);
    }

    private void Close(int start)
    {
        var step = _steps[start];
        step.End = _steps.Count;
        _steps[start] = step;
    }
}
