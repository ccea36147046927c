using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// The fields of one event class as text, in straight lines: the text between two values is one <see cref="Literal"/>, whatever structures it
/// closes and opens, and numbers are read and written in place. It is made for numbers of whole bytes, texts, and arrays of either, in structures:
/// nearly all events there are. The others are left to <see cref="PrettyVisitor"/>, whose text this is to the byte.
/// </summary>
internal sealed unsafe class PrintProgram
{
    /// <summary>Most fields of an event that are lengths of others.</summary>
    internal const int MaxLengths = 8;

    /// <summary>Elements of an array for which there is room at once.</summary>
    private const int ElementsAtOnce = 16;

    private readonly Operation[] _operations;
    private readonly byte[] _literals;
    private readonly int _roomBytes;
    private readonly PrettyStep[] _steps;
    private readonly PrettyColors _colors;

    private PrintProgram(PrintCompiler compiled, PrettyStep[] steps, PrettyColors colors)
    {
        _operations = [.. compiled.Operations];
        _literals = [.. compiled.Literals, .. new byte[Literal.BlockBytes]];
        _steps = steps;
        _colors = colors;
        _roomBytes = _literals.Length + Literal.BlockBytes + ((_operations.Length + (2 * ElementsAtOnce)) * (DecimalText.MaxBytes + 8));
    }

    internal enum Kind : byte
    {
        /// <summary>No value: the text behind the last one.</summary>
        End,

        /// <summary>A number that is not shown.</summary>
        Hidden,

        Unsigned,

        Signed,

        /// <summary>A number that is shown in another way; <see cref="PrettyVisitor"/> writes it, and the text before it.</summary>
        Other,

        Real,

        /// <summary>Text up to a zero byte.</summary>
        String,

        /// <summary>Text of so many bytes.</summary>
        Text,
    }

    /// <summary>Compiles a class's fields; null where they have anything else than the above.</summary>
    public static PrintProgram? TryCreate(DecodeProgram fields, PrettyPlan plan, PrettyColors colors)
    {
        if (colors.IsColored)
            return null;
        var compiler = new PrintCompiler(fields, plan.Steps);
        return compiler.TryCompile() ? new PrintProgram(compiler, plan.Steps, colors) : null;
    }

