using System.Runtime.CompilerServices;

namespace Weir.Ctf;

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
                        return state.Fail(DecodeStatus.OutOfBytes, i, at);
                    value = step.IsSigned ? (ulong)BitReader.Load<sbyte>(start, at) : BitReader.Load<byte>(start, at);
                    at += 8;
                    break;
                case DecodeStepKind.Integer16:
                    if (limit - at < 16)
                        return state.Fail(DecodeStatus.OutOfBytes, i, at);
                    value = step.IsSigned ? (ulong)BitReader.Load<short>(start, at) : BitReader.Load<ushort>(start, at);
                    at += 16;
                    break;
                case DecodeStepKind.Integer32:
                    if (limit - at < 32)
                        return state.Fail(DecodeStatus.OutOfBytes, i, at);
                    value = step.IsSigned ? (ulong)BitReader.Load<int>(start, at) : BitReader.Load<uint>(start, at);
                    at += 32;
                    break;
                case DecodeStepKind.Integer64:
                    if (limit - at < 64)
                        return state.Fail(DecodeStatus.OutOfBytes, i, at);
                    value = BitReader.Load<ulong>(start, at);
                    at += 64;
                    break;
                case DecodeStepKind.Skip:
                    if (limit - at < (long)step.Length)
                        return state.Fail(DecodeStatus.OutOfBytes, i, at);
                    at += (long)step.Length;
                    i++;
                    continue;
                case DecodeStepKind.IntegerBits:
                    var status = ReadBits(in step, start, ref at, limit, state, out value);
                    if (status != DecodeStatus.Done)
                        return state.Fail(status, i, at);
                    break;
                default:
                    long before = at;
                    status = RunOther(steps, i, start, ref at, limit, state, ref visitor);
                    if (status != DecodeStatus.Done)
                        return state.Fail(status, i, before);
                    i = step.End;
                    continue;
            }
            if (step.IsSpecial)
                state.Keep(in step, value, step.SizeBits);
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
        if (step.IsReversed)
            value = BitReader.Reverse(value, step.SizeBits);
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
            case DecodeStepKind.WideString or DecodeStepKind.WideText:
                return RunWideText(in step, index, start, ref at, limit, state, ref visitor);
            case DecodeStepKind.Blob:
                return RunBlob(in step, index, start, ref at, limit, state, ref visitor);
            case DecodeStepKind.Boolean:
                status = ReadBits(in step, start, ref at, limit, state, out value);
                if (status != DecodeStatus.Done)
                    return status;
                value = value != 0 ? 1UL : 0;
                if (step.IsSpecial)
                    state.Keep(in step, value, step.SizeBits);
                visitor.Integer(index, value);
                return DecodeStatus.Done;
            case DecodeStepKind.VariableLengthInteger:
                return RunVariableLength(in step, index, start, ref at, limit, state, ref visitor);
            case DecodeStepKind.Structure:
                visitor.BeginStructure(index);
                status = Run(steps, index + 1, step.End, start, ref at, limit, state, ref visitor);
                visitor.EndStructure(index);
                return status;
            case DecodeStepKind.Array:
                return RunArray(steps, index, start, ref at, limit, state, ref visitor);
            case DecodeStepKind.Optional:
                return RunOptional(steps, index, start, ref at, limit, state, ref visitor);
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

    private static DecodeStatus RunWideText<TVisitor>(
        in DecodeStep step, int index, byte* start, ref long at, long limit, DecodeState state, ref TVisitor visitor)
        where TVisitor : struct, IFieldVisitor
    {
        byte* text = start + (at >> 3);
        long roomBytes = Math.Max(0, limit - at) >> 3;
        int unitBytes = WideText.UnitBytes(step.Encoding);
        long lengthBytes;
        if (step.Kind == DecodeStepKind.WideString)
        {
            lengthBytes = WideText.FindEnd(text, roomBytes, unitBytes);
            if (lengthBytes < 0)
                return DecodeStatus.OutOfBytes;
            at += (lengthBytes + unitBytes) << 3;
        }
        else
        {
            ulong given = step.LoadSlot >= 0 ? state.Slots[step.LoadSlot] : step.Length;
            if (given > (ulong)roomBytes)
                return DecodeStatus.OutOfBytes;
            at += (long)given << 3;
            lengthBytes = WideText.FindEnd(text, (long)given, unitBytes);
            if (lengthBytes < 0)
                lengthBytes = (long)given;
        }
        int utf8Bytes = WideText.Transcode(text, lengthBytes, step.Encoding, ref state.Utf8);
        if (utf8Bytes < 0)
            return DecodeStatus.BadText;
        fixed (byte* utf8 = state.Utf8)
            visitor.Text(index, utf8, utf8Bytes);
        return DecodeStatus.Done;
    }

    private static DecodeStatus RunBlob<TVisitor>(
        in DecodeStep step, int index, byte* start, ref long at, long limit, DecodeState state, ref TVisitor visitor)
        where TVisitor : struct, IFieldVisitor
    {
        ulong lengthBytes = step.LoadSlot >= 0 ? state.Slots[step.LoadSlot] : step.Length;
        if (lengthBytes > (ulong)Math.Max(0, limit - at) >> 3)
            return DecodeStatus.OutOfBytes;
        byte* bytes = start + (at >> 3);
        at += (long)lengthBytes << 3;
        visitor.Blob(index, bytes, (long)lengthBytes);
        return DecodeStatus.Done;
    }

    private static DecodeStatus RunVariableLength<TVisitor>(
        in DecodeStep step, int index, byte* start, ref long at, long limit, DecodeState state, ref TVisitor visitor)
        where TVisitor : struct, IFieldVisitor
    {
        byte* bytes = start + (at >> 3);
        long room = Math.Max(0, limit - at) >> 3;
        int count = VariableLength.Read(bytes, room, step.IsSigned, out ulong value);
        if (count <= 0)
            return count == 0 ? DecodeStatus.OutOfBytes : DecodeStatus.IntegerTooLong;
        at += count << 3;
        if (step.IsSpecial)
            state.Keep(in step, value, Math.Min(64, count * 7));
        visitor.Integer(index, value);
        return DecodeStatus.Done;
    }

    private static DecodeStatus RunArray<TVisitor>(
        DecodeStep[] steps, int index, byte* start, ref long at, long limit, DecodeState state, ref TVisitor visitor)
        where TVisitor : struct, IFieldVisitor
    {
        ref readonly var step = ref steps[index];
        ulong length = step.LoadSlot >= 0 ? state.Slots[step.LoadSlot] : step.Length;
        if (length > MaxEmptyElements && length > (ulong)Math.Max(0, limit - at))
            return DecodeStatus.OutOfBytes;
        if (step.StrideBits > 0)
        {
            if (length > (ulong)(Math.Max(0, limit - at) / step.StrideBits) + 1)
                return DecodeStatus.OutOfBytes;
            // All but the last, which may be followed by no padding.
            if (length > 1)
                at += (long)(length - 1) * step.StrideBits;
            if (length > 0 && step.End == index + 2 && steps[index + 1] is { Kind: DecodeStepKind.Skip } only && limit - at >= (long)only.Length
                && (at & only.AlignmentMask) == 0)
            {
                at += (long)only.Length;
                return DecodeStatus.Done;
            }
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

    private static DecodeStatus RunOptional<TVisitor>(
        DecodeStep[] steps, int index, byte* start, ref long at, long limit, DecodeState state, ref TVisitor visitor)
        where TVisitor : struct, IFieldVisitor
    {
        ref readonly var step = ref steps[index];
        ulong selector = state.Slots[step.LoadSlot];
        bool isPresent = selector != 0;
        if (((OptionalFieldClass)step.Class).Ranges is { } ranges)
        {
            isPresent = false;
            for (int i = 0; i < ranges.Count && !isPresent; i++)
                isPresent = ranges[i].Contains((long)selector, step.IsSigned);
        }
        visitor.BeginOptional(index, isPresent);
        var status = isPresent ? Run(steps, index + 1, step.End, start, ref at, limit, state, ref visitor) : DecodeStatus.Done;
        visitor.EndOptional(index);
        return status;
    }
}
