namespace Weir.Kernel;

/// <summary>
/// The kernel's log of commands that it refused, the file <c>error_log</c>:
/// <code>
/// [ 5384.218347] event filter parse error: error: Field not found
///   Command: nonsense == 1
///            ^
/// </code>
/// Source: linux, Documentation/trace/ftrace.rst.
/// </summary>
internal static class ErrorLog
{
    /// <summary>The last entry without its time, in one line, with the column that the caret stands at; empty where there is none.</summary>
    public static string Last(string path)
    {
        try
        {
            return LastOf(File.ReadAllLines(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Kernels before 5.2 have none.
            return "";
        }
    }

    internal static string LastOf(IReadOnlyList<string> lines)
    {
        const string CommandLead = "  Command: ";
        for (int i = lines.Count - 1; i >= 0; i--)
        {
            int end = lines[i].StartsWith('[') ? lines[i].IndexOf("] ", StringComparison.Ordinal) : -1;
            if (end < 0)
                continue;
            string text = lines[i][(end + 2)..];
            int caret = i + 2 < lines.Count ? lines[i + 2].IndexOf('^', StringComparison.Ordinal) - CommandLead.Length : -1;
            return caret >= 0 ? $"{text}, at column {caret + 1}" : text;
        }
        return "";
    }
}
