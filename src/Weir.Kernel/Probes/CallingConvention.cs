using System.Globalization;
using Weir.Graph;

namespace Weir.Kernel;

/// <summary>
/// The registers in which a function gets its arguments, by the names that the kernel has for them. Sources: System V ABI, AMD64 supplement,
/// 3.2.3; Procedure Call Standard for the Arm 64-bit Architecture, 6.8.
/// </summary>
internal static class CallingConvention
{
    private const int X64 = 62;
    private const int Arm64 = 183;

    private static readonly string[] s_x64 = ["%di", "%si", "%dx", "%cx", "%r8", "%r9"];
    private static readonly string[] s_arm64 = ["%x0", "%x1", "%x2", "%x3", "%x4", "%x5", "%x6", "%x7"];

    /// <summary>The kernel's words for the argument in a position, from 0, of a function of a file.</summary>
    /// <exception cref="KernelException">It is in no register that is known.</exception>
    public static string PlaceOf(ElfFile file, int position)
    {
        string[] registers = file.Machine switch
        {
            X64 when file.Is64 => s_x64,
            Arm64 => s_arm64,
            _ => throw new KernelException("the arguments' registers are known for x86-64 and Arm64 only; name them: size=%di:u64"),
        };
        return position < registers.Length
            ? registers[position]
            : throw new KernelException(string.Create(CultureInfo.InvariantCulture, $"only {registers.Length} arguments are in registers; the next is x=+8(%sp):u64 on x86-64, x=+0(%sp):u64 on Arm64"));
    }
}
