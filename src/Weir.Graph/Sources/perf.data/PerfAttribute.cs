using Weir.Ctf;

namespace Weir.Graph;

/// <summary>What a sample holds, a bit each: the fields stand in it in the order of <see cref="PerfSampleClass"/>.</summary>
[Flags]
internal enum PerfSampleFields : ulong
{
    Ip = 1 << 0,
    Thread = 1 << 1,
    Time = 1 << 2,
    Address = 1 << 3,
    Read = 1 << 4,
    CallChain = 1 << 5,
    Id = 1 << 6,
    Cpu = 1 << 7,
    Period = 1 << 8,
    StreamId = 1 << 9,
    Raw = 1 << 10,
    BranchStack = 1 << 11,
    UserRegisters = 1 << 12,
    UserStack = 1 << 13,
    Weight = 1 << 14,
    DataSource = 1 << 15,
    Identifier = 1 << 16,
    Transaction = 1 << 17,
    InterruptRegisters = 1 << 18,
    PhysicalAddress = 1 << 19,
    Aux = 1 << 20,
    Cgroup = 1 << 21,
    DataPageSize = 1 << 22,
    CodePageSize = 1 << 23,
    WeightStructure = 1 << 24,
}

/// <summary>
/// What perf asked the kernel for: <c>struct perf_event_attr</c>, as long as the writer's kernel had it.
/// Source: linux, include/uapi/linux/perf_event.h.
/// </summary>
internal sealed class PerfAttribute
{
    /// <summary>The kinds of events: <c>PERF_TYPE_*</c>.</summary>
    public const uint TracepointType = 2;

    /// <summary>The first published size.</summary>
    private const int MinimumBytes = 64;

    private const int MaximumBytes = 4096;
    private const int SampleIdAllBit = 18;
    private const int UseClockIdBit = 25;

    private static readonly string[] s_hardware =
        ["cycles", "instructions", "cache-references", "cache-misses", "branches", "branch-misses", "bus-cycles", "stalled-cycles-frontend", "stalled-cycles-backend", "ref-cycles"];

    private static readonly string[] s_software =
        ["cpu-clock", "task-clock", "page-faults", "context-switches", "cpu-migrations", "minor-faults", "major-faults", "alignment-faults", "emulation-faults", "dummy", "bpf-output", "cgroup-switches"];

    public uint Type { get; private init; }

    public ulong Config { get; private init; }

    public PerfSampleFields Fields { get; private init; }

    public ulong ReadFormat { get; private init; }

    public ulong BranchType { get; private set; }

    public ulong UserRegisters { get; private set; }

    public ulong InterruptRegisters { get; private set; }

    /// <summary>Whether records that are no samples end with a sample's ID, time and so on.</summary>
    public bool HasSampleIds { get; private init; }

    /// <summary>The kernel's number of the clock that was chosen, or null for perf's own.</summary>
    public int? ClockId { get; private set; }

    /// <summary>The event's name as perf shows it; null where the file does not say.</summary>
    public string? Name { get; set; }

    /// <summary>The IDs by which samples say that they are of this event.</summary>
    public List<ulong> Ids { get; } = [];

    /// <summary>A name by type and number, for files without names.</summary>
    public string FallbackName => Type switch
    {
        0 when Config < (ulong)s_hardware.Length => s_hardware[Config],
        1 when Config < (ulong)s_software.Length => s_software[Config],
        TracepointType => $"tracepoint:{Config}",
        4 => $"raw 0x{Config:x}",
        5 => $"mem:0x{Config:x}",
        _ => $"event {Type}:0x{Config:x}",
    };

    /// <summary>Reads an attribute and goes on behind it.</summary>
    /// <param name="cursor">Stands at the attribute.</param>
    /// <param name="sizeBytes">Its size in this file; null where the attribute itself says.</param>
    public static PerfAttribute Read(FileCursor cursor, uint? sizeBytes)
    {
        long start = cursor.Position;
        uint type = cursor.ReadUInt32();
        uint ownBytes = cursor.ReadUInt32();
        uint bytes = sizeBytes ?? (ownBytes == 0 ? MinimumBytes : ownBytes);
        if (bytes is < MinimumBytes or > MaximumBytes)
            throw cursor.Fail($"an attribute of {bytes} bytes is none: expected {MinimumBytes} to {MaximumBytes}");
        cursor.Position = start;
        var all = new FileCursor(cursor.ReadBytes(bytes), "attribute", start, cursor.ByteOrder);
        all.Skip(8);
        ulong config = all.ReadUInt64();
        all.Skip(8);
        var fields = (PerfSampleFields)all.ReadUInt64();
        ulong readFormat = all.ReadUInt64();
        ulong flags = all.ReadUInt64();
        bool IsSet(int bit) => ((flags >> (cursor.ByteOrder == ByteOrder.BigEndian ? 63 - bit : bit)) & 1) != 0;
        var attribute = new PerfAttribute
        {
            Type = type,
            Config = config,
            Fields = fields,
            ReadFormat = readFormat,
            HasSampleIds = IsSet(SampleIdAllBit),
        };
        // wakeup, breakpoint type; config1, config2
        all.Skip(bytes >= 72 ? 24u : 16u);
        if (all.Remaining >= 8)
            attribute.BranchType = all.ReadUInt64();
        if (all.Remaining >= 8)
            attribute.UserRegisters = all.ReadUInt64();
        if (all.Remaining >= 8)
        {
            all.Skip(4);
            int clock = (int)all.ReadUInt32();
            attribute.ClockId = IsSet(UseClockIdBit) ? clock : null;
        }
        if (all.Remaining >= 8)
            attribute.InterruptRegisters = all.ReadUInt64();
        return attribute;
    }
}
