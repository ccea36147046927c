using System.Runtime.InteropServices;

namespace Weir.Clock;

/// <summary>
/// Machine code of our own, mapped for the life of the process: written first, then made read and execute only, so that no page
/// is ever writable and executable at once. Hosts that refuse executable mappings are told apart from success, never an exception.
/// </summary>
/// <remarks>
/// Arm64 does not keep its caches of instructions in step with stores. No step of our own is needed for that here: these pages are fresh, and Linux writes a
/// page that it has never mapped executable back to where instructions are fetched from, and forgets what was fetched, when it first
/// makes it so; nobody can have fetched from these addresses before. So the code is never written to again.
/// </remarks>
internal static unsafe class ExecutableMemory
{
    private const int PageBytes = 4096;

    /// <summary>Maps code; <paramref name="relocate"/> may patch addresses while the page can still be written.</summary>
    /// <returns>The code's address, or 0 with <paramref name="refusal"/> saying why.</returns>
    public static nint Map(ReadOnlySpan<byte> code, Action<nint>? relocate, out string? refusal)
    {
        nuint length = (nuint)((code.Length + PageBytes - 1) & ~(PageBytes - 1));
        nint memory = LibC.Map(0, length, LibC.ProtRead | LibC.ProtWrite, LibC.MapPrivate | LibC.MapAnonymous, -1, 0);
        if (memory == LibC.MapFailed)
        {
            refusal = $"no memory for machine code: {Marshal.GetLastPInvokeErrorMessage()}";
            return 0;
        }
        code.CopyTo(new Span<byte>((void*)memory, code.Length));
        relocate?.Invoke(memory);
        if (LibC.Protect(memory, length, LibC.ProtRead | LibC.ProtExec) != 0)
        {
            refusal = $"the system refuses executable mappings: {Marshal.GetLastPInvokeErrorMessage()}";
            _ = LibC.Unmap(memory, length);
            return 0;
        }
        refusal = null;
        return memory;
    }
}
