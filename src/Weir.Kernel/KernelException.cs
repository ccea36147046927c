namespace Weir.Kernel;

/// <summary>Something of the kernel that a recording needs cannot be had; the message says what, where and what to try.</summary>
public sealed class KernelException : Exception
{
    /// <summary>Creates an error.</summary>
    public KernelException(string message, Exception? cause = null)
        : base(message, cause)
    {
    }
}
