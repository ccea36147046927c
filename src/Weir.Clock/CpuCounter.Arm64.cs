namespace Weir.Clock;

public static unsafe partial class CpuCounter
{
    private const string Arm64ClockSource = "arch_sys_counter";

    /// <summary>Where "read" stands in the listing.</summary>
    internal const int Arm64ReadOffset = 4;

    /// <summary>
    /// The reading on Arm64, called at its beginning or at "read"; a test disassembles the bytes and compares. The virtual counter, which
    /// is the one that the kernel lets programs read.
    /// </summary>
    internal static ReadOnlySpan<byte> Arm64Listing =>
    [
        // The counter may be read before a load ahead of it is done. Not so behind this, if there is a branch between that depends on
        // what was loaded: what stands behind an isb is not even fetched before such a branch is decided.
        // ordered:
        0xdf, 0x3f, 0x03, 0xd5,         // isb

        // read:
        0x40, 0xe0, 0x3b, 0xd5,         // mrs x0, cntvct_el0
        0xc0, 0x03, 0x5f, 0xd6,         // ret
    ];
}
