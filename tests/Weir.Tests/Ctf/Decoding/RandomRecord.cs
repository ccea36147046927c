using System.Text;
using Weir.Ctf;

namespace Weir.Tests.Ctf.Decoding;

/// <summary>
/// A random event class, and records of it written bit by bit, in the most straightforward way, with the words that a reader must then
/// say. What is decoded fast is judged by it.
/// </summary>
internal sealed class RandomRecord
{
    private readonly Random _random;
    private readonly ByteOrder _byteOrder;
    private readonly List<string> _path = [];
    private readonly Dictionary<FieldLocation, ulong> _values = [];
    private readonly List<bool> _bits = [];
    private readonly StringBuilder _words = new();

    public RandomRecord(int seed)
    {
        _random = new Random(seed);
        _byteOrder = _random.Next(2) == 0 ? ByteOrder.LittleEndian : ByteOrder.BigEndian;
        Class = Structure(0, isRoot: true);
        var trace = new TraceClass { CtfVersion = 2 };
        var stream = new DataStreamClass();
        stream.Add(new EventRecordClass { Name = "e", Payload = Class });
        trace.Add(stream);
        Trace = trace;
    }

    public TraceClass Trace { get; }

    public StructureFieldClass Class { get; }

    /// <summary>What a reader must say of the records that were written.</summary>
    public string Words => _words.ToString();

    public long LengthBits => _bits.Count;

    public byte[] Bytes
    {
        get
        {
            var bytes = new byte[(_bits.Count + 7) / 8];
            for (int i = 0; i < _bits.Count; i++)
            {
                if (_bits[i])
                    bytes[i / 8] |= (byte)(1 << (_byteOrder == ByteOrder.LittleEndian ? i % 8 : 7 - (i % 8)));
            }
            return bytes;
        }
    }

    public void Write()
    {
        _path.Clear();
        WriteField(Class, "");
    }

    private StructureFieldClass Structure(int depth, bool isRoot = false)
    {
        var members = new List<StructureMember>();
        if (isRoot)
            members.Add(new StructureMember("first", new IntegerFieldClass(8) { ByteOrder = _byteOrder }));
        int count = _random.Next(0, 4);
        for (int i = 0; i < count; i++)
        {
            string name = $"m{i}";
            FieldLocation At(string member) => new(FieldScope.EventPayload, [.. _path, member]);
            string key = "";
            FieldClass Inner()
            {
                _path.Add(name);
                var inner = Any(depth + 1);
                _path.RemoveAt(_path.Count - 1);
                return inner;
            }
            var fieldClass = _random.Next(depth < 3 ? 14 : 8) switch
            {
                8 => new DynamicArrayFieldClass(Inner(), At(key = $"len{i}"), 1 << _random.Next(6)),
                9 => new StaticArrayFieldClass(Inner(), (ulong)_random.Next(4), 1 << _random.Next(6)),
                10 => new DynamicStringFieldClass(At(key = $"len{i}")),
                11 => new DynamicBlobFieldClass(At(key = $"len{i}")),
                12 => _random.Next(2) == 0
                    ? new OptionalFieldClass(At(key = $"flag{i}"), Inner())
                    : new OptionalFieldClass(At(key = $"sel{i}"), Inner()) { Ranges = [new IntegerRange(1, 2)] },
                13 => new VariantFieldClass(At(key = $"sel{i}"),
                    [new("", Inner(), [new IntegerRange(0, 1)]), new("b", Inner(), [new IntegerRange(2), new IntegerRange(3)])]),
                _ => Inner(),
            };
            if (key.StartsWith("flag", StringComparison.Ordinal))
                members.Add(new StructureMember(key, new BooleanFieldClass(_random.Next(1, 9)) { ByteOrder = _byteOrder }));
            else if (key.Length > 0)
                members.Add(new StructureMember(key, _random.Next(2) == 0 ? new IntegerFieldClass(64) { IsVariableLength = true } : Integer(_random.Next(3, 20), isSigned: false)));
            members.Add(new StructureMember(name, fieldClass));
        }
        return new StructureFieldClass(members, 1 << _random.Next(5));
    }

    private IntegerFieldClass Integer(int sizeBits, bool isSigned) => new(sizeBits, isSigned, 1 << _random.Next(5))
    {
        ByteOrder = _byteOrder,
        BitOrder = (BitOrder)_random.Next(3),
    };

