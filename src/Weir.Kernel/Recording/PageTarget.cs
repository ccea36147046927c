using System.Runtime.InteropServices;

namespace Weir.Kernel;

/// <summary>What becomes of one CPU's pages. Used by one thread at a time.</summary>
internal abstract unsafe class PageTarget
{
    /// <summary>Takes full pages that lie in a pipe.</summary>
    /// <param name="pipe">The pipe's end to read from.</param>
    /// <param name="lengthBytes">Bytes to take out of it, all of them.</param>
    /// <param name="buffer">Memory that may be used, at least as many bytes.</param>
    /// <param name="pageBytes">Size of a page.</param>
    public abstract void Take(int pipe, int lengthBytes, byte* buffer, int pageBytes);

    /// <summary>Takes a page that lies in memory, and may not be full.</summary>
    public abstract void Take(byte* page, int lengthBytes);

    /// <summary>Reads so many bytes out of a pipe.</summary>
    /// <exception cref="KernelException">They are not there.</exception>
    protected static void ReadPipe(int pipe, byte* buffer, int lengthBytes)
    {
        for (int done = 0; done < lengthBytes;)
        {
            nint read = LibC.Read(pipe, buffer + done, (nuint)(lengthBytes - done));
            int error = Marshal.GetLastPInvokeError();
            if (read < 0 && error == LibC.Interrupted)
                continue;
            if (read <= 0)
                throw new KernelException($"the pipe for the kernel's pages cannot be read: {Marshal.GetPInvokeErrorMessage(error)}");
            done += (int)read;
        }
    }
}

/// <summary>Makes events of a trace of one CPU's pages.</summary>
internal sealed unsafe class TranscodingTarget(PageTranscoder transcoder) : PageTarget
{
    /// <inheritdoc/>
    public override void Take(int pipe, int lengthBytes, byte* buffer, int pageBytes)
    {
        ReadPipe(pipe, buffer, lengthBytes);
        for (int at = 0; at < lengthBytes; at += pageBytes)
            transcoder.Add(buffer + at, Math.Min(pageBytes, lengthBytes - at));
    }

    /// <inheritdoc/>
    public override void Take(byte* page, int lengthBytes) => transcoder.Add(page, lengthBytes);
}
