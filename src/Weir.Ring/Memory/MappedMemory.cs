using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Weir.Ring;

/// <summary>
/// Memory of a fixed size, mapped shared, with a file behind it or without. A file's room is allocated before it is used: a store to a page
/// that the file system cannot provide is a SIGBUS, and a program must not die because a tracer ran out of room.
/// </summary>
internal sealed unsafe class MappedMemory
{
    /// <summary>
    /// Before and behind memory without a file, and never accessed: the kernel makes one mapping of neighbours that are alike, and would tell of
    /// this memory and others' together.
    /// </summary>
    private const int GuardBytes = 4096;

    private readonly nuint _lengthBytes;
    private readonly int _guardBytes;
    private nint _address;

    private MappedMemory(nint address, nuint lengthBytes, int guardBytes, SafeFileHandle? file)
    {
        _address = address;
        _lengthBytes = lengthBytes;
        _guardBytes = guardBytes;
        File = file;
    }

    public byte* Address => (byte*)_address;

    public long LengthBytes => (long)_lengthBytes;

    /// <summary>A memory file's descriptor; null for the other kinds, which have a name or nothing.</summary>
    public SafeFileHandle? File { get; }

    /// <summary>Makes new memory, all zero.</summary>
    /// <param name="backing">Where.</param>
    /// <param name="name">The file's name.</param>
    /// <param name="lengthBytes">A multiple of the page size, but for memory that is mapped once and whole.</param>
    /// <param name="node">The NUMA node that it should lie in; null for wherever it comes.</param>
    /// <param name="mirroredBytes">So many last bytes are mapped once more behind the end: a ring that needs no wrapping.</param>
    /// <exception cref="IOException">A file exists or cannot be made, or there is no room.</exception>
    public static MappedMemory Create(RingBacking backing, string name, long lengthBytes, int? node, long mirroredBytes = 0)
    {
        string? path = backing.Kind == BackingKind.Files ? Path.Combine(backing.Directory!, name) : null;
        string described = path ?? $"memory for {name}";
        // A mirror needs a file to map twice.
        bool hasFile = path != null || backing.Kind == BackingKind.MemoryFiles || mirroredBytes > 0;
        SafeFileHandle? file = hasFile ? OpenNew(path, name, described) : null;
        nint address = LibC.MapFailed;
        try
        {
            if (file != null && LibC.SetLength(file, lengthBytes) != 0)
                throw new IOException($"{described}: no room for {lengthBytes} bytes: {Marshal.GetLastPInvokeErrorMessage()}");
            // On a DAX file system a store is in the file at once, and this flag has the file's own blocks there before it: what was
            // written outlives the kernel. Other file systems do not know it.
            int flags = file == null ? LibC.MapPrivate | LibC.MapAnonymous : LibC.MapShared;
            bool isDurable = path != null && IsDurable(file!);
            if (isDurable)
                flags = LibC.MapSharedValidate | LibC.MapSync;
            address = Map(file, flags, lengthBytes, mirroredBytes, LibC.ProtReadWrite, described);
            if (backing.HugePages)
                _ = LibC.Advise(address, (nuint)lengthBytes, LibC.AdviseHugePage);
            // Before the first touch, which decides.
            if (node is { } wanted)
                NumaNodes.Prefer(address, lengthBytes, wanted);
            // Blocks that were allocated and not written would each cost a commit of the journal at their first touch.
            if (isDurable)
                WriteZeros(file!, lengthBytes, described);
            int error = path != null || (file != null && backing.IsTouchedUpFront) ? AllocateRoom(file!, lengthBytes) : 0;
            if (error != 0)
                throw new IOException($"{described}: no room for {lengthBytes} bytes: {Marshal.GetPInvokeErrorMessage(error)}");
            if (backing.IsTouchedUpFront)
                Touch(address, lengthBytes + mirroredBytes, described);
            if (path == null && file != null)
                LibC.Seal(file);
            bool isKept = path == null && file != null;
            var memory = new MappedMemory(address, (nuint)(lengthBytes + mirroredBytes), file == null ? GuardBytes : 0, isKept ? file : null);
            if (!isKept)
                file?.Dispose();
            return memory;
        }
        catch (IOException)
        {
            if (address != LibC.MapFailed)
                Unmap(address, (nuint)(lengthBytes + mirroredBytes), file == null ? GuardBytes : 0);
            file?.Dispose();
            if (path != null)
                System.IO.File.Delete(path);
            throw;
        }
    }

