namespace Weir.Sessions;

/// <summary>Something that a session needs cannot be had; the message says what, where, and what to try.</summary>
public sealed class SessionException : Exception
{
    /// <summary>Creates an error.</summary>
    public SessionException(string message, Exception? cause = null)
        : base(message, cause)
    {
    }
}
