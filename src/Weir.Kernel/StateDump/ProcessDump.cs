using System.Buffers.Text;
using System.Globalization;
using Weir.Ctf;

namespace Weir.Kernel;

/// <summary>
/// Dumps processes: their threads with names, parents, CPUs and states, their namespaces and their open files. A process or a thread that ends
/// meanwhile is passed over.
/// </summary>
internal sealed class ProcessDump
{
    private const int NameBytes = 16;
    private const uint KernelThreadFlag = 0x00200000;

    // LTTng's numbers.
    private const uint UserThread = 0;
    private const uint KernelThread = 1;
    private const uint UnknownMode = 5;
    private const uint Unnamed = 0;
    private const uint WaitCpu = 2;
    private const uint Zombie = 4;
    private const uint Wait = 5;
    private const uint Dead = 7;

    private static readonly string[] s_namespaces = ["cgroup", "ipc", "mnt", "net", "uts", "time"];

    private readonly StateDumpOutput _output;
    private readonly ProcFile _files;
    private readonly WrittenEvent _state;
    private readonly WrittenEvent _pidNamespace;
    private readonly WrittenEvent[] _otherNamespaces;
    private readonly WrittenEvent _descriptor;
    private readonly Dictionary<int, int[]> _numbers = [];
    private readonly uint _ownPidNamespace;

    public ProcessDump(StateDumpOutput output, ProcFile files)
    {
        _output = output;
        _files = files;
        _state = output.Declare(
            "lttng_statedump_process_state", FieldOf.Int32("tid"), FieldOf.Int32("pid"), FieldOf.Int32("ppid"),
            new StructureMember("name", new StaticStringFieldClass(NameBytes)),
            FieldOf.Int32("type"), FieldOf.Int32("mode"), FieldOf.Int32("submode"), FieldOf.Int32("status"),
            FieldOf.UInt32("cpu"), FieldOf.Hex64("file_table_address"));
        _pidNamespace = output.Declare(
            "lttng_statedump_process_pid_ns", FieldOf.Int32("tid"), FieldOf.Int32("vtid"), FieldOf.Int32("vpid"), FieldOf.Int32("vppid"),
            FieldOf.Int32("ns_level"), FieldOf.UInt32("ns_inum"));
        _otherNamespaces = new WrittenEvent[s_namespaces.Length];
        for (int i = 0; i < s_namespaces.Length; i++)
            _otherNamespaces[i] = output.Declare($"lttng_statedump_process_{s_namespaces[i]}_ns", FieldOf.Int32("tid"), FieldOf.UInt32("ns_inum"));
        _descriptor = output.Declare(
            "lttng_statedump_file_descriptor", FieldOf.Hex64("file_table_address"), FieldOf.Int32("fd"), FieldOf.Octal32("flags"),
            FieldOf.Hex32("fmode"), FieldOf.Text("filename"));
        _ownPidNamespace = files.ReadNamespace("/proc/self/ns/pid");
    }

    /// <summary>The processes that have memory of their own: no kernel threads.</summary>
    public List<int> Processes { get; } = [];

    /// <summary>A process of each network namespace, by the namespace's number.</summary>
    public Dictionary<uint, int> NetworkNamespaces { get; } = [];

    /// <summary>A process that has a socket open, by the socket's number.</summary>
    public Dictionary<ulong, int> SocketOwners { get; } = [];

