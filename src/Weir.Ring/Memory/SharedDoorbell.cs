using System.Globalization;

namespace Weir.Ring;

/// <summary>
/// One word of shared memory that a reader sleeps on and writers ring: a ring's own, or one of a file that many rings share. Thread-safe.
/// </summary>
public sealed unsafe class SharedDoorbell
{
    private const int LengthBytes = 64;

    private readonly MappedMemory? _memory;
    // Keeps the memory of a ring in this process mapped.
    private readonly object? _owner;
    private readonly uint* _word;

    private SharedDoorbell(MappedMemory memory, int offset)
    {
        _memory = memory;
        _word = (uint*)(memory.Address + offset);
    }

    private SharedDoorbell(uint* word, object owner)
    {
        _word = word;
        _owner = owner;
    }

    /// <summary>Unmaps the word when no ring holds it.</summary>
    ~SharedDoorbell()
    {
        _memory?.File?.Dispose();
        _memory?.Unmap();
    }

    internal uint* Word => _word;

    /// <summary>
    /// Makes it in sealed memory, and a link to that: no process that maps it can be hurt by another that cuts a file short. The link leads
    /// nowhere once this process is gone, and to other users' processes it never leads.
    /// </summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    public static SharedDoorbell Create(string directory, string name)
    {
        var memory = MappedMemory.Create(RingBacking.MemoryFiles, name, LengthBytes, node: null);
        try
        {
            File.CreateSymbolicLink(
                Path.Combine(directory, name), string.Create(CultureInfo.InvariantCulture, $"/proc/{Environment.ProcessId}/fd/{memory.File!.DangerousGetHandle()}"));
            return new SharedDoorbell(memory, 0);
        }
        catch
        {
            memory.File!.Dispose();
            memory.Unmap();
            throw;
        }
    }

    /// <summary>Opens such a link; null where it leads to nothing that can be used, and then nobody is woken.</summary>
    public static SharedDoorbell? TryOpen(string path) => TryOpen(path, 0);

    /// <summary>Opens the word of another process's ring; null where it cannot be had.</summary>
    /// <param name="directory">The ring's directory.</param>
    public static SharedDoorbell? TryOpenRing(string directory) => TryOpen(Path.Combine(directory, RingControl.FileName), RingControl.DoorbellOffset);

    /// <summary>Says that the caller is about to sleep; it must look once more for what it waits for before <see cref="Sleep"/>.</summary>
    public void Prepare()
    {
        Doorbell.Prepare(_word);
        GC.KeepAlive(this);
    }

    /// <summary>Sleeps until somebody rings, at most for a time; may return early.</summary>
    public void Sleep(TimeSpan timeout)
    {
        Doorbell.Sleep(_word, timeout);
        GC.KeepAlive(_owner);
        GC.KeepAlive(this);
    }

    /// <summary>Wakes the sleeper.</summary>
    public void Ring()
    {
        Doorbell.Ring(_word);
        GC.KeepAlive(this);
    }

    internal static SharedDoorbell OfOwnMemory(uint* word, object owner) => new(word, owner);

    /// <summary>
    /// Gives the memory back where nobody needs to be woken any more; whoever still rings or sleeps here does so in private memory.
    /// </summary>
    public void Retire() => _memory?.Detach();

    private static SharedDoorbell? TryOpen(string path, int offset)
    {
        try
        {
            return new SharedDoorbell(MappedMemory.Open(path, offset + LengthBytes), offset);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
