using System.Runtime.InteropServices;

namespace Weir.Cli;

/// <summary>
/// Standard output by plain <c>write</c>: at the place that the shell's other commands write at too, and with an error where nobody reads.
/// A file stream keeps a place of its own, and the console's stream hides a closed pipe.
/// </summary>
internal sealed unsafe partial class StandardOutput : WriteOnlyStream
{
    /// <summary>The error number of a pipe that nobody reads; an <see cref="Exception.HResult"/>.</summary>
    public const int BrokenPipe = 32;

    private const int Descriptor = 1;
    private const int Interrupted = 4;
    private const int SetPipeSize = 1031;
    private const int PipeBytes = 1 << 20;

    /// <summary>Has a pipe take more at once, so that its two ends wait for each other less often; what is no pipe says no.</summary>
    public StandardOutput() => _ = Fcntl(Descriptor, SetPipeSize, PipeBytes);

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

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Fcntl(int fd, int command, int argument);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(int fd, byte* buffer, nint lengthBytes);
}
