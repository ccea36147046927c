using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Weir.Graph;

/// <summary>Constant text, padded so that it is copied as one block where it is short, whatever its length.</summary>
internal sealed class Literal
{
    /// <summary>Room behind its end that copying a text needs, in both places.</summary>
    public const int BlockBytes = 32;

    private readonly byte[] _padded;

    public Literal(ReadOnlySpan<byte> text)
    {
        _padded = new byte[text.Length + BlockBytes];
        text.CopyTo(_padded);
        Length = text.Length;
    }

    public int Length { get; }

    public ReadOnlySpan<byte> Text => _padded.AsSpan(0, Length);

    /// <summary>Copies it to where there is room for it and a block; returns the place behind it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref byte CopyTo(ref byte to) => ref Copy(ref MemoryMarshal.GetArrayDataReference(_padded), Length, ref to);

    /// <summary>Copies a text where both places have room for it and a block; returns the place behind it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ref byte Copy(ref byte from, int length, ref byte to)
    {
        // Vectors of 128 bits, for which code can be compiled ahead.
        for (int i = 0; i < length; i += BlockBytes)
        {
            Vector128.LoadUnsafe(ref from, (nuint)i).StoreUnsafe(ref to, (nuint)i);
            Vector128.LoadUnsafe(ref from, (nuint)i + 16).StoreUnsafe(ref to, (nuint)i + 16);
        }
        return ref Unsafe.Add(ref to, length);
    }
}