    public void Write()
    {
        foreach (int pid in ProcFile.Numbers("/proc"))
        {
            string directory = string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}");
            bool hasMemory = false;
            foreach (int tid in ProcFile.Numbers($"{directory}/task"))
            {
                if (_output.IsOver)
                    return;
                hasMemory |= WriteThread(pid, tid, string.Create(CultureInfo.InvariantCulture, $"{directory}/task/{tid}"));
            }
            if (!hasMemory)
                continue;
            Processes.Add(pid);
            WriteNamespaces(pid, directory);
            WriteDescriptors(pid, directory);
        }
    }

    /// <summary>
    /// <c>tid (name) S ppid pgrp session tty tpgid flags ...</c>; the CPU is the 39th. A name may hold anything, parentheses too.
    /// Returns whether it is a thread of a program.
    /// </summary>
    private bool WriteThread(int pid, int tid, string directory)
    {
        var stat = _files.Read($"{directory}/stat");
        int open = stat.IndexOf((byte)'(');
        int close = stat.LastIndexOf((byte)')');
        if (open < 0 || close < open || stat.Length < close + 3)
            return false;
        Span<byte> name = stackalloc byte[NameBytes];
        name.Clear();
        var comm = stat[(open + 1)..close];
        // Of kernel threads /proc tells more than their name.
        comm[..Math.Min(comm.Length, NameBytes - 1)].CopyTo(name);
        var words = new ByteWords(stat[(close + 1)..]);
        byte state = words.Next() is [var letter, ..] ? letter : (byte)0;
        int parent = (int)ByteWords.Decimal(words.Next());
        words.Skip(4);
        bool isKernelThread = ((uint)ByteWords.Decimal(words.Next()) & KernelThreadFlag) != 0;
        words.Skip(29);
        uint cpu = (uint)ByteWords.Decimal(words.Next());

        var event_ = _output.Begin(_state);
        event_.Write((uint)tid, 32);
        event_.Write((uint)pid, 32);
        event_.Write((uint)parent, 32);
        event_.WriteBytes(name);
        event_.Write(isKernelThread ? KernelThread : UserThread, 32);
        event_.Write(UnknownMode, 32);
        event_.Write(0, 32);
        event_.Write(Status(state), 32);
        event_.Write(cpu, 32);
        event_.Write(FileTable(pid), 64);
        _output.End();
        WritePidNamespaces(pid, tid, parent, directory);
        return !isKernelThread;
    }

    private static uint Status(byte state) => (char)state switch
    {
        'R' => WaitCpu,
        'S' or 'D' or 'I' => Wait,
        'Z' => Zombie,
        'X' or 'x' => Dead,
        _ => Unnamed,
    };

    /// <summary>What joins a process to its files. The kernel's address is not to be had, and only has to differ between processes.</summary>
    private static ulong FileTable(int pid) => (uint)pid;

    /// <summary>
    /// An event for each namespace that the thread has a number in, the outermost first, by lines <c>NSpid: 1234 7 1</c> of its status.
    /// Numbers of the namespaces are known of ours and of the thread's own.
    /// </summary>
    private void WritePidNamespaces(int pid, int tid, int parent, string directory)
    {
        var status = _files.Read($"{directory}/status");
        int[] tids = Numbers(ByteWords.Find(status, "NSpid"u8));
        int[] pids = Numbers(ByteWords.Find(status, "NStgid"u8));
        if (tid == pid)
            _numbers[pid] = pids;
        int[] parents = _numbers.GetValueOrDefault(parent, []);
        uint own = tids.Length > 1 ? _files.ReadNamespace($"{directory}/ns/pid") : _ownPidNamespace;
        for (int level = 0; level < tids.Length; level++)
        {
            var event_ = _output.Begin(_pidNamespace);
            event_.Write((uint)tid, 32);
            event_.Write((uint)tids[level], 32);
            event_.Write((uint)(level < pids.Length ? pids[level] : 0), 32);
            event_.Write((uint)(level == 0 ? parent : level < parents.Length ? parents[level] : 0), 32);
            event_.Write((uint)level, 32);
            event_.Write(level == 0 ? _ownPidNamespace : level == tids.Length - 1 ? own : 0, 32);
            _output.End();
        }
    }

    private static int[] Numbers(ReadOnlySpan<byte> text)
    {
        var words = new ByteWords(text);
        var found = new List<int>(1);
        for (var word = words.Next(); !word.IsEmpty; word = words.Next())
            found.Add((int)ByteWords.Decimal(word));
        return [.. found];
    }

    private void WriteNamespaces(int pid, string directory)
    {
        for (int i = 0; i < s_namespaces.Length; i++)
        {
            uint number = _files.ReadNamespace($"{directory}/ns/{s_namespaces[i]}");
            if (number == 0)
                continue;
            if (s_namespaces[i] == "net")
                NetworkNamespaces.TryAdd(number, pid);
            var event_ = _output.Begin(_otherNamespaces[i]);
            event_.Write((uint)pid, 32);
            event_.Write(number, 32);
            _output.End();
        }
    }

    private void WriteDescriptors(int pid, string directory)
    {
        foreach (int fd in ProcFile.Numbers($"{directory}/fd"))
        {
            if (_output.IsOver)
                return;
            // A text such as "flags:	02100002" in octal, where O_CLOEXEC is among them.
            var info = _files.Read(string.Create(CultureInfo.InvariantCulture, $"{directory}/fdinfo/{fd}"));
            uint flags = Octal(ByteWords.Find(info, "flags"u8));
            var target = _files.ReadLink(string.Create(CultureInfo.InvariantCulture, $"{directory}/fd/{fd}"));
            if (target.IsEmpty)
                continue;
            var socket = "socket:["u8;
            if (target.StartsWith(socket) && Utf8Parser.TryParse(target[socket.Length..], out ulong inode, out _))
                SocketOwners.TryAdd(inode, pid);
            var event_ = _output.Begin(_descriptor);
            event_.Write(FileTable(pid), 64);
            event_.Write((uint)fd, 32);
            event_.Write(flags, 32);
            event_.Write(Mode(flags), 32);
            event_.WriteString(target);
            _output.End();
        }
    }

    /// <summary>FMODE_READ and FMODE_WRITE, as far as the flags tell.</summary>
    private static uint Mode(uint flags) => ((flags & 3) + 1) & 3;

    private static uint Octal(ReadOnlySpan<byte> digits)
    {
        uint value = 0;
        foreach (byte digit in digits)
        {
            if (digit is < (byte)'0' or > (byte)'7')
                break;
            value = (value << 3) | (uint)(digit - '0');
        }
        return value;
    }
}
