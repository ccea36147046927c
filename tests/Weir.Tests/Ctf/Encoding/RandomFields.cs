using System.Text;
using Weir.Ctf;

namespace Weir.Tests.Ctf;

/// <summary>Random payload classes, and random values for them; of all classes of the schema, or of those that CTF 1.8 has too.</summary>
internal sealed class RandomFields(Random random, bool is18)
{
    private static readonly string[] s_texts = ["plain", "é\u00fc\u20ac", "a b", "\U0001F600!", "x"];

    private readonly Dictionary<FieldClass, (int Low, int High)> _bounds = [];
    private readonly Dictionary<string, ulong> _values = [];
    private int _names;

    public StructureFieldClass CreatePayload() => CreateStructure([], 3);

    /// <summary>Writes random values, at the alignment of their classes.</summary>
    public void Write(FieldClass fieldClass, BitWriter writer, string name = "")
    {
        writer.Align(fieldClass is VariantFieldClass or OptionalFieldClass ? 1 : fieldClass.AlignmentBits);
        switch (fieldClass)
        {
            case IntegerFieldClass { IsVariableLength: true }:
                writer.Write((ulong)random.Next(128), 8);
                break;
            case BitsFieldClass bits:
                ulong value = _bounds.TryGetValue(bits, out var bounds) ? (ulong)random.Next(bounds.Low, bounds.High + 1) : (ulong)random.NextInt64();
                _values[name] = value;
                writer.Write(bits is FloatingPointFieldClass ? RealBits(bits.SizeBits) : value, bits.SizeBits, bits.ByteOrder == ByteOrder.BigEndian);
                break;
            case StringFieldClass text:
                writer.WriteBytes(EncodingOf(text.Encoding).GetBytes(s_texts[random.Next(s_texts.Length)] + "\0"));
                break;
            case StaticStringFieldClass text:
                byte[] padded = new byte[text.LengthBytes];
                EncodingOf(text.Encoding).GetBytes("ab").CopyTo(padded, 0);
                writer.WriteBytes(padded);
                break;
            case DynamicStringFieldClass text:
                writer.WriteBytes(Encoding.UTF8.GetBytes(new string('k', (int)_values[text.LengthLocation.Path[^1]])));
                break;
            case StaticBlobFieldClass blob:
                writer.WriteZeros((long)blob.LengthBytes);
                break;
            case DynamicBlobFieldClass blob:
                writer.WriteZeros((long)_values[blob.LengthLocation.Path[^1]]);
                break;
            case StructureFieldClass structure:
                foreach (var member in structure.Members)
                    Write(member.Class, writer, member.Name);
                break;
            case StaticArrayFieldClass array:
                for (ulong i = 0; i < array.Length; i++)
                    Write(array.Element, writer);
                break;
            case DynamicArrayFieldClass array:
                ulong length = _values[array.LengthLocation.Path[^1]];
                for (ulong i = 0; i < length; i++)
                    Write(array.Element, writer);
                break;
            case VariantFieldClass variant:
                Write(variant.Options[(int)_values[variant.SelectorLocation.Path[^1]]].Class, writer);
                break;
            case OptionalFieldClass optional when _values[optional.SelectorLocation.Path[^1]] != 0:
                Write(optional.Content, writer);
                break;
        }
    }

    private StructureFieldClass CreateStructure(string[] path, int depth)
    {
        var members = new List<StructureMember>();
        int count = random.Next(1, 5);
        for (int i = 0; i < count; i++)
        {
            int kind = random.Next(10);
            if (kind < 4)
                AddDependent(members, path, depth, is18 ? kind % 3 : kind + (random.Next(2) * 2));
            else
                members.Add(new StructureMember(Name(), CreateAny([.. path, Peek()], depth)));
        }
        return new StructureFieldClass(members, 1 << random.Next(5));
    }

