using System.Globalization;
using System.Text;

namespace Weir.Tracing;

/// <summary>The name of a process's directory in a session's buffers, which is also its name in the trace: NAME-PID-YYYYMMDD-HHMMSS.</summary>
public static class ProcessDirectory
{
    private const int MaxNameLength = 64;

    /// <summary>The traced program's name as people know it: of <c>dotnet Shop.dll</c> that is <c>Shop</c>.</summary>
    public static string ProgramName
    {
        get
        {
            string path = Environment.GetCommandLineArgs() is [{ Length: > 0 } first, ..] ? first : Environment.ProcessPath ?? "";
            string name = Path.GetFileName(path);
            return name.EndsWith(".dll", StringComparison.OrdinalIgnoreCase) ? name[..^4] : name;
        }
    }

    /// <summary>The directory's name for this process now.</summary>
    /// <param name="attempt">From 0; each gives another name.</param>
    public static string NameNow(int attempt = 0)
    {
        var name = new StringBuilder();
        foreach (char c in ProgramName)
        {
            if (name.Length < MaxNameLength)
                name.Append(char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' ? c : '_');
        }
        if (attempt > 0)
            name.Append(CultureInfo.InvariantCulture, $".{attempt}");
        return string.Create(CultureInfo.InvariantCulture, $"{name}-{Environment.ProcessId}-{DateTime.Now:yyyyMMdd-HHmmss}");
    }

    /// <summary>Whether a name is one that <see cref="NameNow"/> gives: of other users' directories no other is taken into a trace.</summary>
    internal static bool IsName(string name)
    {
        string[] parts = name.Split('-');
        return ProcessIdOf(name) != null && name.Length <= MaxNameLength * 2 && name[0] != '.'
            && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-')
            && IsNumber(parts[^2], 8) && IsNumber(parts[^1], 6);
    }

    /// <summary>The process id in a directory's name, or null where it is not such a name.</summary>
    public static int? ProcessIdOf(string directoryName)
    {
        string[] parts = directoryName.Split('-');
        return parts.Length >= 4 && int.TryParse(parts[^3], NumberStyles.None, CultureInfo.InvariantCulture, out int id) ? id : null;
    }

    private static bool IsNumber(string text, int digits) => text.Length == digits && text.All(char.IsAsciiDigit);
}
