using System.Buffers.Binary;

namespace Weir.Ring;

/// <summary>
/// A restartable section's machine code with what the kernel must know of it, as offsets from its beginning. Assembled it is followed
/// by the descriptor that the kernel reads, <c>struct rseq_cs</c> of the rseq(2) ABI, aligned to 32 bytes:
/// <code>
///  0 version u32 = 0 | flags u32 = 0 | 8 start_ip u64 | 16 post_commit_offset u64, from start_ip | 24 abort_ip u64
/// </code>
/// </summary>
/// <param name="Pair">The code that commits 16 bytes.</param>
/// <param name="Start">The section's first instruction.</param>
/// <param name="Entry">Where it is called.</param>
/// <param name="Done">Behind its last instruction, the commit.</param>
/// <param name="Abort">Where the kernel sends an interrupted thread.</param>
/// <param name="Signature">What the kernel demands in the four bytes before that.</param>
/// <param name="SingleStore">What is written over the code so that it commits 8 bytes.</param>
internal sealed record SectionCode(
    byte[] Pair, int Start, int Entry, int Done, int Abort, uint Signature, IReadOnlyList<(int Offset, byte[] Bytes)> SingleStore)
{
    public const int DescriptorBytes = 32;

    /// <summary>Where the descriptor lies.</summary>
    public int Descriptor => (Pair.Length + DescriptorBytes - 1) & ~(DescriptorBytes - 1);

    /// <summary>The code and its descriptor, as they are at address 0.</summary>
    public byte[] Assemble(bool isPair)
    {
        var code = new byte[Descriptor + DescriptorBytes];
        Pair.CopyTo(code, 0);
        if (!isPair)
        {
            foreach (var (offset, bytes) in SingleStore)
                bytes.CopyTo(code, offset);
        }
        Relocate(code.AsSpan(Descriptor), 0);
        return code;
    }

    /// <summary>Writes the descriptor of the code at an address.</summary>
    public void Relocate(Span<byte> descriptor, nint address)
    {
        descriptor.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(descriptor[8..], (ulong)(address + Start));
        BinaryPrimitives.WriteUInt64LittleEndian(descriptor[16..], (ulong)(Done - Start));
        BinaryPrimitives.WriteUInt64LittleEndian(descriptor[24..], (ulong)(address + Abort));
    }
}
