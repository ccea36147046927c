using System.Numerics;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// What the samples of one event become. The fields of every sample are its context, under the names that <c>perf data convert</c> gives them;
/// what a tracepoint recorded is its payload.
/// <code>
///  sample  identifier | ip | pid u32, tid u32 | time | addr | id | stream id | cpu u32, 0 u32 | period                u64 where nothing is said
///          read: values | callchain: count, ips | raw: size u32, bytes | branches: count, [index], 3 u64 each, [counters]
///          user registers: abi, values | user stack: size, bytes, used | weight | data source | transaction
///          interrupt registers: abi, values | physical address | cgroup | data page | code page | aux: size, bytes
/// </code>
/// Each is there if its bit is set. Source: linux, include/uapi/linux/perf_event.h (PERF_RECORD_SAMPLE), perf_event_open(2).
/// </summary>
internal sealed unsafe class PerfSampleClass
{
    private const int HeadBytes = 8;
    private const ulong HasTimeEnabled = 1;
    private const ulong HasTimeRunning = 2;
    private const ulong HasReadId = 4;
    private const ulong IsGroup = 8;
    private const ulong HasReadLost = 16;
    private const ulong BranchIndex = 1 << 17;
    private const ulong BranchCounters = 1 << 19;

    private readonly PerfAttribute _attribute;
    private readonly ByteOrder _byteOrder;
    private readonly FtraceRecordClass? _tracepoint;
    private readonly List<StructureMember> _context = [];

    public PerfSampleClass(PerfDataFile file, PerfAttribute attribute, ulong id, bool hasLabels)
    {
        _attribute = attribute;
        _byteOrder = file.ByteOrder;
        int at = HeadBytes;
        IdOffset = Place(PerfSampleFields.Identifier, ref at);
        Place(PerfSampleFields.Ip, ref at);
        Place(PerfSampleFields.Thread, ref at);
        TimeOffset = Place(PerfSampleFields.Time, ref at);
        Place(PerfSampleFields.Address, ref at);
        int idOffset = Place(PerfSampleFields.Id, ref at);
        IdOffset = IdOffset >= 0 ? IdOffset : idOffset;
        Place(PerfSampleFields.StreamId, ref at);
        CpuOffset = Place(PerfSampleFields.Cpu, ref at);
        Place(PerfSampleFields.Period, ref at);
        FixedBytes = at;
        DeclareContext();
        if (file.FindFormat(attribute) is var (_, format))
            _tracepoint = FtraceRecordClass.Create(format, file.ByteOrder, hasLabels);
        EventClass = new EventRecordClass
        {
            Id = id,
            Name = attribute.Name ?? attribute.FallbackName,
            SpecificContext = _context.Count > 0 ? new StructureFieldClass(_context) : null,
            Payload = _tracepoint?.Payload ?? (Has(PerfSampleFields.Raw) ? RawPayload() : null),
        };
    }

    /// <summary>The event's class.</summary>
    public EventRecordClass EventClass { get; }

    /// <summary>Bytes that every sample's record has.</summary>
    public int FixedBytes { get; }

    /// <summary>Offset of the ID in a sample's record, or -1.</summary>
    public int IdOffset { get; }

    /// <summary>Offset of the time, or -1.</summary>
    public int TimeOffset { get; }

    /// <summary>Offset of the CPU, or -1.</summary>
    public int CpuOffset { get; }

    /// <summary>Writes a sample's fields. False where they do not fit into the record.</summary>
    public bool TryCopy(byte* record, int lengthBytes, BitWriter fields)
    {
        var at = new PerfSampleCursor(record, lengthBytes, _byteOrder, fields);
        at.Skip(HeadBytes);
        if (Has(PerfSampleFields.Identifier))
            at.Copy(8);
        if (Has(PerfSampleFields.Ip))
            at.Copy(8);
        if (Has(PerfSampleFields.Thread))
            at.Copy(8);
        if (Has(PerfSampleFields.Time))
            at.Skip(8);
        CopyIf(ref at, PerfSampleFields.Address);
        CopyIf(ref at, PerfSampleFields.Id);
        CopyIf(ref at, PerfSampleFields.StreamId);
        if (Has(PerfSampleFields.Cpu))
            at.Skip(8);
        CopyIf(ref at, PerfSampleFields.Period);
        if (Has(PerfSampleFields.Read))
            CopyRead(ref at);
        if (Has(PerfSampleFields.CallChain))
            at.CopyCounted(at.Read64(), 8);
        byte* raw = null;
        int rawBytes = 0;
        if (Has(PerfSampleFields.Raw))
        {
            rawBytes = (int)Math.Min(at.Read32(), int.MaxValue);
            raw = at.At;
            at.Skip((ulong)rawBytes);
            if (!at.IsGood)
                return false;
        }
        CopyRest(ref at);
        return at.IsGood && (raw is null || TryCopyRaw(raw, rawBytes, fields));
    }