    private void AddDependent(List<StructureMember> members, string[] path, int depth, int kind)
    {
        string selector = Name();
        var location = new FieldLocation(FieldScope.EventPayload, [.. path, selector]);
        string name = Name();
        string[] inner = [.. path, name];
        if (kind == 2)
        {
            var tag = new IntegerFieldClass(8) { Mappings = [new("left", 0), new("right", 1)] };
            _bounds[tag] = (0, 1);
            members.Add(new StructureMember(selector, tag));
            members.Add(new StructureMember(name, VariantFieldClass.ByLabel(location, tag, new("left", CreateAny(inner, depth - 1)), new("right", CreateAny(inner, depth - 1)))));
            return;
        }
        if (kind == 3)
        {
            var flag = new BooleanFieldClass(random.Next(1, 9));
            _bounds[flag] = (0, 1);
            members.Add(new StructureMember(selector, flag));
            members.Add(new StructureMember(name, new OptionalFieldClass(location, CreateAny(inner, depth - 1))));
            return;
        }
        var length = new IntegerFieldClass(random.Next(3, 20), alignmentBits: 1 << random.Next(4));
        _bounds[length] = (is18 ? 1 : 0, 3);
        members.Add(new StructureMember(selector, length));
        members.Add(new StructureMember(name, kind switch
        {
            0 => new DynamicArrayFieldClass(CreateAny(inner, depth - 1), location),
            1 => new DynamicStringFieldClass(location),
            _ => new DynamicBlobFieldClass(location),
        }));
    }

    private FieldClass CreateAny(string[] path, int depth)
    {
        int kind = random.Next(is18 ? 8 : 12);
        if (depth <= 0)
            kind = random.Next(4);
        var encoding = is18 ? TextEncoding.Utf8 : (TextEncoding)random.Next(5);
        int alignmentBits = 1 << random.Next(6);
        return kind switch
        {
            0 or 1 => CreateInteger(),
            2 => new FloatingPointFieldClass(random.Next(2) == 0 ? 32 : 64, alignmentBits),
            3 => new StringFieldClass { Encoding = encoding },
            4 or 5 => CreateStructure(path, depth - 1),
            6 => new StaticArrayFieldClass(CreateAny(path, depth - 1), (ulong)random.Next(4)),
            7 => new StaticStringFieldClass(12) { Encoding = encoding },
            8 => new BooleanFieldClass(random.Next(1, 65), alignmentBits),
            9 => new BitArrayFieldClass(random.Next(1, 65), alignmentBits),
            10 => new IntegerFieldClass(64, isSigned: random.Next(2) == 0) { IsVariableLength = true },
            _ => new StaticBlobFieldClass(3),
        };
    }

    private IntegerFieldClass CreateInteger()
    {
        bool isWhole = random.Next(2) == 0;
        return new IntegerFieldClass(isWhole ? 8 * random.Next(1, 9) : random.Next(1, 65), isSigned: random.Next(2) == 0, alignmentBits: isWhole ? 8 << random.Next(3) : 1)
        {
            // Two orders in one byte are an error.
            ByteOrder = isWhole && random.Next(2) == 0 ? ByteOrder.BigEndian : ByteOrder.LittleEndian,
            DisplayBase = random.Next(3) == 0 && isWhole ? DisplayBase.Hexadecimal : DisplayBase.Decimal,
            Mappings = random.Next(4) == 0 ? [new("small \"one\"", 0, 7), new("large", 8, 120)] : null,
        };
    }

    private string Name() => $"f{_names++}";

    private string Peek() => $"f{_names - 1}";

    private ulong RealBits(int sizeBits) =>
        sizeBits == 32 ? BitConverter.SingleToUInt32Bits((float)random.NextDouble()) : BitConverter.DoubleToUInt64Bits(random.NextDouble());

    private static Encoding EncodingOf(TextEncoding encoding) => encoding switch
    {
        TextEncoding.Utf16BigEndian => Encoding.BigEndianUnicode,
        TextEncoding.Utf16LittleEndian => Encoding.Unicode,
        TextEncoding.Utf32BigEndian => new UTF32Encoding(bigEndian: true, byteOrderMark: false),
        TextEncoding.Utf32LittleEndian => Encoding.UTF32,
        _ => Encoding.UTF8,
    };
}
