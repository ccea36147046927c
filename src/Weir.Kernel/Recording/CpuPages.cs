using System.Globalization;
using System.Runtime.InteropServices;

namespace Weir.Kernel;

/// <summary>
/// One CPU's file <c>trace_pipe_raw</c>, out of which the kernel gives whole pages of its ring buffer. Not thread-safe.
/// </summary>
internal sealed unsafe class CpuPages : IDisposable
{
    private readonly string _path;

    /// <exception cref="KernelException">It cannot be opened.</exception>
    public CpuPages(TracefsInstance instance, int cpu)
    {
        Cpu = cpu;
        _path = instance.PathOf(string.Create(CultureInfo.InvariantCulture, $"per_cpu/cpu{cpu}/trace_pipe_raw"));
        Descriptor = LibC.Open(_path, LibC.NonBlocking | LibC.CloseOnExec, 0);
        if (Descriptor < 0)
            throw new KernelException($"{_path}: cannot be opened: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>The CPUs that an instance has buffers of.</summary>
    public static IReadOnlyList<int> Cpus(TracefsInstance instance) =>
    [
        .. Directory.GetDirectories(instance.PathOf("per_cpu"))
            .Select(path => int.TryParse(Path.GetFileName(path).AsSpan("cpu".Length), NumberStyles.None, CultureInfo.InvariantCulture, out int cpu) ? cpu : -1)
            .Where(cpu => cpu >= 0).Order(),
    ];

    /// <summary>The CPU.</summary>
    public int Cpu { get; }

    /// <summary>The open file.</summary>
    public int Descriptor { get; }

    /// <summary>Moves full pages to a pipe, without copying them; returns bytes, 0 where there is no full page.</summary>
    /// <exception cref="KernelException">The kernel refuses it.</exception>
    public int Splice(int pipe, int maxBytes)
    {
        while (true)
        {
            nint moved = LibC.Splice(Descriptor, null, pipe, null, (nuint)maxBytes, LibC.SpliceMove | LibC.SpliceNonBlock);
            if (moved >= 0)
                return (int)moved;
            int error = Marshal.GetLastPInvokeError();
            if (error == LibC.Again)
                return 0;
            if (error != LibC.Interrupted)
                throw new KernelException($"{_path}: cannot be drained: {Marshal.GetPInvokeErrorMessage(error)}");
        }
    }

    /// <summary>Copies the next page, full or not; returns its bytes, 0 where there is none.</summary>
    /// <exception cref="KernelException">The kernel refuses it.</exception>
    public int Read(byte* page, int maxBytes)
    {
        while (true)
        {
            nint read = LibC.Read(Descriptor, page, (nuint)maxBytes);
            if (read >= 0)
                return (int)read;
            int error = Marshal.GetLastPInvokeError();
            if (error == LibC.Again)
                return 0;
            if (error != LibC.Interrupted)
                throw new KernelException($"{_path}: cannot be read: {Marshal.GetPInvokeErrorMessage(error)}");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _ = LibC.Close(Descriptor);
}
