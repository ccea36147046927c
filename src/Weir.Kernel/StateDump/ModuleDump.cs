using System.Globalization;
using System.Text;
using Weir.Graph;

namespace Weir.Kernel;

/// <summary>
/// Dumps the code that processes have mapped: each executable mapping, and each file of them with the build ID by which its symbols are found
/// elsewhere, and later.
/// </summary>
internal sealed class ModuleDump
{
    private readonly StateDumpOutput _output;
    private readonly ProcFile _files;
    private readonly WrittenEvent _map;
    private readonly WrittenEvent _module;
    private readonly Dictionary<(string Device, ulong Inode), byte[]> _buildIds = [];

    public ModuleDump(StateDumpOutput output, ProcFile files)
    {
        _output = output;
        _files = files;
        _map = output.Declare(
            "lttng_statedump_vm_map", FieldOf.Int32("pid"), FieldOf.Hex64("start"), FieldOf.Hex64("end"), FieldOf.Hex64("flags"),
            FieldOf.UInt64("inode"), FieldOf.UInt64("pgoff"));
        _module = output.Declare(
            "weir_statedump_module",
            [FieldOf.Int32("pid"), FieldOf.Hex64("start"), FieldOf.Hex64("end"), FieldOf.Hex64("offset"), .. FieldOf.HexSequence("build_id", 8), FieldOf.Text("path")]);
    }

    public void Write(IEnumerable<int> processes)
    {
        foreach (int pid in processes)
        {
            if (_output.IsOver)
                return;
            Write(pid);
        }
    }

    private void Write(int pid)
    {
        var maps = _files.Read(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/maps"));
        while (ByteWords.TakeLine(ref maps, out var line))
        {
            if (!MapsLine.TryParse(line, out var map) || !map.IsExecutable)
                continue;
            var event_ = _output.Begin(_map);
            event_.Write((uint)pid, 32);
            event_.Write(map.Start, 64);
            event_.Write(map.End, 64);
            event_.Write(map.Flags, 64);
            event_.Write(map.Inode, 64);
            event_.Write(map.Offset, 64);
            _output.End();
            if (!map.Path.IsEmpty)
                WriteModule(pid, map);
        }
    }

    private void WriteModule(int pid, MapsLine map)
    {
        byte[] buildId = map.Inode == 0 ? [] : FindBuildId(pid, map);
        var event_ = _output.Begin(_module);
        event_.Write((uint)pid, 32);
        event_.Write(map.Start, 64);
        event_.Write(map.End, 64);
        event_.Write(map.Offset, 64);
        event_.Write((uint)buildId.Length, 32);
        event_.WriteBytes(buildId);
        event_.WriteString(map.Path);
        _output.End();
    }

    private byte[] FindBuildId(int pid, MapsLine map)
    {
        var key = (Encoding.ASCII.GetString(map.Device), map.Inode);
        if (_buildIds.TryGetValue(key, out byte[]? known))
            return known;
        byte[] found = [];
        try
        {
            // As the process sees it, which may live in a container.
            using var elf = ElfFile.Open(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/root{Encoding.UTF8.GetString(map.Path)}"));
            found = elf.FindBuildId() ?? [];
        }
        catch (BadElfException)
        {
            // No ELF, such as an assembly of .NET; or it is gone.
        }
        _buildIds.Add(key, found);
        return found;
    }
}
