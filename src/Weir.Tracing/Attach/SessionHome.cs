using System.Runtime.InteropServices;

namespace Weir.Tracing;

/// <summary>Where sessions live, and how programs find them. A session is a directory; its rights are the security model.</summary>
public static unsafe partial class SessionHome
{
    private const int StatxUidOffset = 20;
    private const int StatxModeOffset = 28;
    private const int StatxBytes = 256;

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

    /// <summary>Whether a path is a file with bytes of its own: no directory, pipe, device or link. Null where nothing is there.</summary>
    internal static bool? IsRegularFile(string path)
    {
        const int CurrentDirectory = -100;
        const int NoFollow = 0x100;
        const uint Type = 0x1;
        const int TypeMask = 0xF000;
        const int Regular = 0x8000;
        byte* buffer = stackalloc byte[StatxBytes];
        return StatX(CurrentDirectory, path, NoFollow, Type, buffer) == 0 ? (*(ushort*)(buffer + StatxModeOffset) & TypeMask) == Regular : null;
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
