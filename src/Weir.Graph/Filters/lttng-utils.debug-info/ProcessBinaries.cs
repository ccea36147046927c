namespace Weir.Graph;

/// <summary>What the processes of one trace have loaded, as LTTng-UST's state dumps and its events about libraries tell it.</summary>
/// <param name="files">Opens files.</param>
/// <param name="targetPrefix">The directory under which the traced machine's files are, or null.</param>
/// <param name="fullPath">Whether paths are given as a whole.</param>
internal sealed class ProcessBinaries(BinaryFiles files, string? targetPrefix, bool fullPath)
{
    // Events are untrusted: what they make us keep is bounded.
    private const int MaxProcesses = 1 << 14;
    private const int MaxBinaries = 1 << 12;
    private const int MaxLocations = 1 << 14;

    private readonly Dictionary<int, Process> _processes = [];
    private readonly Queue<int> _inOrder = [];

    /// <summary>Takes an event.</summary>
    public void Follow(BinaryEvent kind, DebugInfoFields fields)
    {
        var process = Find(fields.Vpid);
        process.Locations.Clear();
        switch (kind)
        {
            case BinaryEvent.DumpBegins:
                process.Binaries.Clear();
                break;
            case BinaryEvent.Loaded when fields.MemorySize != 0 && process.Binaries.Count < MaxBinaries:
                string path = targetPrefix is null ? fields.Path : BinaryFiles.Join(targetPrefix, fields.Path);
                process.Binaries.TryAdd(fields.Address, new LoadedBinary(files, path, fields.Address, fields.MemorySize, fields.IsRelative));
                break;
            case BinaryEvent.BuildId when process.Binaries.TryGetValue(fields.Address, out var binary):
                binary.SetBuildId(fields.BuildId.ToArray());
                break;
            case BinaryEvent.DebugLink when process.Binaries.TryGetValue(fields.Address, out var binary):
                binary.SetDebugLink(fields.FileName, fields.Crc);
                break;
            case BinaryEvent.Unloaded:
                process.Binaries.Remove(fields.Address);
                break;
        }
    }

    /// <summary>Where in its program a process was.</summary>
    public CodeLocation Locate(int vpid, ulong address)
    {
        var process = Find(vpid);
        if (process.Locations.TryGetValue(address, out var known))
            return known;
        var location = CodeLocation.Unknown;
        foreach (var binary in process.Binaries.Values)
        {
            if (!binary.Covers(address))
                continue;
            location = binary.Find(address, fullPath) ?? location;
            break;
        }
        if (process.Locations.Count == MaxLocations)
            process.Locations.Clear();
        process.Locations.Add(address, location);
        return location;
    }

    private Process Find(int vpid)
    {
        if (_processes.TryGetValue(vpid, out var process))
            return process;
        if (_processes.Count == MaxProcesses)
            _processes.Remove(_inOrder.Dequeue());
        _inOrder.Enqueue(vpid);
        _processes.Add(vpid, process = new Process());
        return process;
    }

    private sealed class Process
    {
        public Dictionary<ulong, LoadedBinary> Binaries { get; } = [];

        public Dictionary<ulong, CodeLocation> Locations { get; } = [];
    }
}
