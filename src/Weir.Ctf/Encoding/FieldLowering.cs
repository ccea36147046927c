namespace Weir.Ctf;

/// <summary>
/// Turns the structures of a trace that is read into those of a trace that is written: classes that the version of CTF lacks become
/// others, fields that only served the reader (a timestamp of the header, say) go, and lengths and selectors that can no longer be referred
/// to get a field of their own (a companion) in front of what needs them. At the same time it makes the program that writes the
/// fields so. Bit-packed big-endian numbers become little-endian: where they begin may change, and two byte orders in one byte are an error.
/// </summary>
/// <remarks>
/// <code>
/// class                       CTF 1.8                                            CTF 2
/// boolean                     unsigned integer                                   -
/// bit array                   unsigned integer, hexadecimal                      -
/// variable-length integer     integer of 64 bits                                 -
/// text, UTF-16 or UTF-32      string, UTF-8                                      -
/// BLOB                        array of bytes, hexadecimal                        -
/// optional field              variant of "none" and "content", with a companion  -
/// variant                     with a companion, unless its selector has labels   with a companion, if options overlap
///                             as the options' names
/// </code>
/// </remarks>
internal sealed partial class FieldLowering
{
    private readonly CtfVersion _version;
    private readonly FieldLowering? _outer;
    private readonly IReadOnlyCollection<string> _reservedNames;
    private readonly Dictionary<FieldLocation, Target> _targets = [];
    private readonly List<string> _inputPath = [];
    private readonly List<string> _outputPath = [];
    private readonly List<Frame> _frames = [];
    private DecodeStep[] _source = [];
    private EncodeStep[] _steps = [];
    private FieldScope _scope;
    private int _indirections;
    private bool _isCopy;

    /// <summary>Creates a lowering.</summary>
    /// <param name="version">The version to be written.</param>
    /// <param name="outer">The lowering of the structures that stand before, which locations may refer to; or null.</param>
    /// <param name="reservedNames">Names that the members of root structures may not have.</param>
    public FieldLowering(CtfVersion version, FieldLowering? outer = null, IReadOnlyCollection<string>? reservedNames = null)
    {
        _version = version;
        _outer = outer;
        _reservedNames = reservedNames ?? [];
    }

    /// <summary>An integer or boolean field that the input's lengths or selectors name, as it is in the output.</summary>
    private sealed record Target(FieldLocation Output, FieldClass Class, bool IsIndirect);

    /// <summary>A structure that is being built.</summary>
    private sealed record Frame(List<StructureMember> Members, int PathLength);

    /// <summary>Where a field stands: a member of a structure (then with its name), or inside something else.</summary>
    private sealed class Place
    {
        public List<StructureMember>? Members { get; init; }

        /// <summary>The members of a structure that had to be made to hold a companion.</summary>
        public List<StructureMember>? Wrap { get; set; }
    }

    /// <summary>Lowers the structures of a program.</summary>
    /// <param name="program">The program that decodes them.</param>
    /// <param name="scopes">What its roots are.</param>
    /// <param name="roots">The structures as they are to be written; null where there is none.</param>
    public EncodeProgram Lower(DecodeProgram program, ReadOnlySpan<FieldScope> scopes, out StructureFieldClass?[] roots)
    {
        _source = program.StepArray;
        _steps = new EncodeStep[_source.Length];
        _isCopy = true;
        roots = new StructureFieldClass?[program.RootStarts.Count];
        for (int i = 0; i < roots.Length; i++)
        {
            _scope = scopes[i];
            if (program.RootStarts[i] is >= 0 and var start)
                roots[i] = LowerStructure(start);
        }
        return new EncodeProgram(_steps, [.. program.RootStarts], _isCopy);
    }

