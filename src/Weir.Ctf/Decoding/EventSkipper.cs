using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Weir.Ctf;

/// <summary>
/// Finds the end of events whose fields are of fixed sizes, strings that end with a zero byte, and arrays and texts right behind their length:
/// nearly all events there are. Others, the last bytes of what may be touched, and all that is not as it should be, are left to
/// <see cref="FieldInterpreter"/>. An operation passes over all fields of fixed sizes up to one of varying size, and over that one.
/// </summary>
internal readonly unsafe struct EventSkipper
{
    /// <summary>So many bits from where a field of varying size begins may be loaded without looking.</summary>
    private const int ReachBits = 128;

    private readonly Operation[]? _operations;

    private EventSkipper(Operation[] operations) => _operations = operations;

    private enum Kind : byte
    {
        /// <summary>Nothing but fields of fixed sizes.</summary>
        Fixed,

        /// <summary>And a string.</summary>
        String,

        /// <summary>And an unsigned little-endian integer, and as many elements as it says.</summary>
        Array,
    }

    /// <summary>Whether this cannot find any event's end.</summary>
    public bool IsNone => _operations is null;

    /// <summary>Compiles a program that skips; none where it has anything else.</summary>
    public static EventSkipper Create(DecodeStep[] steps)
    {
        var operations = new List<Operation>();
        var operation = default(Operation);
        for (int i = 0; i < steps.Length; i = steps[i].End)
        {
            ref readonly var step = ref steps[i];
            if (step.Kind == DecodeStepKind.Skip)
            {
                // Two in a row are aligned more and more, so that what lies between them varies.
                if (operation.Bits > 0 || operation.AlignmentMask > 0)
                    Next(ref operation, Kind.Fixed);
                (operation.AlignmentMask, operation.Bits) = (step.AlignmentMask, (long)step.Length);
                continue;
            }
            operation.InnerMask = step.AlignmentMask;
            if (step is { Kind: DecodeStepKind.String, Class: StringFieldClass { Encoding: TextEncoding.Utf8 } } && IsPlain(in step))
            {
                Next(ref operation, Kind.String);
                continue;
            }
            if (step.Kind is not (DecodeStepKind.Integer8 or DecodeStepKind.Integer16 or DecodeStepKind.Integer32) || step.IsSigned || step.StoreSlot < 0
                || !IsPlain(in step) || step.End == steps.Length || !TakeElements(steps, step.End, step.StoreSlot, ref operation))
                return default;
            operation.LengthBits = step.SizeBits;
            operation.LengthMask = (1U << (step.SizeBits - 1) << 1) - 1;
            i = step.End;
            Next(ref operation, Kind.Array);
        }
        if (operation.Bits > 0 || operation.AlignmentMask > 0)
            Next(ref operation, Kind.Fixed);
        return new EventSkipper([.. operations]);

        void Next(ref Operation operation, Kind kind)
        {
            operation.Kind = kind;
            operations.Add(operation);
            operation = default;
        }
    }

    /// <summary>The end of an event's fields in bits, or -1 where this cannot tell that it does not lie behind <paramref name="limit"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long Skip(byte* packet, long at, long limit)
    {
        var operations = _operations!;
        for (int i = 0; i < operations.Length; i++)
        {
            ref readonly var operation = ref operations[i];
            at = ((at + operation.AlignmentMask) & ~operation.AlignmentMask) + operation.Bits;
            if (operation.Kind != Kind.Fixed)
            {
                at = (at + operation.InnerMask) & ~operation.InnerMask;
                if (limit - at < ReachBits)
                    return -1;
                if (operation.Kind == Kind.String)
                {
                    at = SkipString(packet, at >> 3, limit >> 3) << 3;
                    if (at < 0)
                        return -1;
                    continue;
                }
                long length = Unsafe.ReadUnaligned<uint>(packet + (at >> 3)) & operation.LengthMask;
                at = (at + operation.LengthBits + operation.ArrayMask) & ~operation.ArrayMask;
                if (length > 0)
                    at += ((length - 1) * operation.StrideBits) + operation.LastBits;
            }
            if (at > limit)
                return -1;
        }
        return at;
    }

    /// <summary>Whether a value has no meaning for the reader other than as a length.</summary>
    private static bool IsPlain(in DecodeStep step) => !step.UpdatesClock && step.Role == FieldRole.None && step.OtherRoles is null;

    /// <summary>Whether the step is a text or an array of elements of one size, of the length that the slot holds.</summary>
    private static bool TakeElements(DecodeStep[] steps, int index, int slot, ref Operation operation)
    {
        ref readonly var step = ref steps[index];
        if (step.LoadSlot != slot || !IsPlain(in step))
            return false;
        operation.ArrayMask = step.AlignmentMask;
        switch (step.Kind)
        {
            case DecodeStepKind.Text:
                (operation.StrideBits, operation.LastBits) = (8, 8);
                return true;
            // With a length of 32 bits positions keep to 63.
            case DecodeStepKind.Array when step.StrideBits is > 0 and < 1L << 30 && step.End == index + 2
                && steps[index + 1].Kind == DecodeStepKind.Skip && steps[index + 1].AlignmentMask <= step.AlignmentMask:
                (operation.StrideBits, operation.LastBits) = (step.StrideBits, (long)steps[index + 1].Length);
                return true;
            default:
                return false;
        }
    }

    /// <summary>The byte behind the string's zero, or -1; 16 bytes may be touched.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long SkipString(byte* packet, long at, long limit)
    {
        do
        {
            uint zeros = Vector128.Equals(Vector128.Load(packet + at), Vector128<byte>.Zero).ExtractMostSignificantBits();
            if (zeros != 0)
                return at + BitOperations.TrailingZeroCount(zeros) + 1;
            at += Vector128<byte>.Count;
        }
        while (limit - at >= Vector128<byte>.Count);
        return -1;
    }

    private struct Operation
    {
        /// <summary>Alignment of the fields of fixed sizes, less one.</summary>
        public long AlignmentMask;

        /// <summary>Their size.</summary>
        public long Bits;

        /// <summary>Alignment of the string or of the length, less one.</summary>
        public long InnerMask;

        public Kind Kind;

        public int LengthBits;

        public uint LengthMask;

        /// <summary>Alignment of the elements, less one.</summary>
        public long ArrayMask;

        /// <summary>From one element to the next.</summary>
        public long StrideBits;

        /// <summary>Size of the last element.</summary>
        public long LastBits;
    }
}