    private bool TryCopyRaw(byte* raw, int rawBytes, BitWriter fields)
    {
        if (_tracepoint is not null)
            return _tracepoint.TryCopy(raw, rawBytes, fields);
        fields.Write((uint)rawBytes, 32);
        fields.WriteBytes(new ReadOnlySpan<byte>(raw, rawBytes));
        return true;
    }

    private void CopyRest(ref PerfSampleCursor at)
    {
        if (Has(PerfSampleFields.BranchStack))
        {
            ulong count = at.Read64();
            if ((_attribute.BranchType & BranchIndex) != 0)
                at.Skip(8);
            at.CopyCounted(count, 24);
            if ((_attribute.BranchType & BranchCounters) != 0)
                at.Skip(count > int.MaxValue ? ulong.MaxValue : count * 8);
        }
        if (Has(PerfSampleFields.UserRegisters))
            CopyRegisters(ref at, _attribute.UserRegisters);
        if (Has(PerfSampleFields.UserStack))
        {
            ulong size = at.Read64();
            at.CopyCounted(size, 1);
            if (size != 0)
                at.Skip(8);
        }
        if (Has(PerfSampleFields.WeightStructure))
            at.CopyWeight();
        else
            CopyIf(ref at, PerfSampleFields.Weight);
        CopyIf(ref at, PerfSampleFields.DataSource);
        CopyIf(ref at, PerfSampleFields.Transaction);
        if (Has(PerfSampleFields.InterruptRegisters))
            CopyRegisters(ref at, _attribute.InterruptRegisters);
        CopyIf(ref at, PerfSampleFields.PhysicalAddress);
        CopyIf(ref at, PerfSampleFields.Cgroup);
        CopyIf(ref at, PerfSampleFields.DataPageSize);
        CopyIf(ref at, PerfSampleFields.CodePageSize);
        if (Has(PerfSampleFields.Aux))
            at.CopyCounted(at.Read64(), 1);
    }

    /// <summary>Times, then the value or the group's values; in the record a single value stands before the times.</summary>
    private void CopyRead(ref PerfSampleCursor at)
    {
        ulong format = _attribute.ReadFormat;
        int times = BitOperations.PopCount(format & (HasTimeEnabled | HasTimeRunning)) * 8;
        if ((format & IsGroup) != 0)
        {
            ulong count = at.Read64();
            at.Copy(times);
            at.CopyCounted(count, ReadElementBytes);
            return;
        }
        byte* value = at.At;
        at.Skip(8);
        at.Copy(times);
        at.WriteCount(1);
        at.CopyFrom(value, 8);
        at.Copy(ReadElementBytes - 8);
    }

    private static void CopyRegisters(ref PerfSampleCursor at, ulong mask)
    {
        byte* abi = at.At;
        ulong kind = at.Read64();
        at.CopyFrom(abi, 8);
        at.CopyCounted(kind == 0 ? 0 : (ulong)BitOperations.PopCount(mask), 8);
    }

    private void CopyIf(ref PerfSampleCursor at, PerfSampleFields field)
    {
        if (Has(field))
            at.Copy(8);
    }

    private int ReadElementBytes => 8 + (BitOperations.PopCount(_attribute.ReadFormat & (HasReadId | HasReadLost)) * 8);

    private bool Has(PerfSampleFields field) => (_attribute.Fields & field) != 0;

    private int Place(PerfSampleFields field, ref int at)
    {
        if (!Has(field))
            return -1;
        at += 8;
        return at - 8;
    }

