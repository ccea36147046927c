namespace Weir.Ctf;

/// <summary>
/// Integers in LEB128 (CTF2-SPEC-2.0, 6.4): 7 bits in each byte, the lowest first; the highest bit of a byte says that more follow.
/// </summary>
internal static unsafe class VariableLength
{
    /// <summary>Most bytes of an integer of 64 bits.</summary>
    private const int MaxBytes = 10;

    /// <summary>Bytes that the integer takes; 0 when the bytes end before it does, -1 when it has more than 64 bits.</summary>
    public static int Read(byte* bytes, long room, bool isSigned, out ulong value)
    {
        value = 0;
        for (int i = 0; i < MaxBytes; i++)
        {
            if (i >= room)
                return 0;
            byte part = bytes[i];
            if (i == MaxBytes - 1 && !IsLast(part, isSigned))
                return -1;
            value |= (ulong)(part & 0x7f) << (i * 7);
            if (part >= 0x80)
                continue;
            int sizeBits = (i + 1) * 7;
            if (isSigned && sizeBits < 64)
                value = BitReader.SignExtend(value, sizeBits);
            return i + 1;
        }
        return -1;
    }

    /// <summary>The tenth byte has the 64th bit; the others repeat the sign.</summary>
    private static bool IsLast(byte part, bool isSigned) => part == 0 || part == (isSigned ? 0x7f : 1);
}
