using System.Numerics;
using System.Runtime.CompilerServices;

namespace Weir.Ctf;

/// <summary>
/// Finds the end of events whose fields are of fixed sizes, strings that end with a zero byte, and arrays and texts with a length in the same
/// event: nearly all events there are. Others, and all that is not as it should be, are left to <see cref="FieldInterpreter"/>.
/// </summary>
internal sealed unsafe class EventSkipper
{
    private const int MaxLengths = 8;

    private readonly Operation[] _operations;

    private EventSkipper(Operation[] operations) => _operations = operations;

    private enum Kind : byte
    {
        /// <summary>Passes over <see cref="Operation.Bits"/>.</summary>
        Fixed,

        /// <summary>Keeps an unsigned little-endian integer of <see cref="Operation.Bits"/> as a length.</summary>
        Length,

        /// <summary>A string.</summary>
        String,

        /// <summary>As many elements as a length says, <see cref="Operation.Bits"/> from one to the next.</summary>
        Array,
    }

    /// <summary>Compiles a program that skips; null where it has anything else.</summary>
    public static EventSkipper? TryCreate(DecodeStep[] steps)
    {
        var operations = new List<Operation>();
        var lengths = new List<int>();
        for (int i = 0; i < steps.Length; i = steps[i].End)
        {
            ref readonly var step = ref steps[i];
            if (step.UpdatesClock || step.Role != FieldRole.None || step.OtherRoles is not null || lengths.Count == MaxLengths)
                return null;
            var operation = new Operation { AlignmentMask = step.AlignmentMask };
            switch (step.Kind)
            {
                case DecodeStepKind.Skip:
                    operation.Bits = (long)step.Length;
                    break;
                case DecodeStepKind.Integer8 or DecodeStepKind.Integer16 or DecodeStepKind.Integer32 or DecodeStepKind.Integer64 when !step.IsSigned && step.StoreSlot >= 0:
                    operation.Kind = Kind.Length;
                    operation.Bits = step.SizeBits;
                    operation.Place = lengths.Count;
                    lengths.Add(step.StoreSlot);
                    break;
                case DecodeStepKind.String when step.Class is StringFieldClass { Encoding: TextEncoding.Utf8 }:
                    operation.Kind = Kind.String;
                    break;
                case DecodeStepKind.Text when lengths.LastIndexOf(step.LoadSlot) is >= 0 and var place:
                    (operation.Kind, operation.Bits, operation.LastBits, operation.Place) = (Kind.Array, 8, 8, place);
                    break;
                case DecodeStepKind.Array when step.StrideBits > 0 && lengths.LastIndexOf(step.LoadSlot) is >= 0 and var place
                    && step.End == i + 2 && steps[i + 1].Kind == DecodeStepKind.Skip && steps[i + 1].AlignmentMask <= step.AlignmentMask:
                    (operation.Kind, operation.Bits, operation.LastBits, operation.Place) = (Kind.Array, step.StrideBits, (long)steps[i + 1].Length, place);
                    break;
                default:
                    return null;
            }
            operations.Add(operation);
        }
        return new EventSkipper([.. operations]);
    }

    /// <summary>The end of an event's fields in bits, or -1 where they do not lie before <paramref name="limit"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // As its caller, PacketCursor.SkipEvents.
    public long Skip(byte* packet, long at, long limit)
    {
        ulong* lengths = stackalloc ulong[MaxLengths];
        foreach (ref readonly var operation in _operations.AsSpan())
        {
            at = (at + operation.AlignmentMask) & ~operation.AlignmentMask;
            switch (operation.Kind)
            {
                case Kind.Fixed:
                    at += operation.Bits;
                    break;
                case Kind.Length:
                    if (limit - at < operation.Bits)
                        return -1;
                    lengths[operation.Place] = Load(packet + (at >> 3), (int)operation.Bits);
                    at += operation.Bits;
                    break;
                case Kind.String:
                    at = SkipString(packet, at >> 3, limit >> 3) << 3;
                    if (at < 0)
                        return -1;
                    break;
                default:
                    ulong length = lengths[operation.Place];
                    if (length == 0)
                        break;
                    if (length > (ulong)(Math.Max(0, limit - at) / operation.Bits) + 1)
                        return -1;
                    at += ((long)(length - 1) * operation.Bits) + operation.LastBits;
                    break;
            }
            if (at > limit)
                return -1;
        }
        return at;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Load(byte* at, int bits) => bits switch
    {
        8 => *at,
        16 => Unsafe.ReadUnaligned<ushort>(at),
        32 => Unsafe.ReadUnaligned<uint>(at),
        _ => Unsafe.ReadUnaligned<ulong>(at),
    };

    /// <summary>The byte behind the string's zero, or -1. Strings of events are short, so eight bytes at a time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long SkipString(byte* packet, long at, long limit)
    {
        for (; limit - at >= 8; at += 8)
        {
            ulong word = Unsafe.ReadUnaligned<ulong>(packet + at);
            ulong zeros = (word - 0x0101010101010101) & ~word & 0x8080808080808080;
            // The lowest marked byte is the first that is zero; a byte above it may be marked wrongly, for the subtraction borrows upwards.
            if (zeros != 0)
                return at + (BitOperations.TrailingZeroCount(zeros) >> 3) + 1;
        }
        for (; at < limit; at++)
        {
            if (packet[at] == 0)
                return at + 1;
        }
        return -1;
    }

    private struct Operation
    {
        public Kind Kind;
        public int Place;
        public long AlignmentMask;
        public long Bits;
        public long LastBits;
    }
}
