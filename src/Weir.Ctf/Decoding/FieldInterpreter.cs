using System.Runtime.CompilerServices;

namespace Weir.Ctf;

/// <summary>How far decoding came.</summary>
public enum DecodeStatus : byte
{
    /// <summary>Everything was decoded.</summary>
    Done,

    /// <summary>The bytes end before the field does.</summary>
    OutOfBytes,

    /// <summary>A variant's selector selects no option.</summary>
    NoOption,

    /// <summary>Two numbers of different byte order share a byte.</summary>
    ByteOrderChange,

    /// <summary>Arrays have more elements without bits than anybody may want to see.</summary>
    TooManyElements,

    /// <summary>No more events in the packet.</summary>
    EndOfPacket,

    /// <summary>The event header's ID is not that of an event record class.</summary>
    UnknownEvent,

    /// <summary>An event record takes no bits, so nobody can say how many there are.</summary>
    EmptyRecord,
}

/// <summary>
/// Receives the fields of a program that is run; implemented by a struct, so that each visitor gets code of its own. Steps are numbered
/// as in <see cref="DecodeProgram.Steps"/>.
/// </summary>
public unsafe interface IFieldVisitor
{
    /// <summary>An integer, a boolean (0 or 1) or a bit array; a signed integer is extended to 64 bits.</summary>
    void Integer(int step, ulong value);

    /// <summary>A floating point number; a single one is converted.</summary>
    void Real(int step, double value);

    /// <summary>Text in UTF-8 (whatever the trace has) without its final zero; valid during the call.</summary>
    void Text(int step, byte* text, int lengthBytes);

    /// <summary>A structure begins; false passes over its inside without a call.</summary>
    void BeginStructure(int step);

    /// <summary>The structure ends.</summary>
    void EndStructure(int step);

    /// <summary>An array begins.</summary>
    void BeginArray(int step, ulong length);

    /// <summary>The array's element <paramref name="index"/> comes next.</summary>
    void Element(int step, ulong index);

    /// <summary>The array ends.</summary>
    void EndArray(int step);

    /// <summary>A variant begins; the steps of the selected option come next.</summary>
    void BeginVariant(int step);

    /// <summary>The variant ends.</summary>
    void EndVariant(int step);

    /// <summary>Bytes that mean nothing to CTF; valid during the call.</summary>
    void Blob(int step, byte* bytes, long lengthBytes);

    /// <summary>An optional field begins; the steps of its content come next if it is there.</summary>
    void BeginOptional(int step, bool isPresent);

    /// <summary>The optional field ends.</summary>
    void EndOptional(int step);
}

/// <summary>A visitor that wants nothing.</summary>
internal unsafe struct NoVisitor : IFieldVisitor
{
    public readonly void Integer(int step, ulong value)
    {
    }

    public readonly void Real(int step, double value)
    {
    }

    public readonly void Text(int step, byte* text, int lengthBytes)
    {
    }

    public readonly void BeginStructure(int step)
    {
    }

    public readonly void EndStructure(int step)
    {
    }

    public readonly void BeginArray(int step, ulong length)
    {
    }

    public readonly void Element(int step, ulong index)
    {
    }

    public readonly void EndArray(int step)
    {
    }

    public readonly void BeginVariant(int step)
    {
    }

    public readonly void EndVariant(int step)
    {
    }

    public readonly void Blob(int step, byte* bytes, long lengthBytes)
    {
    }

    public readonly void BeginOptional(int step, bool isPresent)
    {
    }

    public readonly void EndOptional(int step)
    {
    }
}

/// <summary>What decoding carries from field to field.</summary>
internal sealed class DecodeState(int slotCount)
{
    public readonly ulong[] Slots = new ulong[slotCount];

    public ulong Clock;

    public ulong EventClassId;

    public bool HasEventClassId;

    /// <summary>Byte order of the last number that ended inside a byte.</summary>
    public bool IsLastBigEndian;

    public PacketProperties Packet;

    public unsafe byte* UuidBytes;

    /// <summary>Elements of arrays that took no bits, since whoever runs programs began a record or a packet.</summary>
    public int EmptyElementCount;
}

/// <summary>Runs programs over bytes. Positions are in bits from the packet's beginning.</summary>
internal static unsafe class FieldInterpreter
{
    /// <summary>
    /// Most elements without bits in one record: the bytes that there are bound all others, but arrays of these, one inside another,
    /// would make a few bytes last for ever.
    /// </summary>
    private const int MaxEmptyElements = 1 << 16;

