namespace Weir.Ctf;

/// <summary>Bytes from outside that are not what CTF says they must be.</summary>
public class CtfException : Exception
{
    /// <summary>Creates an error with a cause of its own.</summary>
    public CtfException(string message, Exception? cause = null)
        : base(message, cause)
    {
    }
}

/// <summary>Metadata that cannot be read; says where and what was expected.</summary>
public sealed class CtfMetadataException : CtfException
{
    /// <summary>Creates an error at a place of the metadata's text.</summary>
    /// <param name="line">Line, from 1; 0 when the error is about the file as a whole.</param>
    /// <param name="column">Column in bytes, from 1.</param>
    /// <param name="message">What is wrong.</param>
    public CtfMetadataException(int line, int column, string message)
        : base(line > 0 ? $"line {line}, column {column}: {message}" : message)
    {
        Line = line;
        Column = column;
    }

    /// <summary>Line of the metadata's text, from 1; 0 when there is none.</summary>
    public int Line { get; }

    /// <summary>Column in bytes, from 1.</summary>
    public int Column { get; }
}