    private FieldClass Any(int depth) => _random.Next(depth < 4 ? 10 : 9) switch
    {
        0 => new BooleanFieldClass(_random.Next(1, 65), 1 << _random.Next(5)) { ByteOrder = _byteOrder, BitOrder = (BitOrder)_random.Next(3) },
        1 => new BitArrayFieldClass(_random.Next(1, 65), 1 << _random.Next(5)) { ByteOrder = _byteOrder, BitOrder = (BitOrder)_random.Next(3) },
        2 => new IntegerFieldClass(64, _random.Next(2) == 0) { IsVariableLength = true },
        3 => new FloatingPointFieldClass(_random.Next(2) == 0 ? 32 : 64, 1 << _random.Next(5)) { ByteOrder = _byteOrder, BitOrder = (BitOrder)_random.Next(3) },
        4 => new StringFieldClass { Encoding = (TextEncoding)_random.Next(5) },
        5 => new StaticStringFieldClass((ulong)(4 * _random.Next(4))) { Encoding = (TextEncoding)_random.Next(5) },
        6 => new StaticBlobFieldClass((ulong)_random.Next(5)),
        7 => new IntegerFieldClass(8 << _random.Next(4), _random.Next(2) == 0) { ByteOrder = _byteOrder },
        8 => Integer(_random.Next(1, 65), _random.Next(2) == 0),
        _ => Structure(depth),
    };

    private void WriteField(FieldClass fieldClass, string name)
    {
        while (_bits.Count % fieldClass.AlignmentBits != 0)
            _bits.Add(false);
        switch (fieldClass)
        {
            case StructureFieldClass structure:
                _words.Append('{');
                foreach (var member in structure.Members)
                {
                    _path.Add(member.Name);
                    WriteField(member.Class, member.Name);
                    _path.RemoveAt(_path.Count - 1);
                }
                _words.Append('}');
                break;
            case BitsFieldClass bits:
                WriteBits(bits, name);
                break;
            case StringFieldClass text:
                WriteText(text.Encoding, -1);
                break;
            case StaticStringFieldClass text:
                WriteText(text.Encoding, (int)text.LengthBytes);
                break;
            case DynamicStringFieldClass text:
                WriteText(TextEncoding.Utf8, (int)_values[text.LengthLocation]);
                break;
            case StaticBlobFieldClass blob:
                WriteBlob((int)blob.LengthBytes);
                break;
            case DynamicBlobFieldClass blob:
                WriteBlob((int)_values[blob.LengthLocation]);
                break;
            case StaticArrayFieldClass array:
                WriteArray(array.Element, (int)array.Length);
                break;
            case DynamicArrayFieldClass array:
                WriteArray(array.Element, (int)_values[array.LengthLocation]);
                break;
            case OptionalFieldClass optional:
                ulong selector = _values[optional.SelectorLocation];
                bool isPresent = optional.Ranges is null ? selector != 0 : selector is 1 or 2;
                _words.Append(isPresent ? '(' : '-');
                if (isPresent)
                    WriteField(optional.Content, "");
                break;
            case VariantFieldClass variant:
                _words.Append('<');
                WriteField(variant.Options[_values[variant.SelectorLocation] < 2 ? 0 : 1].Class, "");
                break;
        }
    }

    private void WriteArray(FieldClass element, int length)
    {
        _words.Append('[');
        for (int i = 0; i < length; i++)
            WriteField(element, "");
        _words.Append(']');
    }

    private void WriteBits(BitsFieldClass bits, string name)
    {
        ulong value = (ulong)_random.NextInt64(long.MinValue, long.MaxValue) >> _random.Next(64);
        if (name.StartsWith("len", StringComparison.Ordinal) || name.StartsWith("sel", StringComparison.Ordinal))
            value = (ulong)_random.Next(4);
        value &= ulong.MaxValue >> (64 - bits.SizeBits);
        if (bits is IntegerFieldClass { IsVariableLength: true, IsSigned: var isSigned })
        {
            WriteVariableLength(value, isSigned);
        }
        else
        {
            bool isReversed = bits.BitOrder == (_byteOrder == ByteOrder.LittleEndian ? BitOrder.LastToFirst : BitOrder.FirstToLast);
            bool isHighFirst = (_byteOrder == ByteOrder.BigEndian) != isReversed;
            for (int i = 0; i < bits.SizeBits; i++)
                _bits.Add(((value >> (isHighFirst ? bits.SizeBits - 1 - i : i)) & 1) != 0);
        }
        if (bits is BooleanFieldClass)
            value = value != 0 ? 1UL : 0;
        if (bits is IntegerFieldClass { IsSigned: true } && bits.SizeBits < 64 && (value >> (bits.SizeBits - 1)) != 0)
            value |= ulong.MaxValue << bits.SizeBits;
        _values[new FieldLocation(FieldScope.EventPayload, [.. _path])] = value;
        if (bits is FloatingPointFieldClass)
            _words.Append(RandomRecordReader.Word(bits.SizeBits == 32 ? BitConverter.UInt32BitsToSingle((uint)value) : BitConverter.UInt64BitsToDouble(value)));
        else
            _words.Append(RandomRecordReader.Word(value));
    }

