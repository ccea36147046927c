using CsCheck;
using Weir.Ctf;
using Xunit;

namespace Weir.Tests.Ctf;

public class BitReaderTests
{
    [Fact]
    public void Any_width_position_and_byte_order_is_read_as_it_was_written() =>
        Gen.Select(Gen.Int[1, 64], Gen.Int[0, 200], Gen.Bool, Gen.ULong, Gen.Byte).Sample((sizeBits, position, isBig, value, noise) =>
        {
            ulong expected = value & (ulong.MaxValue >> (64 - sizeBits));
            var bytes = new byte[(position + sizeBits + 7) / 8];
            Array.Fill(bytes, noise);
            for (int i = 0; i < sizeBits; i++)
            {
                // Little-endian: the first bit is the lowest, from the byte's low end. Big-endian: the highest, from its high end.
                int at = position + i;
                bool bit = ((expected >> (isBig ? sizeBits - 1 - i : i)) & 1) != 0;
                int mask = 1 << (isBig ? 7 - (at % 8) : at % 8);
                bytes[at / 8] = (byte)(bit ? bytes[at / 8] | mask : bytes[at / 8] & ~mask);
            }
            unsafe
            {
                fixed (byte* start = bytes)
                    return BitReader.Read(start, position, sizeBits, isBig) == expected;
            }
        });

    [Theory]
    [InlineData(0b111UL, 3, -1L)]
    [InlineData(0b011UL, 3, 3L)]
    [InlineData(ulong.MaxValue, 64, -1L)]
    public void The_sign_is_extended(ulong value, int sizeBits, long expected) => Assert.Equal(expected, (long)BitReader.SignExtend(value, sizeBits));
}