    /// <summary>The members in the order in which <see cref="TryCopy"/> writes them.</summary>
    private void DeclareContext()
    {
        Declare(PerfSampleFields.Identifier, Has(PerfSampleFields.Id) ? "perf_identifier" : "perf_id");
        Declare(PerfSampleFields.Ip, "perf_ip", DisplayBase.Hexadecimal);
        if (Has(PerfSampleFields.Thread))
        {
            _context.Add(new("perf_pid", new IntegerFieldClass(32, isSigned: true) { ByteOrder = _byteOrder }));
            _context.Add(new("perf_tid", new IntegerFieldClass(32, isSigned: true) { ByteOrder = _byteOrder }));
        }
        Declare(PerfSampleFields.Address, "perf_addr", DisplayBase.Hexadecimal);
        Declare(PerfSampleFields.Id, "perf_id");
        Declare(PerfSampleFields.StreamId, "perf_stream_id");
        Declare(PerfSampleFields.Period, "perf_period");
        if (Has(PerfSampleFields.Read))
            DeclareRead();
        if (Has(PerfSampleFields.CallChain))
            DeclareArray("perf_callchain", "perf_callchain_size", Number(DisplayBase.Hexadecimal));
        if (Has(PerfSampleFields.BranchStack))
        {
            var address = Number(DisplayBase.Hexadecimal);
            DeclareArray("perf_branch_stack", "perf_branch_stack_size", new StructureFieldClass([new("from", address), new("to", address), new("flags", address)]));
        }
        if (Has(PerfSampleFields.UserRegisters))
            DeclareRegisters("perf_user_regs");
        if (Has(PerfSampleFields.UserStack))
            DeclareArray("perf_user_stack", "perf_user_stack_size", Byte());
        if (Has(PerfSampleFields.WeightStructure))
        {
            _context.Add(new("perf_weight", new IntegerFieldClass(32)));
            _context.Add(new("perf_ins_lat", new IntegerFieldClass(16)));
            _context.Add(new("perf_p_stage_cyc", new IntegerFieldClass(16)));
        }
        else
        {
            Declare(PerfSampleFields.Weight, "perf_weight");
        }
        Declare(PerfSampleFields.DataSource, "perf_data_src", DisplayBase.Hexadecimal);
        Declare(PerfSampleFields.Transaction, "perf_transaction", DisplayBase.Hexadecimal);
        if (Has(PerfSampleFields.InterruptRegisters))
            DeclareRegisters("perf_intr_regs");
        Declare(PerfSampleFields.PhysicalAddress, "perf_phys_addr", DisplayBase.Hexadecimal);
        Declare(PerfSampleFields.Cgroup, "perf_cgroup");
        Declare(PerfSampleFields.DataPageSize, "perf_data_page_size");
        Declare(PerfSampleFields.CodePageSize, "perf_code_page_size");
        if (Has(PerfSampleFields.Aux))
            DeclareArray("perf_aux", "perf_aux_size", Byte());
    }

    private void DeclareRead()
    {
        if ((_attribute.ReadFormat & HasTimeEnabled) != 0)
            _context.Add(new("perf_time_enabled", Number()));
        if ((_attribute.ReadFormat & HasTimeRunning) != 0)
            _context.Add(new("perf_time_running", Number()));
        var members = new List<StructureMember> { new("value", Number()) };
        if ((_attribute.ReadFormat & HasReadId) != 0)
            members.Add(new("id", Number()));
        if ((_attribute.ReadFormat & HasReadLost) != 0)
            members.Add(new("lost", Number()));
        DeclareArray("perf_read", "perf_read_size", new StructureFieldClass(members));
    }

    private void DeclareRegisters(string name)
    {
        _context.Add(new($"{name}_abi", Number()));
        DeclareArray(name, $"{name}_size", Number(DisplayBase.Hexadecimal));
    }

    private void Declare(PerfSampleFields field, string name, DisplayBase displayBase = DisplayBase.Decimal)
    {
        if (Has(field))
            _context.Add(new(name, Number(displayBase)));
    }

    private void DeclareArray(string name, string lengthName, FieldClass element)
    {
        _context.Add(new(lengthName, new IntegerFieldClass(32)));
        _context.Add(new(name, new DynamicArrayFieldClass(element, new FieldLocation(FieldScope.EventSpecificContext, lengthName))));
    }

    private IntegerFieldClass Number(DisplayBase displayBase = DisplayBase.Decimal) => new(64) { ByteOrder = _byteOrder, DisplayBase = displayBase };

    private static IntegerFieldClass Byte() => new(8) { DisplayBase = DisplayBase.Hexadecimal };

    private static StructureFieldClass RawPayload() => new(
    [
        new("_raw_length", new IntegerFieldClass(32)),
        new("raw", new DynamicArrayFieldClass(Byte(), new FieldLocation(FieldScope.EventPayload, "_raw_length"))),
    ]);
}
