namespace Weir.Tracing;

/// <summary>Where sessions live, and how programs find them. A session is a directory; its rights are the security model.</summary>
public static class SessionHome
{
    /// <summary>The environment variable that names the directory of all sessions.</summary>
    public const string Variable = "WEIR_HOME";

    /// <summary>
    /// The environment variable with the directories of sessions that record a process and its descendants only, separated by colons.
    /// </summary>
    public const string SessionVariable = "WEIR_SESSION";

    /// <summary>In the home: a file whose replacement tells applications that some session has changed.</summary>
    public const string DoorbellName = ".changed";

    /// <summary>
    /// The directory of all sessions: <c>WEIR_HOME</c>, else <c>/run/weir</c> for root, <c>$XDG_RUNTIME_DIR/weir</c>, or
    /// <c>~/.local/state/weir</c> where there is no such directory.
    /// </summary>
    public static string Path
    {
        get
        {
            if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } home)
                return System.IO.Path.GetFullPath(home);
            if (Environment.IsPrivilegedProcess)
                return "/run/weir";
            if (Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } runtime)
                return System.IO.Path.Combine(runtime, "weir");
            return System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state", "weir");
        }
    }

    /// <summary>Makes a directory for this user alone, with its parents.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">Nor may it be.</exception>
    public static void CreatePrivate(string directory)
    {
        if (!OperatingSystem.IsWindows())
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>Tells the applications that watch a home to look at its sessions again.</summary>
    public static void Ring(string home)
    {
        string temporary = System.IO.Path.Combine(home, $"{DoorbellName}.{Environment.ProcessId}");
        File.WriteAllBytes(temporary, []);
        File.Move(temporary, System.IO.Path.Combine(home, DoorbellName), overwrite: true);
    }
}
