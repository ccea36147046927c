using Weir.Ctf;

namespace Weir.Graph;

/// <summary>A trace that cannot be written, or not further.</summary>
public sealed class TraceWriteException : CtfException
{
    /// <summary>Creates an error about a file or directory.</summary>
    /// <param name="path">The file or directory.</param>
    /// <param name="message">What is wrong.</param>
    /// <param name="cause">Why, where another error says more.</param>
    public TraceWriteException(string path, string message, Exception? cause = null)
        : base($"{path}: {message}", cause) => Path = path;

    /// <summary>The file or directory.</summary>
    public string Path { get; }
}