    /// <summary>How a field is written as <paramref name="fieldClass"/>; what does not come from the class is as in the source's step.</summary>
    public static EncodeStep CreateStep(in DecodeStep source, FieldClass fieldClass)
    {
        var step = new EncodeStep { AlignmentMask = fieldClass.AlignmentBits - 1, LengthSlot = source.LoadSlot };
        switch (fieldClass)
        {
            case IntegerFieldClass { IsVariableLength: true } integer:
                step.Kind = EncodeStepKind.VariableInteger;
                step.IsSigned = integer.IsSigned;
                break;
            case BitsFieldClass bits:
                step.Kind = bits is FloatingPointFieldClass ? EncodeStepKind.Real : EncodeStepKind.Integer;
                step.SizeBits = (byte)bits.SizeBits;
                step.IsBigEndian = bits.ByteOrder == ByteOrder.BigEndian;
                break;
            case StringFieldClass text:
                step.Kind = EncodeStepKind.String;
                step.Encoding = text.Encoding;
                break;
            case StaticStringFieldClass text:
                step.Kind = EncodeStepKind.Text;
                step.Encoding = text.Encoding;
                step.LengthBytes = text.LengthBytes;
                break;
            case DynamicStringFieldClass text:
                step.Kind = EncodeStepKind.Text;
                step.Encoding = text.Encoding;
                break;
            case StaticBlobFieldClass or DynamicBlobFieldClass:
                step.Kind = EncodeStepKind.Blob;
                break;
            case VariantFieldClass or OptionalFieldClass:
                step.Kind = EncodeStepKind.Wrapper;
                step.AlignmentMask = 0;
                break;
            default:
                step.Kind = EncodeStepKind.Aligned;
                break;
        }
        return step;
    }

    private StructureFieldClass LowerStructure(int index)
    {
        var source = (StructureFieldClass)_source[index].Class;
        bool isRoot = _outputPath.Count == 0;
        var members = new List<StructureMember>(source.Members.Count);
        var names = new HashSet<string>(isRoot ? _reservedNames : [], StringComparer.Ordinal);
        _frames.Add(new Frame(members, _outputPath.Count));
        int memberIndex = 0;
        for (int i = index + 1; i < _source[index].End; i = _source[i].End)
        {
            var member = source.Members[memberIndex++];
            if (_source[i].IsHidden)
            {
                _isCopy = false;
                continue;
            }
            string name = UniqueName(names, member.Name);
            _inputPath.Add(member.Name);
            _outputPath.Add(name);
            var fieldClass = LowerField(i, new Place { Members = members });
            _inputPath.RemoveAt(_inputPath.Count - 1);
            _outputPath.RemoveAt(_outputPath.Count - 1);
            members.Add(new StructureMember(name, fieldClass) { Attributes = member.Attributes });
        }
        _frames.RemoveAt(_frames.Count - 1);
        var structure = new StructureFieldClass(members, source.MinimumAlignmentBits) { Attributes = source.Attributes };
        _steps[index] = CreateStep(in _source[index], structure);
        return structure;
    }

    private FieldClass LowerField(int index, Place place)
    {
        var source = _source[index].Class;
        var lowered = source switch
        {
            StructureFieldClass => LowerStructure(index),
            VariantFieldClass variant => LowerVariant(index, variant, place),
            OptionalFieldClass optional => LowerOptional(index, optional, place),
            StaticArrayFieldClass array => LowerStaticArray(index, array),
            DynamicArrayFieldClass array => LowerDynamicArray(index, array, place),
            _ => LowerLeaf(index, source, place),
        };
        if (place.Wrap is not { } wrap)
            return lowered;
        _outputPath.RemoveAt(_outputPath.Count - 1);
        _frames.RemoveAt(_frames.Count - 1);
        wrap.Add(new StructureMember("value", lowered));
        var structure = new StructureFieldClass(wrap);
        _steps[index].LeadMask = structure.AlignmentBits - 1;
        return structure;
    }

    private StaticArrayFieldClass LowerStaticArray(int index, StaticArrayFieldClass array)
    {
        var element = LowerElement(index);
        var lowered = new StaticArrayFieldClass(element, array.Length, MinimumAlignment(array.MinimumAlignmentBits, element)) { Attributes = array.Attributes };
        _steps[index] = CreateStep(in _source[index], lowered);
        return lowered;
    }