    private void WriteVariableLength(ulong value, bool isSigned)
    {
        while (true)
        {
            ulong part = value & 0x7f;
            value = isSigned ? (ulong)((long)value >> 7) : value >> 7;
            bool isLast = value == 0 && (!isSigned || (part & 0x40) == 0) || (isSigned && value == ulong.MaxValue && (part & 0x40) != 0);
            WriteByte((byte)(isLast ? part : part | 0x80));
            if (isLast)
                return;
        }
    }

    private void WriteText(TextEncoding encoding, int lengthBytes)
    {
        string text = string.Concat(Enumerable.Range(0, _random.Next(5)).Select(_ => new[] { "a", "é", "\u4e00", "😀" }[_random.Next(4)]));
        Encoding encoder = encoding switch
        {
            TextEncoding.Utf16BigEndian => new UnicodeEncoding(true, false),
            TextEncoding.Utf16LittleEndian => new UnicodeEncoding(false, false),
            TextEncoding.Utf32BigEndian => new UTF32Encoding(true, false),
            TextEncoding.Utf32LittleEndian => new UTF32Encoding(false, false),
            _ => new UTF8Encoding(false),
        };
        while (lengthBytes >= 0 && encoder.GetByteCount(text) > lengthBytes)
            text = text.Length > 1 && char.IsSurrogate(text[^1]) ? text[..^2] : text[..^1];
        byte[] bytes = encoder.GetBytes(text);
        foreach (byte b in bytes)
            WriteByte(b);
        int zeros = lengthBytes < 0 ? encoder.GetByteCount("a") : lengthBytes - bytes.Length;
        for (int i = 0; i < zeros; i++)
            WriteByte(0);
        _words.Append(RandomRecordReader.Word(text));
    }

    private void WriteBlob(int lengthBytes)
    {
        var bytes = new byte[lengthBytes];
        _random.NextBytes(bytes);
        foreach (byte b in bytes)
            WriteByte(b);
        _words.Append(RandomRecordReader.Word(bytes));
    }

    private void WriteByte(byte value)
    {
        for (int i = 0; i < 8; i++)
            _bits.Add(((value >> (_byteOrder == ByteOrder.LittleEndian ? i : 7 - i)) & 1) != 0);
    }
}

/// <summary>Says what it reads as <see cref="RandomRecord"/> does.</summary>
internal readonly unsafe struct RandomRecordReader(StringBuilder words) : IFieldVisitor
{
    public static string Word(ulong value) => $"{value:x};";

    public static string Word(double value) => $"{BitConverter.DoubleToUInt64Bits(value):x}r;";

    public static string Word(string text) => $"\"{text}\";";

    public static string Word(ReadOnlySpan<byte> bytes) => $"#{Convert.ToHexString(bytes)};";

    public void Integer(int step, ulong value) => words.Append(Word(value));

    public void Real(int step, double value) => words.Append(Word(value));

    public void Text(int step, byte* text, int lengthBytes) => words.Append(Word(Encoding.UTF8.GetString(text, lengthBytes)));

    public void BeginStructure(int step) => words.Append('{');

    public void EndStructure(int step) => words.Append('}');

    public void BeginArray(int step, ulong length) => words.Append('[');

    public void Element(int step, ulong index)
    {
    }

    public void EndArray(int step) => words.Append(']');

    public void BeginVariant(int step) => words.Append('<');

    public void EndVariant(int step)
    {
    }

    public void Blob(int step, byte* bytes, long lengthBytes) => words.Append(Word(new ReadOnlySpan<byte>(bytes, (int)lengthBytes)));

    public void BeginOptional(int step, bool isPresent) => words.Append(isPresent ? '(' : '-');

    public void EndOptional(int step)
    {
    }
}
