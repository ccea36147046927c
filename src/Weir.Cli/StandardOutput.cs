using System.Runtime.InteropServices;

namespace Weir.Cli;

/// <summary>
/// Standard output by plain <c>write</c>: at the place that the shell's other commands write at too, and with an error where nobody reads.
/// A file stream keeps a place of its own, and the console's stream hides a closed pipe.
/// </summary>
internal sealed unsafe partial class StandardOutput : Stream
{
    /// <summary>The error number of a pipe that nobody reads; an <see cref="Exception.HResult"/>.</summary>
    public const int BrokenPipe = 32;

    private const int Descriptor = 1;
    private const int Interrupted = 4;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            nint written;
            fixed (byte* start = buffer)
                written = Write(Descriptor, start, buffer.Length);
            if (written >= 0)
                buffer = buffer[(int)written..];
            else if (Marshal.GetLastPInvokeError() is var error and not Interrupted)
                throw new IOException($"standard output: {Marshal.GetPInvokeErrorMessage(error)}", error);
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(int fd, byte* buffer, nint lengthBytes);
}
