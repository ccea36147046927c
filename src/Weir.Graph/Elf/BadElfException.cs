namespace Weir.Graph;

/// <summary>A file is no ELF, its debugging information is no DWARF, or it has more of it than is read here.</summary>
/// <param name="message">What is wrong.</param>
internal sealed class BadElfException(string message) : Exception(message);
