using Weir.Ctf;
using Weir.Graph;

namespace Weir.Kernel;

/// <summary>Reads the kernel's descriptions of its events.</summary>
internal static class EventFormats
{
    /// <summary>An event's description.</summary>
    /// <exception cref="KernelException">It cannot be read, or is none.</exception>
    public static FtraceFormat Read(TracefsInstance instance, KernelEventName name) => Read(instance.PathOf($"events/{name.System}/{name.Name}/format"));

    /// <summary>The description that a file is.</summary>
    /// <exception cref="KernelException">It cannot be read, or is none.</exception>
    public static FtraceFormat Read(string path)
    {
        string text = TracefsFile.Read(path);
        try
        {
            return FormatParser.Parse(text, nint.Size);
        }
        catch (CtfException e)
        {
            throw new KernelException($"{path}: {e.Message}", e);
        }
    }
}
