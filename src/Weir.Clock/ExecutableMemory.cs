using System.Runtime.InteropServices;

namespace Weir.Clock;

/// <summary>
/// Machine code of our own, mapped for the life of the process: written first, then made read and execute only, so that no page
/// is ever writable and executable at once. Hosts that refuse executable mappings are told apart from success, never an exception.
/// </summary>
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
