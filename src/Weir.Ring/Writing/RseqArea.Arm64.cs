namespace Weir.Ring;

internal static unsafe partial class RseqArea
{
    /// <summary>
    /// Reads the thread pointer on Arm64, where pthread_self returns something else; a test disassembles the bytes and compares.
    /// </summary>
    internal static ReadOnlySpan<byte> Arm64Listing =>
    [
        0x40, 0xd0, 0x3b, 0xd5,         // mrs x0, tpidr_el0
        0xc0, 0x03, 0x5f, 0xd6,         // ret
    ];
}
