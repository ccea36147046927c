namespace Weir.Clock;

public static unsafe partial class CpuCounter
{
    private const string X64ClockSource = "tsc";

    /// <summary>Where "read" stands in the listing.</summary>
    internal const int X64ReadOffset = 3;

    /// <summary>The reading on x86-64, called at its beginning or at "read"; a test disassembles the bytes and compares.</summary>
    internal static ReadOnlySpan<byte> X64Listing =>
    [
        // The counter may be read before a load ahead of it is done; not so behind this.
        // ordered:
        0x0f, 0xae, 0xe8,               // lfence

        // read:
        0x0f, 0x31,                     // rdtsc
        0x48, 0xc1, 0xe2, 0x20,         // shl rdx, 0x20
        0x48, 0x09, 0xd0,               // or rax, rdx
        0xc3,                           // ret
    ];
}
