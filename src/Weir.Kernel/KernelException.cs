namespace Weir.Kernel;

/// <summary>Something of the kernel that a recording needs cannot be had; the message says what, where and what to try.</summary>
public sealed class KernelException : Exception
{
    /// <summary>Creates an error.</summary>
    public KernelException(string message, Exception? cause = null)
        : base(message, cause)
    {
    }

    /// <summary>Whether it is only that this user may not do it.</summary>
    public bool NeedsPrivilege { get; init; }
}