    private DynamicArrayFieldClass LowerDynamicArray(int index, DynamicArrayFieldClass array, Place place)
    {
        var location = FindLength(index, array.LengthLocation, place);
        var element = LowerElement(index);
        var lowered = new DynamicArrayFieldClass(element, location, MinimumAlignment(array.MinimumAlignmentBits, element)) { Attributes = array.Attributes };
        SetStep(index, lowered);
        return lowered;
    }

    private FieldClass LowerElement(int index)
    {
        _indirections++;
        var element = LowerField(index + 1, new Place());
        _indirections--;
        return element;
    }

    private FieldClass LowerLeaf(int index, FieldClass source, Place place)
    {
        var lowered = source switch
        {
            IntegerFieldClass integer => LowerInteger(integer),
            BooleanFieldClass boolean => LowerBoolean(boolean),
            BitArrayFieldClass bits => LowerBitArray(bits),
            FloatingPointFieldClass real => LowerReal(real),
            _ => LowerText(index, source, place),
        };
        SetStep(index, lowered);
        if (source is StaticBlobFieldClass or DynamicBlobFieldClass)
            _steps[index].Kind = EncodeStepKind.Blob;
        if (_source[index].StoreSlot >= 0)
            AddTarget(lowered);
        return lowered;
    }

    private FieldClass LowerText(int index, FieldClass source, Place place)
    {
        bool is18 = _version == CtfVersion.Ctf18;
        switch (source)
        {
            case StringFieldClass { Encoding: not TextEncoding.Utf8 } or StaticStringFieldClass { Encoding: not TextEncoding.Utf8 }
                or DynamicStringFieldClass { Encoding: not TextEncoding.Utf8 } when is18:
                _isCopy = false;
                return new StringFieldClass();
            case StringFieldClass:
                return source;
            case StaticStringFieldClass:
                return source;
            case DynamicStringFieldClass text:
                var location = FindLength(index, text.LengthLocation, place);
                return new DynamicStringFieldClass(location) { Encoding = text.Encoding, Attributes = text.Attributes };
            case StaticBlobFieldClass blob:
                return is18 ? new StaticArrayFieldClass(CreateByte(), blob.LengthBytes)
                    : new StaticBlobFieldClass(blob.LengthBytes) { MediaType = blob.MediaType, Attributes = blob.Attributes };
            case DynamicBlobFieldClass blob:
                location = FindLength(index, blob.LengthLocation, place);
                return is18 ? new DynamicArrayFieldClass(CreateByte(), location)
                    : new DynamicBlobFieldClass(location) { MediaType = blob.MediaType, Attributes = blob.Attributes };
            default:
                throw new InvalidOperationException("Every class of the schema is listed above.");
        }
    }

    /// <summary>TSDL has no alignment of arrays but that of their elements.</summary>
    private int MinimumAlignment(int alignmentBits, FieldClass element)
    {
        if (_version == CtfVersion.Ctf2)
            return alignmentBits;
        _isCopy &= alignmentBits <= element.AlignmentBits;
        return 1;
    }

    private static IntegerFieldClass CreateByte() => new(8) { DisplayBase = DisplayBase.Hexadecimal };

    /// <summary>Where a length lies in the output: where it was, or in a companion.</summary>
    private FieldLocation FindLength(int index, FieldLocation input, Place place)
    {
        if (FindTarget(input) is { Class: IntegerFieldClass { IsSigned: false } } target && CanRefer(target))
            return target.Output;
        _steps[index].LengthSlot = -1;
        return AddCompanion(index, place, "length", new IntegerFieldClass(32));
    }

    private void SetStep(int index, FieldClass lowered)
    {
        byte companionBits = _steps[index].CompanionBits;
        _steps[index] = CreateStep(in _source[index], lowered);
        _steps[index].CompanionBits = companionBits;
        if (companionBits > 0)
            _steps[index].LengthSlot = -1;
    }
}