    /// <summary>Runs the steps from <paramref name="from"/> up to <paramref name="to"/>.</summary>
    /// <param name="steps">The program's steps.</param>
    /// <param name="from">First step.</param>
    /// <param name="to">The step to stop before.</param>
    /// <param name="start">Where the packet's first byte lies, or would lie.</param>
    /// <param name="position">In: where to begin. Out: behind what was decoded; undefined unless done.</param>
    /// <param name="limit">Bits from here on may not be touched.</param>
    /// <param name="state">Clock, slots and the packet's properties.</param>
    /// <param name="visitor">Receives the fields.</param>
    public static DecodeStatus Run<TVisitor>(
        DecodeStep[] steps, int from, int to, byte* start, ref long position, long limit, DecodeState state, ref TVisitor visitor)
        where TVisitor : struct, IFieldVisitor
    {
        long at = position;
        for (int i = from; i < to;)
        {
            ref readonly var step = ref steps[i];
            at = (at + step.AlignmentMask) & ~step.AlignmentMask;
            ulong value;
            switch (step.Kind)
            {
                case DecodeStepKind.Integer8:
                    if (limit - at < 8)
                        return DecodeStatus.OutOfBytes;
                    value = step.IsSigned ? (ulong)BitReader.Load<sbyte>(start, at) : BitReader.Load<byte>(start, at);
                    at += 8;
                    break;
                case DecodeStepKind.Integer16:
                    if (limit - at < 16)
                        return DecodeStatus.OutOfBytes;
                    value = step.IsSigned ? (ulong)BitReader.Load<short>(start, at) : BitReader.Load<ushort>(start, at);
                    at += 16;
                    break;
                case DecodeStepKind.Integer32:
                    if (limit - at < 32)
                        return DecodeStatus.OutOfBytes;
                    value = step.IsSigned ? (ulong)BitReader.Load<int>(start, at) : BitReader.Load<uint>(start, at);
                    at += 32;
                    break;
                case DecodeStepKind.Integer64:
                    if (limit - at < 64)
                        return DecodeStatus.OutOfBytes;
                    value = BitReader.Load<ulong>(start, at);
                    at += 64;
                    break;
                case DecodeStepKind.Skip:
                    if (limit - at < (long)step.Length)
                        return DecodeStatus.OutOfBytes;
                    at += (long)step.Length;
                    i++;
                    continue;
                case DecodeStepKind.IntegerBits:
                    var status = ReadBits(in step, start, ref at, limit, state, out value);
                    if (status != DecodeStatus.Done)
                        return status;
                    break;
                default:
                    status = RunOther(steps, i, start, ref at, limit, state, ref visitor);
                    if (status != DecodeStatus.Done)
                        return status;
                    i = step.End;
                    continue;
            }
            if (step.IsSpecial)
                Keep(in step, value, state);
            visitor.Integer(i, value);
            i++;
        }
        position = at;
        return DecodeStatus.Done;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static DecodeStatus ReadBits(in DecodeStep step, byte* start, ref long at, long limit, DecodeState state, out ulong value)
    {
        value = 0;
        if (limit - at < step.SizeBits)
            return DecodeStatus.OutOfBytes;
        if ((at & 7) != 0 && state.IsLastBigEndian != step.IsBigEndian)
            return DecodeStatus.ByteOrderChange;
        state.IsLastBigEndian = step.IsBigEndian;
        value = BitReader.Read(start, at, step.SizeBits, step.IsBigEndian);
        if (step.IsSigned)
            value = BitReader.SignExtend(value, step.SizeBits);
        at += step.SizeBits;
        return DecodeStatus.Done;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static DecodeStatus RunOther<TVisitor>(
        DecodeStep[] steps, int index, byte* start, ref long at, long limit, DecodeState state, ref TVisitor visitor)
        where TVisitor : struct, IFieldVisitor
    {
        ref readonly var step = ref steps[index];
        switch (step.Kind)
        {
            case DecodeStepKind.Real:
                var status = ReadBits(in step, start, ref at, limit, state, out ulong value);
                if (status == DecodeStatus.Done)
                    visitor.Real(index, step.SizeBits == 32 ? BitConverter.UInt32BitsToSingle((uint)value) : BitConverter.UInt64BitsToDouble(value));
                return status;
            case DecodeStepKind.String:
                long room = (limit - at) >> 3;
                byte* text = start + (at >> 3);
                int length = new ReadOnlySpan<byte>(text, (int)Math.Clamp(room, 0, int.MaxValue)).IndexOf((byte)0);
                if (length < 0)
                    return DecodeStatus.OutOfBytes;
                visitor.Text(index, text, length);
                at += ((long)length + 1) << 3;
                return DecodeStatus.Done;
            case DecodeStepKind.Text:
                return RunText(in step, index, start, ref at, limit, state, ref visitor);
            case DecodeStepKind.Structure:
                visitor.BeginStructure(index);
                status = Run(steps, index + 1, step.End, start, ref at, limit, state, ref visitor);
                visitor.EndStructure(index);
                return status;
            case DecodeStepKind.Array:
                return RunArray(steps, index, start, ref at, limit, state, ref visitor);
            default:
                return RunVariant(steps, index, start, ref at, limit, state, ref visitor);
        }
    }

    private static DecodeStatus RunText<TVisitor>(
        in DecodeStep step, int index, byte* start, ref long at, long limit, DecodeState state, ref TVisitor visitor)
        where TVisitor : struct, IFieldVisitor
    {
        ulong lengthBytes = step.LoadSlot >= 0 ? state.Slots[step.LoadSlot] : step.Length;
        if (lengthBytes > (ulong)Math.Max(0, limit - at) >> 3)
            return DecodeStatus.OutOfBytes;
        byte* text = start + (at >> 3);
        at += (long)lengthBytes << 3;
        int shown = new ReadOnlySpan<byte>(text, (int)Math.Min(lengthBytes, int.MaxValue)).IndexOf((byte)0);
        visitor.Text(index, text, shown < 0 ? (int)Math.Min(lengthBytes, int.MaxValue) : shown);
        return DecodeStatus.Done;
    }

    private static DecodeStatus RunArray<TVisitor>(
        DecodeStep[] steps, int index, byte* start, ref long at, long limit, DecodeState state, ref TVisitor visitor)
        where TVisitor : struct, IFieldVisitor
    {
        ref readonly var step = ref steps[index];
        ulong length = step.LoadSlot >= 0 ? state.Slots[step.LoadSlot] : step.Length;
        if (step.Role == FieldRole.TraceUuid)
            state.UuidBytes = start + (at >> 3);
        if (length > MaxEmptyElements && length > (ulong)Math.Max(0, limit - at))
            return DecodeStatus.OutOfBytes;
        if (step.StrideBits > 0)
        {
            if (length > (ulong)(Math.Max(0, limit - at) / step.StrideBits) + 1)
                return DecodeStatus.OutOfBytes;
            // All but the last, which may be followed by no padding.
            if (length > 1)
                at += (long)(length - 1) * step.StrideBits;
            return length == 0 ? DecodeStatus.Done : Run(steps, index + 1, step.End, start, ref at, limit, state, ref visitor);
        }
        visitor.BeginArray(index, length);
        for (ulong i = 0; i < length; i++)
        {
            long before = at;
            visitor.Element(index, i);
            var status = Run(steps, index + 1, step.End, start, ref at, limit, state, ref visitor);
            if (status != DecodeStatus.Done)
                return status;
            if (at == before && ++state.EmptyElementCount > MaxEmptyElements)
                return DecodeStatus.TooManyElements;
        }
        visitor.EndArray(index);
        return DecodeStatus.Done;
    }

    private static DecodeStatus RunVariant<TVisitor>(
        DecodeStep[] steps, int index, byte* start, ref long at, long limit, DecodeState state, ref TVisitor visitor)
        where TVisitor : struct, IFieldVisitor
    {
        ref readonly var step = ref steps[index];
        long selector = (long)state.Slots[step.LoadSlot];
        var options = ((VariantFieldClass)step.Class).Options;
        for (int i = 0; i < options.Count; i++)
        {
            var ranges = options[i].Ranges;
            for (int j = 0; j < ranges.Count; j++)
            {
                if (!ranges[j].Contains(selector, step.IsSigned))
                    continue;
                visitor.BeginVariant(index);
                var status = Run(steps, step.OptionStarts![i], step.OptionStarts[i + 1], start, ref at, limit, state, ref visitor);
                visitor.EndVariant(index);
                return status;
            }
        }
        return DecodeStatus.NoOption;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Keep(in DecodeStep step, ulong value, DecodeState state)
    {
        if (step.StoreSlot >= 0)
            state.Slots[step.StoreSlot] = value;
        if (step.UpdatesClock)
            state.Clock = ClockValue.Extend(state.Clock, value, step.SizeBits);
        if (step.Role == FieldRole.EventClassId)
        {
            state.EventClassId = value;
            state.HasEventClassId = true;
        }
        else if (step.Role != FieldRole.None)
        {
            state.Packet.Set(step.Role, value);
        }
    }
}
