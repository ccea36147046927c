namespace Weir.Kernel;

/// <summary>What probes of returns have in common.</summary>
internal static class ReturnProbe
{
    private static readonly ProbeArgument[] s_default = [new("ret", null, null)];

    /// <summary>The event's name for a function's.</summary>
    public static string NameOf(string function) => $"{function}__return";

    /// <summary>The arguments as the kernel takes them: the first position is the value that the function returns, and there is no other.</summary>
    public static string Write(IReadOnlyList<ProbeArgument>? arguments) => ProbeArgument.Write(arguments ?? s_default, position => position == 0
        ? ("$retval", ProbeArgument.DefaultType)
        : throw new KernelException("a function returns one value, such as (ret:s32)"));
}