    /// <summary>Maps the first bytes of an existing file, to read and write.</summary>
    /// <exception cref="IOException">The file cannot be opened or is shorter.</exception>
    public static MappedMemory Open(string path, long lengthBytes)
    {
        int fd = LibC.Open(path, LibC.ReadWrite | LibC.NonBlocking | LibC.CloseOnExec, 0);
        if (fd < 0)
            throw new IOException($"{path}: cannot be opened: {Marshal.GetLastPInvokeErrorMessage()}");
        using var file = new SafeFileHandle(fd, ownsHandle: true);
        // Of what is open: the name may be a link, and lead elsewhere by now.
        if (!HasLength(file, lengthBytes))
            throw new IOException($"{path}: not a file of {lengthBytes} bytes or more");
        return Open(file, path, lengthBytes, isWritable: true);
    }

    /// <summary>Maps the first bytes of an open file, whose length the caller has checked; so many last of them once more behind the end.</summary>
    /// <exception cref="IOException">It cannot be mapped.</exception>
    public static MappedMemory Open(SafeFileHandle file, string path, long lengthBytes, bool isWritable, long mirroredBytes = 0)
    {
        nint address = Map(file, LibC.MapShared, lengthBytes, mirroredBytes, isWritable ? LibC.ProtReadWrite : LibC.ProtRead, path);
        return new MappedMemory(address, (nuint)(lengthBytes + mirroredBytes), 0, null);
    }

    /// <summary>
    /// Gives the memory back while the addresses stay valid: one system call puts private, empty memory in its place. Whoever still
    /// writes there, writes to nobody. What was in a file is in the file.
    /// </summary>
    public void Detach()
    {
        nint address = Volatile.Read(ref _address);
        if (address != 0)
            _ = LibC.Map(address, _lengthBytes, LibC.ProtReadWrite, LibC.MapPrivate | LibC.MapAnonymous | LibC.MapFixed | LibC.MapNoReserve, -1, 0);
        // Of a memory file the descriptor is the last that holds it.
        File?.Dispose();
    }

    public void Unmap()
    {
        nint address = Interlocked.Exchange(ref _address, 0);
        if (address != 0)
            Unmap(address, _lengthBytes, _guardBytes);
    }

    private static bool HasLength(SafeFileHandle file, long lengthBytes)
    {
        try
        {
            return RandomAccess.GetLength(file) >= lengthBytes;
        }
        catch (NotSupportedException)
        {
            // A pipe or a device.
            return false;
        }
    }

    private static SafeFileHandle OpenNew(string? path, string name, string described)
    {
        int fd = path != null
            ? LibC.Open(path, LibC.ReadWrite | LibC.Create | LibC.Exclusive | LibC.CloseOnExec, Convert.ToInt32("600", 8))
            : LibC.CreateMemoryFile(name, LibC.MemoryFileCloseOnExec | LibC.MemoryFileAllowSealing);
        return fd < 0
            ? throw new IOException($"{described}: cannot be created: {Marshal.GetLastPInvokeErrorMessage()}")
            : new SafeFileHandle(fd, ownsHandle: true);
    }

    /// <summary>Whether stores through a mapping of a file, and the blocks that they lie in, are in the file without being asked for.</summary>
    private static bool IsDurable(SafeFileHandle file)
    {
        const int AnyBytes = 4096;
        nint address = LibC.Map(0, AnyBytes, LibC.ProtReadWrite, LibC.MapSharedValidate | LibC.MapSync, Descriptor(file), 0);
        if (address != LibC.MapFailed)
            _ = LibC.Unmap(address, AnyBytes);
        return address != LibC.MapFailed;
    }

