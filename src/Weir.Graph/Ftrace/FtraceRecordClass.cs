using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// What the records of one kernel event become: a payload with the fields as they are in the kernel, and the steps that copy them. Fields
/// that lie side by side are one step, whatever they are, because the payload's fields have the record's own sizes and byte order.
/// Immutable and thread-safe.
/// </summary>
public sealed unsafe class FtraceRecordClass
{
    /// <summary>What a text or an array takes beside its bytes: the zero at its end, or its length before it.</summary>
    private const int MaxDynamicExtra = sizeof(uint);

    private readonly CopyStep[] _steps;
    private readonly bool _isBigEndian;
    private readonly int _fixedBytes;
    private readonly int _dynamicCount;

    private FtraceRecordClass(FtraceFormat format, StructureFieldClass payload, CopyStep[] steps, int minimumBytes, bool isBigEndian)
    {
        Format = format;
        Payload = payload;
        _steps = steps;
        MinimumBytes = minimumBytes;
        _isBigEndian = isBigEndian;
        foreach (ref readonly var step in steps.AsSpan())
        {
            _fixedBytes += step.Kind == CopyKind.Bytes ? step.LengthBytes : 0;
            _dynamicCount += step.Kind is CopyKind.Bytes or CopyKind.Add ? 0 : 1;
        }
    }

    private enum CopyKind : byte
    {
        Bytes,
        Text,
        Array,
        TailText,
        TailArray,

        /// <summary>Adds to a number that was just copied.</summary>
        Add,
    }

    /// <summary>The kernel's description.</summary>
    public FtraceFormat Format { get; }

    /// <summary>The fields as a structure.</summary>
    public StructureFieldClass Payload { get; }

    /// <summary>A record has at least this many bytes.</summary>
    public int MinimumBytes { get; }

    /// <summary>Makes the class of an event's records.</summary>
    /// <param name="format">The kernel's description.</param>
    /// <param name="byteOrder">Order of the bytes of all numbers.</param>
    /// <param name="hasLabels">Whether fields with labels become enumerations; they then show the label beside the value.</param>
    /// <exception cref="CtfException">The description is no layout of a record.</exception>
    public static FtraceRecordClass Create(FtraceFormat format, ByteOrder byteOrder, bool hasLabels = false)
    {
        ArgumentNullException.ThrowIfNull(format);
        var builder = new Builder(byteOrder, hasLabels);
        foreach (var field in format.Fields)
        {
            // The record goes on behind the declared elements: their number stands in another field.
            bool isOpen = field.IsArray && format.Name == "kernel_stack" && ReferenceEquals(field, format.Fields[^1]);
            builder.Add(isOpen ? field with { Place = FtraceFieldPlace.Tail } : field);
        }
        return new FtraceRecordClass(format, new StructureFieldClass(builder.Members), [.. builder.Steps], builder.MinimumBytes, byteOrder == ByteOrder.BigEndian);
    }

    /// <summary>The most bytes that the fields of a record of this length take.</summary>
    public long MaximumBytes(int lengthBytes) => _fixedBytes + (_dynamicCount * (lengthBytes + (long)MaxDynamicExtra));

    /// <summary>Copies a record's fields. False where the record is too short for them; nothing was written then.</summary>
    /// <param name="record">The record's first byte, <c>common_type</c>'s.</param>
    /// <param name="lengthBytes">Its length.</param>
    /// <param name="fields">Takes the fields of <see cref="Payload"/>.</param>
    public bool TryCopy(byte* record, int lengthBytes, BitWriter fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        byte* target = fields.Claim(MaximumBytes(lengthBytes));
        byte* end = Copy(record, lengthBytes, target);
        if (end is null)
        {
            // Bits that nobody wrote are zero, and of what was tried here nothing counts as written.
            new Span<byte>(target, checked((int)MaximumBytes(lengthBytes))).Clear();
            return false;
        }
        fields.Take(end - target);
        return true;
    }

