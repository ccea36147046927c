using System.Runtime.InteropServices;

namespace Weir.Tracing;

/// <summary>Where sessions live, and how programs find them. A session is a directory; its rights are the security model.</summary>
public static unsafe partial class SessionHome
{
    private const int StatxUidOffset = 20;
    private const int StatxBytes = 256;

    /// <summary>The environment variable that names the directory of all sessions.</summary>
    public const string Variable = "WEIR_HOME";

    /// <summary>
    /// The environment variable with the directories of sessions that record a process and its descendants only, separated by colons.
    /// </summary>
    public const string SessionVariable = "WEIR_SESSION";

    /// <summary>In the home: a file whose replacement tells applications that some session has changed.</summary>
    public const string DoorbellName = ".changed";

    /// <summary>Root's sessions record the programs of every user, so this is where all of them look.</summary>
    public const string OfRoot = "/run/weir";

    /// <summary>Mode 755: a directory of root's that everybody may enter.</summary>
    internal const UnixFileMode EnterableDirectory =
        PrivateDirectory | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    /// <summary>Mode 1733: everybody may make something in it, and nobody but root sees or removes what another has made.</summary>
    internal const UnixFileMode SharedDirectory =
        PrivateDirectory | UnixFileMode.StickyBit | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    /// <summary>Mode 644.</summary>
    internal const UnixFileMode ReadableFile = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private const UnixFileMode PrivateDirectory = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>
    /// The directory of this user's sessions: <c>WEIR_HOME</c>, else <c>/run/weir</c> for root, <c>$XDG_RUNTIME_DIR/weir</c>, or
    /// <c>~/.local/state/weir</c> where there is no such directory.
    /// </summary>
    public static string Path
    {
        get
        {
            if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } home)
                return System.IO.Path.GetFullPath(home);
            if (Environment.IsPrivilegedProcess)
                return OfRoot;
            if (Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } runtime)
                return System.IO.Path.Combine(runtime, "weir");
            return System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state", "weir");
        }
    }

    /// <summary>Where a program looks for sessions: in its own home and in root's; only in WEIR_HOME where that is set.</summary>
    internal static IReadOnlyList<string> Searched =>
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } || Path == OfRoot ? [Path] : [Path, OfRoot];

    /// <summary>Whether this user's sessions are there for the programs of all users: those of root.</summary>
    internal static bool IsForEveryone => EffectiveUserId() == 0;

    /// <summary>Makes a home with its parents: for this user alone, or, of root, one that everybody may enter.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">Nor may it be.</exception>
    public static void Create(string home)
    {
        if (!IsForEveryone)
        {
            CreatePrivate(home);
            return;
        }
        bool isNew = !Directory.Exists(home);
        Directory.CreateDirectory(home);
        // A directory that root has named and that was there keeps the mode that it was given.
        if (isNew || (home == OfRoot && !OperatingSystem.IsWindows() && !File.GetUnixFileMode(home).HasFlag(EnterableDirectory)))
            SetMode(home, EnterableDirectory);
    }

    /// <summary>Gives a file or directory a mode, whatever the process's mask.</summary>
    /// <exception cref="IOException">It cannot be given.</exception>
    internal static void SetMode(string path, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, mode);
    }

    /// <summary>Makes a directory for this user alone, with its parents.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">Nor may it be.</exception>
    public static void CreatePrivate(string directory)
    {
        if (!OperatingSystem.IsWindows())
            Directory.CreateDirectory(directory, PrivateDirectory);
    }

    /// <summary>
    /// Makes a directory for this user alone in one that exists; false where the name is taken. What was removed is not made again.
    /// </summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    internal static bool TryCreateNew(string directory)
    {
        const int Exists = 17;
        if (MakeDirectory(directory, Convert.ToUInt32("700", 8)) == 0)
            return true;
        if (Marshal.GetLastPInvokeError() == Exists)
            return false;
        throw new IOException($"{directory}: cannot be created: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>Whether this user or root made a file: those whose sessions a program follows.</summary>
    internal static bool IsOurs(string path) => OwnerOf(path) is { } owner && (owner == 0 || owner == EffectiveUserId());

    /// <summary>The user that owns a file, or null where it cannot be told. Of a link, its own.</summary>
    internal static uint? OwnerOf(string path)
    {
        const int CurrentDirectory = -100;
        const int NoFollow = 0x100;
        const uint Uid = 0x8;
        byte* buffer = stackalloc byte[StatxBytes];
        return StatX(CurrentDirectory, path, NoFollow, Uid, buffer) == 0 ? *(uint*)(buffer + StatxUidOffset) : null;
    }

    /// <summary>Tells the applications that watch a home to look at its sessions again.</summary>
    public static void Ring(string home)
    {
        string temporary = System.IO.Path.Combine(home, $"{DoorbellName}.{Environment.ProcessId}");
        File.WriteAllBytes(temporary, []);
        File.Move(temporary, System.IO.Path.Combine(home, DoorbellName), overwrite: true);
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    internal static partial uint EffectiveUserId();

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int directory, string path, int flags, uint mask, byte* buffer);

    [LibraryImport("libc", EntryPoint = "mkdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeDirectory(string path, uint mode);
}
