using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Weir.Ring;

/// <summary>
/// Moves packets out of a ring without reading them. To a file by one system call that copies from the buffer's own pages: on today's kernels
/// four to five times as fast as <c>sendfile</c>, which goes page by page (docs/performance.md). To a pipe or a socket by descriptor: the
/// pages themselves are passed on.
/// </summary>
public static unsafe class PacketPipe
{
    private const int BadAddress = 14;

    /// <summary>Writes a packet to a place in a file.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="packet">The packet.</param>
    /// <param name="target">A file that can be written at any offset.</param>
    /// <param name="targetOffset">Where.</param>
    /// <exception cref="IOException">The file takes no more; a part may have been written.</exception>
    /// <exception cref="InvalidDataException">The stream's file ends inside the packet; a part may have been written.</exception>
    public static void Write(StreamReader stream, in PendingPacket packet, SafeFileHandle target, long targetOffset)
    {
        byte* from = stream.MapData() + (packet.FileOffset - StreamLayout.HeadBytes);
        for (long done = 0; done < packet.LengthBytes;)
        {
            nint written = LibC.WriteAt(target, from + done, (nuint)(packet.LengthBytes - done), targetOffset + done);
            if (written > 0)
                done += written;
            else if (written == 0)
                throw new IOException("the file takes no more");
            // The kernel finds no page behind the address, and says so; only a load of our own would have been a signal.
            else if (Marshal.GetLastPInvokeError() == BadAddress)
                throw new InvalidDataException($"{stream.Path}: offset {packet.FileOffset + done}: the file ends inside a packet");
            else if (Marshal.GetLastPInvokeError() != LibC.Interrupted)
                throw new IOException(Marshal.GetLastPInvokeErrorMessage());
        }
        GC.KeepAlive(stream);
    }

    /// <summary>Moves a packet to a pipe or a socket; to a file it goes to the file's own position.</summary>
    /// <param name="stream">The stream; its memory must have a file.</param>
    /// <param name="packet">The packet.</param>
    /// <param name="target">Blocking.</param>
    /// <exception cref="IOException">The target takes no more; a part may have been moved.</exception>
    /// <exception cref="InvalidDataException">The stream's file ends inside the packet; a part may have been moved.</exception>
    public static void Move(StreamReader stream, in PendingPacket packet, SafeHandle target)
    {
        if (stream.File is not { } file)
            throw new InvalidOperationException("Anonymous memory has no descriptor to move from.");
        bool isHeld = false;
        target.DangerousAddRef(ref isHeld);
        try
        {
            long from = packet.FileOffset;
            for (long left = packet.LengthBytes; left > 0;)
            {
                nint moved = LibC.SendFile((int)target.DangerousGetHandle(), file, &from, (nuint)left);
                if (moved > 0)
                    left -= moved;
                else if (moved == 0)
                    throw new InvalidDataException($"{stream.Path}: offset {from}: the file ends inside a packet");
                else if (Marshal.GetLastPInvokeError() != LibC.Interrupted)
                    throw new IOException(Marshal.GetLastPInvokeErrorMessage());
            }
        }
        finally
        {
            target.DangerousRelease();
        }
    }
}
