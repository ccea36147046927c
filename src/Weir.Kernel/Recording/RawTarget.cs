using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Weir.Kernel;

/// <summary>
/// Keeps one CPU's pages as they are, in a file of their own: from the kernel's buffer through a pipe into the file, without that this
/// process sees a byte of them. A file that cannot be written keeps what it has, and no page comes behind a missing one.
/// </summary>
internal sealed unsafe class RawTarget : PageTarget, IDisposable
{
    private readonly int _pageBytes;

    /// <summary>Begins a file.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    public RawTarget(string path, int cpu, int pageBytes)
    {
        Path = path;
        Cpu = cpu;
        _pageBytes = pageBytes;
        File = System.IO.File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite, FileShare.Read);
    }

    /// <summary>The file's path.</summary>
    public string Path { get; }

    /// <summary>The CPU.</summary>
    public int Cpu { get; }

    /// <summary>The open file.</summary>
    public SafeFileHandle File { get; }

    /// <summary>Bytes of the whole pages that were written.</summary>
    public long LengthBytes { get; private set; }

    /// <summary>Why pages are missing, the first of it; null for nothing.</summary>
    public string? Problem { get; private set; }

    /// <inheritdoc/>
    public override void Take(int pipe, int lengthBytes, byte* buffer, int pageBytes)
    {
        int left = lengthBytes;
        while (left > 0 && Problem is null)
        {
            long at = LengthBytes;
            nint moved = LibC.Splice(pipe, null, (int)File.DangerousGetHandle(), &at, (nuint)left, LibC.SpliceMove);
            int error = Marshal.GetLastPInvokeError();
            if (moved > 0)
            {
                LengthBytes += moved;
                left -= (int)moved;
            }
            else if (moved == 0 || error != LibC.Interrupted)
                Fail(moved == 0 ? "the file takes nothing more" : Marshal.GetPInvokeErrorMessage(error));
        }
        // A pipe that is full would stop the other CPUs that share it.
        if (left > 0)
            ReadPipe(pipe, buffer, left);
    }

    /// <inheritdoc/>
    public override void Take(byte* page, int lengthBytes)
    {
        if (Problem is not null)
            return;
        try
        {
            RandomAccess.Write(File, new ReadOnlySpan<byte>(page, lengthBytes), LengthBytes);
            LengthBytes += _pageBytes;
        }
        catch (IOException e)
        {
            Fail(e.Message);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => File.Dispose();

    private void Fail(string why)
    {
        Problem = $"{Path}: the kernel's pages cannot be written: {why}; those of CPU {Cpu} from then on are missing";
        LengthBytes = LengthBytes / _pageBytes * _pageBytes;
    }
}
