using System.Globalization;
using System.Text;

namespace Weir.Kernel;

/// <summary>
/// What processes had mapped while they were sampled, and the addresses that were seen in them, to be named at the end. The buffers of CPUs are
/// read one after the other, so a process may be seen before its beginning is; what belongs to which program is then told by the times.
/// Not thread-safe.
/// </summary>
internal sealed class AddressSpaces
{
    /// <summary>The kernel's own, which all processes share.</summary>
    public const int Kernel = -1;

    /// <summary>Most addresses that are named; each takes some hundred bytes.</summary>
    private const int MaxAddresses = 1 << 20;

    private readonly Dictionary<int, AddressSpace> _current = [];
    private readonly List<AddressSpace> _left = [];
    private readonly List<int> _ended = [];
    private readonly List<int> _endedBefore = [];
    private int _addresses;

    /// <summary>Whether addresses were seen that are not kept.</summary>
    public bool IsFull { get; private set; }

    /// <summary>All spaces in which addresses were seen.</summary>
    public IEnumerable<AddressSpace> All => _left.Concat(_current.Values).Where(space => space.Addresses.Count > 0);

    /// <summary>Adds what the processes have mapped that run now.</summary>
    public void AddRunning()
    {
        var files = new ProcFile();
        foreach (int pid in ProcFile.Numbers("/proc"))
        {
            var maps = files.Read(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/maps"));
            while (ByteWords.TakeLine(ref maps, out var line))
            {
                if (MapsLine.TryParse(line, out var map) && map.IsExecutable)
                    Map(pid, 0, map.Start, map.End, map.Offset, Encoding.UTF8.GetString(map.Path));
            }
        }
    }

    /// <summary>Called before all buffers are read: forgets processes that nothing was seen of and that had ended one round ago.</summary>
    public void BeginRound()
    {
        foreach (int pid in _endedBefore)
        {
            if (_current.TryGetValue(pid, out var space) && space.HasEnded && _current.Remove(pid) && space.Addresses.Count > 0)
                _left.Add(space);
        }
        _endedBefore.Clear();
        _endedBefore.AddRange(_ended);
        _ended.Clear();
    }

    /// <summary>A stack was seen; its first address is where the program was, the others are where it returns to.</summary>
    public void See(int pid, ulong time, ReadOnlySpan<ulong> stack)
    {
        if (stack.IsEmpty)
            return;
        var space = Of(pid);
        for (int i = 0; i < stack.Length; i++)
        {
            if (_addresses >= MaxAddresses)
            {
                IsFull = true;
                return;
            }
            if (space.See(stack[i], time, isReturn: i > 0))
                _addresses++;
        }
    }

    /// <summary>A process has mapped code.</summary>
    public void Map(int pid, ulong time, ulong start, ulong end, ulong offset, string path) => Of(pid).Add(new Mapping(start, end, offset, path, time));

    /// <summary>A process has become another program.</summary>
    public void Exec(int pid, ulong time) => Split(pid, time);

    /// <summary>A process has come of another, and has what that one has.</summary>
    public void Fork(int pid, int parent, ulong time)
    {
        var space = Split(pid, time);
        if (_current.TryGetValue(parent, out var origin))
            space.AddBefore(origin);
    }

    /// <summary>A process has ended.</summary>
    public void Exit(int pid)
    {
        if (!_current.TryGetValue(pid, out var space))
            return;
        space.HasEnded = true;
        _ended.Add(pid);
    }

    private AddressSpace Split(int pid, ulong time)
    {
        if (!_current.TryGetValue(pid, out var old))
            return Of(pid);
        var space = old.SplitAt(time);
        if (old.Addresses.Count > 0)
            _left.Add(old);
        return _current[pid] = space;
    }

    private AddressSpace Of(int pid)
    {
        if (!_current.TryGetValue(pid, out var space))
            _current.Add(pid, space = new AddressSpace(pid));
        return space;
    }
}

/// <summary>Code that is mapped into a process.</summary>
/// <param name="Start">Its first address.</param>
/// <param name="End">The address behind its last.</param>
/// <param name="Offset">Where in the file it begins.</param>
/// <param name="Path">The file, or what the kernel calls it.</param>
/// <param name="Time">Since when.</param>
internal sealed record Mapping(ulong Start, ulong End, ulong Offset, string Path, ulong Time);

/// <summary>The memory of one process while it was one program. Not thread-safe.</summary>
internal sealed class AddressSpace(int pid)
{
    private List<Mapping> _mappings = [];

    public int Pid => pid;

    /// <summary>Whether the process has ended.</summary>
    public bool HasEnded { get; set; }

    /// <summary>The addresses that were seen: when first, and whether only as those that a call returns to.</summary>
    public Dictionary<ulong, (ulong Time, bool IsReturn)> Addresses { get; } = [];

    public void Add(Mapping mapping) => _mappings.Add(mapping);

    /// <summary>Adds another's mappings, which are older than these.</summary>
    public void AddBefore(AddressSpace other) => _mappings = [.. other._mappings, .. _mappings];

    /// <summary>Notes an address; returns whether it is a new one.</summary>
    public bool See(ulong address, ulong time, bool isReturn)
    {
        bool isNew = !Addresses.TryGetValue(address, out var known);
        if (isNew || (known.IsReturn && !isReturn))
            Addresses[address] = (isNew ? time : known.Time, isReturn);
        return isNew;
    }

    /// <summary>The mapping that an address lies in, the newest where one lies over another; null where it lies in none.</summary>
    public Mapping? Find(ulong address)
    {
        for (int i = _mappings.Count - 1; i >= 0; i--)
        {
            if (address >= _mappings[i].Start && address < _mappings[i].End)
                return _mappings[i];
        }
        return null;
    }

    /// <summary>Ends this space at a time; returns that which follows, with what was noted of it already.</summary>
    public AddressSpace SplitAt(ulong time)
    {
        var next = new AddressSpace(pid);
        next._mappings.AddRange(_mappings.Where(mapping => mapping.Time > time));
        _mappings.RemoveAll(mapping => mapping.Time > time);
        foreach (var (address, seen) in Addresses.Where(item => item.Value.Time > time).ToList())
        {
            next.Addresses.Add(address, seen);
            Addresses.Remove(address);
        }
        return next;
    }
}
