using System.Runtime.InteropServices;

namespace Weir.Ring;

/// <summary>
/// A file made at a fixed size and mapped shared. Its room is allocated before it is mapped: a store to a page that the file system
/// cannot provide is a SIGBUS, and a program must not die because a tracer ran out of room.
/// </summary>
internal sealed unsafe class MappedFile
{
    private readonly nuint _lengthBytes;
    private nint _address;

    private MappedFile(nint address, nuint lengthBytes)
    {
        _address = address;
        _lengthBytes = lengthBytes;
    }

    public byte* Address => (byte*)_address;

    /// <exception cref="IOException">The file exists, cannot be made, or there is no room.</exception>
    public static MappedFile Create(string path, long lengthBytes)
    {
        int fd = LibC.Open(path, LibC.ReadWrite | LibC.Create | LibC.Exclusive | LibC.CloseOnExec, Convert.ToInt32("600", 8));
        if (fd < 0)
            throw new IOException($"{path}: cannot be created: {Marshal.GetLastPInvokeErrorMessage()}");
        try
        {
            int error = AllocateRoom(fd, lengthBytes);
            if (error != 0)
                throw new IOException($"{path}: no room for {lengthBytes} bytes: {Marshal.GetPInvokeErrorMessage(error)}");
            return Map(fd, lengthBytes, path);
        }
        catch (IOException)
        {
            File.Delete(path);
            throw;
        }
        finally
        {
            _ = LibC.Close(fd);
        }
    }

    /// <summary>Maps the first bytes of an existing file, to read and write.</summary>
    /// <exception cref="IOException">The file cannot be opened or is shorter.</exception>
    public static MappedFile Open(string path, long lengthBytes)
    {
        if (new FileInfo(path) is not { Exists: true } info || info.Length < lengthBytes)
            throw new IOException($"{path}: missing, or shorter than {lengthBytes} bytes");
        int fd = LibC.Open(path, LibC.ReadWrite | LibC.CloseOnExec, 0);
        if (fd < 0)
            throw new IOException($"{path}: cannot be opened: {Marshal.GetLastPInvokeErrorMessage()}");
        try
        {
            return Map(fd, lengthBytes, path);
        }
        finally
        {
            _ = LibC.Close(fd);
        }
    }

    /// <summary>
    /// Gives the file's memory back while the addresses stay valid: one system call puts private, empty memory in their place. Whoever still
    /// writes there, writes to nobody. What was in the file is in the file.
    /// </summary>
    public void Detach()
    {
        nint address = Volatile.Read(ref _address);
        if (address != 0)
            _ = LibC.Map(address, _lengthBytes, LibC.ProtReadWrite, LibC.MapPrivate | LibC.MapAnonymous | LibC.MapFixed | LibC.MapNoReserve, -1, 0);
    }

    public void Unmap()
    {
        nint address = Interlocked.Exchange(ref _address, 0);
        if (address != 0)
            _ = LibC.Unmap(address, _lengthBytes);
    }

    // Piece by piece: a signal interrupts the allocation and undoes it, and a file that takes longer than two ticks of a profiler's
    // timer would never be finished.
    private static int AllocateRoom(int fd, long lengthBytes)
    {
        const long PieceBytes = 1 << 20;
        for (long offset = 0; offset < lengthBytes;)
        {
            int error = LibC.Allocate(fd, offset, Math.Min(PieceBytes, lengthBytes - offset));
            if (error is not (0 or LibC.Interrupted))
                return error;
            if (error == 0)
                offset += PieceBytes;
        }
        return 0;
    }

    private static MappedFile Map(int fd, long lengthBytes, string path)
    {
        // Populated at once, so that no event pays for a page's first touch.
        nint address = LibC.Map(0, (nuint)lengthBytes, LibC.ProtReadWrite, LibC.MapShared | LibC.MapPopulate, fd, 0);
        if (address == LibC.MapFailed)
            throw new IOException($"{path}: cannot be mapped: {Marshal.GetLastPInvokeErrorMessage()}");
        return new MappedFile(address, (nuint)lengthBytes);
    }
}
