using System.Runtime.InteropServices;

namespace Weir.Kernel;

/// <summary>What becomes of one CPU's pages. Used by one thread at a time.</summary>
internal abstract unsafe class PageTarget : IDisposable
{
    /// <summary>What went wrong, the first of it; null for nothing.</summary>
    public abstract string? Problem { get; }

    /// <summary>Takes full pages that lie in a pipe.</summary>
    /// <param name="pipe">The pipe's end to read from.</param>
    /// <param name="lengthBytes">Bytes to take out of it, all of them.</param>
    /// <param name="buffer">Memory that may be used, at least as many bytes.</param>
    /// <param name="pageBytes">Size of a page.</param>
    public abstract void Take(int pipe, int lengthBytes, byte* buffer, int pageBytes);

    /// <summary>Takes a page that lies in memory, and may not be full.</summary>
    public abstract void Take(byte* page, int lengthBytes);

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>Makes events of a trace of one CPU's pages.</summary>
internal sealed unsafe class TranscodingTarget(PageTranscoder transcoder) : PageTarget
{
    /// <summary>Makes the events.</summary>
    public PageTranscoder Transcoder => transcoder;

    /// <inheritdoc/>
    public override string? Problem => transcoder.Problem ?? transcoder.Stream.Problem;

    /// <inheritdoc/>
    public override void Take(int pipe, int lengthBytes, byte* buffer, int pageBytes)
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
        for (int at = 0; at < lengthBytes; at += pageBytes)
            transcoder.Add(buffer + at, Math.Min(pageBytes, lengthBytes - at));
    }

    /// <inheritdoc/>
    public override void Take(byte* page, int lengthBytes) => transcoder.Add(page, lengthBytes);

    /// <inheritdoc/>
    public override void Dispose() => transcoder.Stream.Dispose();
}