    /// <summary>Copies a record's fields to memory. Returns the byte behind the last, or null where the record is too short for them.</summary>
    /// <param name="record">The record's first byte, <c>common_type</c>'s.</param>
    /// <param name="lengthBytes">Its length.</param>
    /// <param name="target">Takes the fields of <see cref="Payload"/>; has room for <see cref="MaximumBytes"/>.</param>
    public byte* Copy(byte* record, int lengthBytes, byte* target)
    {
        if (lengthBytes < MinimumBytes)
            return null;
        foreach (ref readonly var step in _steps.AsSpan())
        {
            if (step.Kind == CopyKind.Bytes)
            {
                Unsafe.CopyBlockUnaligned(target, record + step.OffsetBytes, (uint)step.LengthBytes);
                target += step.LengthBytes;
                continue;
            }
            if (step.Kind == CopyKind.Add)
            {
                Add(target - step.OffsetBytes, step.LengthBytes);
                continue;
            }
            target = CopyDynamic(in step, record, lengthBytes, target);
            if (target is null)
                return null;
        }
        return target;
    }

    private void Add(byte* number, int addend)
    {
        bool isSwapped = _isBigEndian == BitConverter.IsLittleEndian;
        int value = Unsafe.ReadUnaligned<int>(number);
        value = unchecked((isSwapped ? BinaryPrimitives.ReverseEndianness(value) : value) + addend);
        Unsafe.WriteUnaligned(number, isSwapped ? BinaryPrimitives.ReverseEndianness(value) : value);
    }

    private byte* CopyDynamic(in CopyStep step, byte* record, int lengthBytes, byte* target)
    {
        int from = step.OffsetBytes;
        int length = lengthBytes - from;
        if (step.Kind is CopyKind.Text or CopyKind.Array)
        {
            uint location = Unsafe.ReadUnaligned<uint>(record + from);
            if (_isBigEndian == BitConverter.IsLittleEndian)
                location = BinaryPrimitives.ReverseEndianness(location);
            from = (int)(location & 0xffff) + (step.IsRelative ? step.OffsetBytes + sizeof(uint) : 0);
            length = (int)(location >> 16);
            // The kernel leaves the location of what it does not have zero.
            if (location == 0)
                from = 0;
        }
        if (length < 0 || from + length > lengthBytes)
            return null;
        var bytes = new ReadOnlySpan<byte>(record + from, length);
        if (step.Kind is CopyKind.Text or CopyKind.TailText)
        {
            int end = bytes.IndexOf((byte)0);
            if (end >= 0)
                bytes = bytes[..end];
            bytes.CopyTo(new Span<byte>(target, bytes.Length));
            target[bytes.Length] = 0;
            return target + bytes.Length + 1;
        }
        int count = length / step.LengthBytes;
        BinaryPrimitives.WriteUInt32LittleEndian(new Span<byte>(target, sizeof(uint)), (uint)count);
        bytes[..(count * step.LengthBytes)].CopyTo(new Span<byte>(target + sizeof(uint), length));
        return target + sizeof(uint) + (count * step.LengthBytes);
    }

    private struct CopyStep
    {
        public CopyKind Kind;
        public bool IsRelative;
        public int OffsetBytes;

        /// <summary>Bytes to copy, bytes of an element, or what is added to the number that stands <see cref="OffsetBytes"/> before the end.</summary>
        public int LengthBytes;
    }

    private sealed class Builder(ByteOrder byteOrder, bool hasLabels)
    {
        /// <summary>A page holds no longer record.</summary>
        private const int MaxRecordBytes = 1 << 24;

        private readonly HashSet<string> _names = [];

        public List<StructureMember> Members { get; } = [];

        public List<CopyStep> Steps { get; } = [];

        public int MinimumBytes { get; private set; }

        public void Add(FtraceField field)
        {
            if (field.OffsetBytes < 0 || field.SizeBytes < 0 || field.OffsetBytes + (long)field.SizeBytes > MaxRecordBytes)
                throw new CtfException($"field '{field.Name}' at offset {field.OffsetBytes} with {field.SizeBytes} bytes lies in no record");
            if (field.Place == FtraceFieldPlace.Fixed)
                AddFixed(field);
            else
                AddDynamic(field);
        }