    /// <summary>Appends the text of an event.</summary>
    /// <param name="text">Takes it.</param>
    /// <param name="record">The event.</param>
    /// <param name="packet">Where its packet's first byte lies, or would lie.</param>
    public void Append(TextBuffer text, in EventRecord record, byte* packet)
    {
        ulong* lengths = stackalloc ulong[MaxLengths];
        // All fields begin at a byte.
        long at = (record.FieldsBits + 7) >> 3;
        long end = record.EndBits >> 3;
        ref byte literals = ref MemoryMarshal.GetArrayDataReference(_literals);
        ref byte to = ref text.Reserve(_roomBytes);
        var operations = _operations;
        for (int i = 0; i < operations.Length; i++)
        {
            ref readonly var operation = ref operations[i];
            to = ref Literal.Copy(ref Unsafe.Add(ref literals, operation.LiteralOffset), operation.LiteralBytes, ref to);
            at = (at + operation.AlignmentMask) & ~operation.AlignmentMask;
            if (operation.IsArray)
            {
                text.End(ref to);
                ulong count = operation.Load >= 0 ? lengths[operation.Load] : operation.Length;
                if (!AppendElements(text, in operation, count, packet, ref at, end))
                    return;
                to = ref text.Reserve(_roomBytes);
                continue;
            }
            if (operation.Kind > Kind.Signed)
            {
                text.End(ref to);
                if (!AppendOther(text, in operation, operation.Load >= 0 ? lengths[operation.Load] : operation.Length, packet, ref at, end, out ulong kept))
                    return;
                if (operation.Store >= 0)
                    lengths[operation.Store] = kept;
                to = ref text.Reserve(_roomBytes);
                continue;
            }
            if (end - at < operation.Bytes)
                break;
            ulong value = operation.Read(packet + at);
            at += operation.Bytes;
            if (operation.Store >= 0)
                lengths[operation.Store] = value;
            if (operation.Kind >= Kind.Unsigned)
                to = ref AppendNumber(ref to, operation.Kind, value);
        }
        text.End(ref to);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref byte AppendNumber(ref byte to, Kind kind, ulong value)
    {
        if (kind == Kind.Signed && (long)value < 0)
        {
            to = (byte)'-';
            to = ref Unsafe.Add(ref to, 1);
            value = 0 - value;
        }
        return ref Unsafe.Add(ref to, DecimalText.Write(ref to, value));
    }

    private bool AppendElements(TextBuffer text, in Operation element, ulong count, byte* packet, ref long at, long end)
    {
        ref byte to = ref text.Reserve(_roomBytes);
        for (ulong i = 0; i < count; i++)
        {
            if (i % ElementsAtOnce == ElementsAtOnce - 1)
            {
                text.End(ref to);
                to = ref text.Reserve(_roomBytes);
            }
            if (element.IsShown)
                to = ref AppendIndex(ref to, i, element.HasIndices);
            at = (at + element.ElementMask) & ~element.ElementMask;
            if (element.Kind > Kind.Signed)
            {
                text.End(ref to);
                if (!AppendOther(text, in element, 0, packet, ref at, end, out _))
                    return false;
                to = ref text.Reserve(_roomBytes);
                continue;
            }
            if (end - at < element.Bytes)
                return false;
            ulong value = element.Read(packet + at);
            at += element.Bytes;
            if (element.Kind >= Kind.Unsigned)
                to = ref AppendNumber(ref to, element.Kind, value);
        }
        text.End(ref to);
        return true;
    }

    private static ref byte AppendIndex(ref byte to, ulong index, bool isShown)
    {
        if (index > 0)
        {
            to = (byte)',';
            to = ref Unsafe.Add(ref to, 1);
        }
        to = (byte)' ';
        to = ref Unsafe.Add(ref to, 1);
        if (!isShown)
            return ref to;
        to = (byte)'[';
        to = ref Unsafe.Add(ref to, 1);
        to = ref Unsafe.Add(ref to, DecimalText.Write(ref to, index));
        Unsafe.WriteUnaligned(ref to, BinaryPrimitives.ReadUInt32LittleEndian("] = "u8));
        return ref Unsafe.Add(ref to, 4);
    }

    /// <summary>Appends what is no plain number. False where it does not lie before the end.</summary>
    private bool AppendOther(TextBuffer text, in Operation operation, ulong length, byte* packet, ref long at, long end, out ulong value)
    {
        value = 0;
        byte* from = packet + at;
        long room = Math.Max(0, end - at);
        if (operation.Kind is Kind.Other or Kind.Real)
        {
            if (room < operation.Bytes)
                return false;
            value = operation.Read(from);
            at += operation.Bytes;
            if (operation.Kind == Kind.Other)
                new PrettyVisitor(text, _steps, _colors).Integer(operation.Step, value);
            else
                text.AppendReal(operation.Bytes == 4 ? BitConverter.UInt32BitsToSingle((uint)value) : BitConverter.UInt64BitsToDouble(value));
            return true;
        }
        if (operation.Kind == Kind.Text && length > (ulong)room)
            return false;
        var bytes = new ReadOnlySpan<byte>(from, (int)Math.Min(operation.Kind == Kind.Text ? (long)length : room, int.MaxValue));
        int zero = bytes.IndexOf((byte)0);
        if (operation.Kind == Kind.String && zero < 0)
            return false;
        at += operation.Kind == Kind.Text ? (long)length : zero + 1;
        if (operation.IsShown)
            text.AppendQuoted(zero < 0 ? bytes : bytes[..zero]);
        return true;
    }

    /// <summary>A value and the text before it.</summary>
    internal struct Operation
    {
        public Kind Kind;

        public bool IsArray;

        /// <summary>Whether elements have their index before them.</summary>
        public bool HasIndices;

        /// <summary>Whether the value is shown.</summary>
        public bool IsShown;

        public bool IsBigEndian;

        public bool IsSigned;

        /// <summary>Bytes of a number.</summary>
        public int Bytes;

        public int LiteralOffset;

        public int LiteralBytes;

        /// <summary>Alignment in bytes, less one.</summary>
        public long AlignmentMask;

        /// <summary>Of an array's elements, the same.</summary>
        public long ElementMask;

        /// <summary>Where the value is kept as a length, or -1.</summary>
        public int Store;

        /// <summary>Where the length is kept, or -1 where it is <see cref="Length"/>.</summary>
        public int Load;

        public ulong Length;

        /// <summary>The step, as <see cref="PrettyPlan.Steps"/> is numbered.</summary>
        public int Step;

        /// <summary>Reads the number; a signed one is extended to 64 bits.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly ulong Read(byte* at) => IsBigEndian ? ReadBigEndian(at) : Bytes switch
        {
            4 => IsSigned ? (ulong)Unsafe.ReadUnaligned<int>(at) : Unsafe.ReadUnaligned<uint>(at),
            8 => Unsafe.ReadUnaligned<ulong>(at),
            2 => IsSigned ? (ulong)Unsafe.ReadUnaligned<short>(at) : Unsafe.ReadUnaligned<ushort>(at),
            1 => IsSigned ? (ulong)(sbyte)*at : *at,
            _ => 0,
        };

        [MethodImpl(MethodImplOptions.NoInlining)]
        private readonly ulong ReadBigEndian(byte* at)
        {
            ulong value = BitReader.Read(at, 0, Bytes * 8, isBigEndian: true);
            return IsSigned ? BitReader.SignExtend(value, Bytes * 8) : value;
        }
    }
}
