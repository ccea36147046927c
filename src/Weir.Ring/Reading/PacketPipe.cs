using System.Runtime.InteropServices;

namespace Weir.Ring;

/// <summary>
/// Moves packets by descriptor, to a file, a pipe or a socket: the kernel takes the bytes from the buffer's pages, and none passes through
/// this process's memory.
/// </summary>
public static unsafe class PacketPipe
{
    /// <summary>Moves a packet to a descriptor, at its own position where it has one.</summary>
    /// <param name="stream">The stream; its memory must have a file.</param>
    /// <param name="packet">The packet.</param>
    /// <param name="target">Blocking; of a file, a pipe or a socket.</param>
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