    private static void WriteZeros(SafeFileHandle file, long lengthBytes, string described)
    {
        var zeros = new byte[Math.Min(1 << 20, lengthBytes)];
        try
        {
            for (long offset = 0; offset < lengthBytes; offset += zeros.Length)
                RandomAccess.Write(file, zeros.AsSpan(0, (int)Math.Min(zeros.Length, lengthBytes - offset)), offset);
        }
        catch (IOException e)
        {
            throw new IOException($"{described}: no room for {lengthBytes} bytes: {e.Message}", e);
        }
    }

    private static nint Map(SafeFileHandle? file, int flags, long lengthBytes, long mirroredBytes, int protection, string described)
    {
        int fd = file != null ? Descriptor(file) : -1;
        int guardBytes = file == null ? GuardBytes : 0;
        nuint allBytes = (nuint)(lengthBytes + mirroredBytes + (2 * guardBytes));
        // Addresses for all of it, then each part over its own.
        nint reserved = LibC.Map(0, allBytes, LibC.ProtNone, LibC.MapPrivate | LibC.MapAnonymous | LibC.MapNoReserve, -1, 0);
        nint address = reserved + guardBytes;
        bool isMapped = reserved != LibC.MapFailed
            && LibC.Map(address, (nuint)lengthBytes, protection, flags | LibC.MapFixed, fd, 0) == address
            && (mirroredBytes == 0
                || LibC.Map(address + (nint)lengthBytes, (nuint)mirroredBytes, protection, flags | LibC.MapFixed, fd, lengthBytes - mirroredBytes) != LibC.MapFailed);
        if (isMapped)
            return address;
        string error = Marshal.GetLastPInvokeErrorMessage();
        if (reserved != LibC.MapFailed)
            _ = LibC.Unmap(reserved, allBytes);
        throw new IOException($"{described}: cannot be mapped: {error}");
    }

    // Piece by piece: a signal interrupts the allocation and undoes it, and a file that takes longer than two ticks of a profiler's
    // timer would never be finished.
    private static int AllocateRoom(SafeFileHandle file, long lengthBytes)
    {
        const long PieceBytes = 1 << 20;
        for (long offset = 0; offset < lengthBytes;)
        {
            int error = LibC.Allocate(Descriptor(file), offset, Math.Min(PieceBytes, lengthBytes - offset));
            if (error is not (0 or LibC.Interrupted))
                return error;
            if (error == 0)
                offset += PieceBytes;
        }
        return 0;
    }

    /// <summary>Has every page's first write behind it; a kernel before 5.14 does not know the advice, and is touched by hand.</summary>
    /// <exception cref="IOException">There is no memory for them.</exception>
    private static void Touch(nint address, long lengthBytes, string described)
    {
        const int PageBytes = 4096;
        const int UnknownAdvice = 22;
        int error;
        do
        {
            if (LibC.Advise(address, (nuint)lengthBytes, LibC.AdvisePopulateWrite) == 0)
                return;
            error = Marshal.GetLastPInvokeError();
        }
        while (error == LibC.Interrupted);
        if (error != UnknownAdvice)
            throw new IOException($"{described}: no memory for {lengthBytes} bytes: {Marshal.GetPInvokeErrorMessage(error)}");
        for (long offset = 0; offset < lengthBytes; offset += PageBytes)
            Volatile.Write(ref *(byte*)(address + (nint)offset), 0);
    }

    private static void Unmap(nint address, nuint lengthBytes, int guardBytes) =>
        _ = LibC.Unmap(address - guardBytes, lengthBytes + (2 * (nuint)guardBytes));

    private static int Descriptor(SafeFileHandle file) => (int)file.DangerousGetHandle();
}