        private void AddFixed(FtraceField field)
        {
            MinimumBytes = Math.Max(MinimumBytes, field.OffsetBytes + field.SizeBytes);
            Members.Add(new StructureMember(Unique(field.Name), FixedClass(field)));
            if (field.Addend != 0 && field.SizeBytes == sizeof(int) && !field.IsArray)
            {
                Steps.Add(new CopyStep { Kind = CopyKind.Bytes, OffsetBytes = field.OffsetBytes, LengthBytes = field.SizeBytes });
                Steps.Add(new CopyStep { Kind = CopyKind.Add, OffsetBytes = sizeof(int), LengthBytes = field.Addend });
                return;
            }
            if (Steps.Count > 0 && Steps[^1] is { Kind: CopyKind.Bytes } last && last.OffsetBytes + last.LengthBytes == field.OffsetBytes)
                Steps[^1] = last with { LengthBytes = last.LengthBytes + field.SizeBytes };
            else
                Steps.Add(new CopyStep { Kind = CopyKind.Bytes, OffsetBytes = field.OffsetBytes, LengthBytes = field.SizeBytes });
        }

        private void AddDynamic(FtraceField field)
        {
            bool isTail = field.Place == FtraceFieldPlace.Tail;
            MinimumBytes = Math.Max(MinimumBytes, field.OffsetBytes + (isTail ? 0 : sizeof(uint)));
            var step = new CopyStep { OffsetBytes = field.OffsetBytes, IsRelative = field.Place == FtraceFieldPlace.RelativeLocation, LengthBytes = 1 };
            if (field.IsText)
            {
                Members.Add(new StructureMember(Unique(field.Name), new StringFieldClass()));
                Steps.Add(step with { Kind = isTail ? CopyKind.TailText : CopyKind.Text });
                return;
            }
            string name = Unique(field.Name);
            string lengthName = Unique($"_{name}_length");
            Members.Add(new StructureMember(lengthName, new IntegerFieldClass(32)));
            Members.Add(new StructureMember(name, new DynamicArrayFieldClass(Element(field, out int elementBytes), new FieldLocation(FieldScope.EventPayload, lengthName))));
            Steps.Add(step with { Kind = isTail ? CopyKind.TailArray : CopyKind.Array, LengthBytes = elementBytes });
        }

        private FieldClass FixedClass(FtraceField field)
        {
            if (field.IsText)
                return new StaticStringFieldClass((ulong)field.SizeBytes);
            if (field.IsArray || field.SizeBytes is not (1 or 2 or 4 or 8))
            {
                var element = Element(field, out int elementBytes);
                return new StaticArrayFieldClass(element, (ulong)(field.SizeBytes / elementBytes));
            }
            return Integer(field, field.SizeBytes);
        }

        /// <summary>An array's elements; a structure's are its bytes.</summary>
        private IntegerFieldClass Element(FtraceField field, out int elementBytes)
        {
            bool isWhole = field.Place != FtraceFieldPlace.Fixed || (field.ElementBytes > 0 && field.SizeBytes % field.ElementBytes == 0);
            elementBytes = field.IsArray && isWhole && field.ElementBytes is 1 or 2 or 4 or 8 ? field.ElementBytes : 1;
            return Integer(field with { Symbols = null, Flags = null, MinimumDigits = 0 }, elementBytes);
        }

        private IntegerFieldClass Integer(FtraceField field, int sizeBytes) => new(sizeBytes * 8, field.IsSigned)
        {
            ByteOrder = byteOrder,
            DisplayBase = field.IsHexadecimal || field.IsPointer ? DisplayBase.Hexadecimal : DisplayBase.Decimal,
            Mappings = hasLabels && field.Symbols is { } symbols ? [.. symbols.Select(symbol => new EnumerationMapping(symbol.Label, symbol.Value))] : null,
            Attributes = field.MinimumDigits > 1 ? MinimumDigits.Note(field.MinimumDigits) : null,
        };

        private string Unique(string name)
        {
            string unique = name;
            for (int i = 2; !_names.Add(unique); i++)
                unique = $"{name}_{i}";
            return unique;
        }
    }
}
