using System.Runtime.InteropServices;

namespace Weir.Kernel;

/// <summary>
/// A private instance of the kernel's tracer: buffers, events and filters of its own, which nobody else's recording touches. Removed with
/// the session, or by <see cref="AbandonedInstances"/> if its owner was killed. Not thread-safe.
/// </summary>
public sealed class TracefsInstance : IDisposable
{
    private const int FileExists = 17;
    private const int NoMemory = 12;
    private const int NoSpace = 28;
    private readonly bool _isOurs;
    private bool _isDisposed;

    private TracefsInstance(string path, bool isOurs)
    {
        Path = path;
        _isOurs = isOurs;
    }

    /// <summary>Its directory.</summary>
    public string Path { get; }

    /// <summary>Makes an instance that belongs to this process; nothing is recorded in it yet.</summary>
    /// <exception cref="KernelException">It cannot be had.</exception>
    public static TracefsInstance Create(TracefsMount tracefs)
    {
        ArgumentNullException.ThrowIfNull(tracefs);
        string name = InstanceOwner.NewName();
        string path = System.IO.Path.Combine(tracefs.InstancesPath, name);
        if (!Directory.Exists(tracefs.InstancesPath))
            throw new KernelException($"{tracefs.InstancesPath}: this kernel has no instances (Linux 3.10 or later has them), and the one buffer for all is not ours to use");
        if (LibC.MakeDirectory(path, 0x1C0) != 0)
        {
            int error = Marshal.GetLastPInvokeError();
            string hint = error switch
            {
                NoMemory or NoSpace => $"; {CountOthers(tracefs)} other instances are there: rmdir {tracefs.InstancesPath}/NAME removes one, 'weir doctor' those that killed recordings left",
                FileExists => "",
                _ => $"; {TracefsMount.Needed}",
            };
            throw new KernelException($"{path}: the kernel makes no instance for this recording: {Marshal.GetPInvokeErrorMessage(error)}{hint}") { NeedsPrivilege = LibC.IsRefusal(error) };
        }
        var instance = new TracefsInstance(path, isOurs: true);
        try
        {
            instance.Write("tracing_on", "0");
            return instance;
        }
        catch
        {
            instance.Dispose();
            throw;
        }
    }

    /// <summary>Opens an instance that is there, and stays.</summary>
    /// <exception cref="KernelException">There is none, or it belongs to a recording that goes on.</exception>
    public static TracefsInstance Open(TracefsMount tracefs, string name)
    {
        ArgumentNullException.ThrowIfNull(tracefs);
        ArgumentNullException.ThrowIfNull(name);
        string path = System.IO.Path.Combine(tracefs.InstancesPath, name);
        if (name.Length == 0 || name.Contains('/', StringComparison.Ordinal) || !Directory.Exists(path))
        {
            string[] names = Directory.Exists(tracefs.InstancesPath) ? [.. Directory.GetDirectories(tracefs.InstancesPath).Select(item => System.IO.Path.GetFileName(item)!)] : [];
            throw new KernelException($"{path}: the kernel's tracer has no such instance; it has {(names.Length == 0 ? "none" : string.Join(", ", names))}");
        }
        if (InstanceOwner.IsOwned(name) && !InstanceOwner.IsAbandoned(name))
            throw new KernelException($"{path}: belongs to a recording that goes on");
        return new TracefsInstance(path, isOurs: false);
    }

    /// <summary>The path of one of its files.</summary>
    public string PathOf(string relativePath) => System.IO.Path.Combine(Path, relativePath);

    /// <summary>Reads a file's whole text.</summary>
    /// <exception cref="KernelException">It cannot be read.</exception>
    public string ReadText(string relativePath) => TracefsFile.Read(PathOf(relativePath));

    /// <summary>Writes a text in one piece; what stood there is replaced.</summary>
    /// <exception cref="KernelException">The kernel refuses it.</exception>
    public void Write(string relativePath, string text) => TracefsFile.Write(PathOf(relativePath), text);

    /// <summary>Writes a text in one piece behind what stands there.</summary>
    /// <exception cref="KernelException">The kernel refuses it.</exception>
    public void Append(string relativePath, string text) => TracefsFile.AppendText(PathOf(relativePath), text);

    /// <summary>Writes a text; false where the kernel refuses it or has no such file.</summary>
    public bool TryWrite(string relativePath, string text) => TracefsFile.TryWrite(PathOf(relativePath), text) == 0;

    /// <summary>The last entry of the kernel's own log of refused commands, without its time; empty where it has none.</summary>
    public string LastError() => ErrorLog.Last(PathOf("error_log"));

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        if (_isOurs)
            Remove(Path);
    }

    /// <summary>Switches an instance off and removes it; what of it cannot be done is left.</summary>
    /// <returns>Whether it is gone.</returns>
    internal static bool Remove(string path)
    {
        _ = TracefsFile.TryWrite(System.IO.Path.Combine(path, "tracing_on"), "0");
        _ = TracefsFile.TryWrite(System.IO.Path.Combine(path, "current_tracer"), "nop");
        _ = TracefsFile.TryWrite(System.IO.Path.Combine(path, "events/enable"), "0");
        return LibC.RemoveDirectory(path) == 0;
    }

    private static int CountOthers(TracefsMount tracefs)
    {
        try
        {
            return Directory.GetDirectories(tracefs.InstancesPath).Length;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
