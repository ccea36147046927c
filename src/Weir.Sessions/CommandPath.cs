namespace Weir.Sessions;

/// <summary>Finds a command as a shell does.</summary>
internal static class CommandPath
{
    /// <summary>The command's file: itself where it names a path, else the first in PATH that may be executed; null where there is none.</summary>
    public static string? Find(string command)
    {
        if (command.Contains('/'))
            return File.Exists(command) ? command : null;
        string[] directories = Environment.GetEnvironmentVariable("PATH")?.Split(':', StringSplitOptions.RemoveEmptyEntries) ?? [];
        return directories.Select(directory => Path.Combine(directory, command)).FirstOrDefault(IsExecutable);
    }

    private static bool IsExecutable(string path)
    {
        const UnixFileMode Execute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        try
        {
            return !OperatingSystem.IsWindows() && File.Exists(path) && (File.GetUnixFileMode(path) & Execute) != 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
