using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// The event classes of a kernel's records, found by their IDs: what pages of the ring buffer become. The events' shared context is the
/// thread, <c>tid</c>. Records of events that nobody described keep their bytes.
/// </summary>
internal sealed unsafe class FtraceEventTable
{
    /// <summary>The class of events that nobody described; the kernel's IDs have 16 bits.</summary>
    private const ulong UnknownId = 1 << 16;

    private const int MaxHeadOffset = 256;

    // By ID, and as long as the largest that was described.
    private readonly FtraceRecordClass?[] _records;
    private readonly EventDecoder?[] _decoders;
    private readonly bool _isSwapped;
    private readonly int _idOffset;
    private readonly int _idBytes = 2;
    private readonly int _pidOffset = -1;
    private readonly List<EventRecordClass> _classes = [];

    public FtraceEventTable(FtraceMetadata metadata, bool hasLabels)
    {
        _isSwapped = metadata.ByteOrder == ByteOrder.BigEndian == BitConverter.IsLittleEndian;
        if (metadata.FindShared("common_type") is { SizeBytes: 2 or 4, OffsetBytes: <= MaxHeadOffset } type)
            (_idOffset, _idBytes) = (type.OffsetBytes, type.SizeBytes);
        if (metadata.FindShared("common_pid") is { SizeBytes: 4, OffsetBytes: <= MaxHeadOffset } pid)
            _pidOffset = pid.OffsetBytes;
        HeadBytes = Math.Max(_idOffset + _idBytes, _pidOffset + sizeof(int));
        int ids = metadata.Formats.Keys.Where(id => id < (int)UnknownId).DefaultIfEmpty(-1).Max() + 1;
        _records = new FtraceRecordClass?[Math.Max(ids, 0)];
        _decoders = new EventDecoder?[_records.Length];
        foreach (var (id, (system, format)) in metadata.Formats)
        {
            if (id is < 0 or >= (int)UnknownId)
                continue;
            var record = FtraceRecordClass.Create(format, metadata.ByteOrder, hasLabels);
            _records[id] = record;
            _classes.Add(new EventRecordClass { Id = (ulong)id, Name = format.Name, Namespace = system, Payload = record.Payload });
        }
        var bytes = new DynamicArrayFieldClass(new IntegerFieldClass(8) { DisplayBase = DisplayBase.Hexadecimal }, new FieldLocation(FieldScope.EventPayload, "_data_length"));
        _classes.Add(new EventRecordClass
        {
            Id = UnknownId,
            Name = "unknown",
            Payload = new StructureFieldClass([new("id", new IntegerFieldClass(32)), new("_data_length", new IntegerFieldClass(32)), new("data", bytes)]),
        });
        if (_pidOffset >= 0)
            Context = new StructureFieldClass([new("tid", new IntegerFieldClass(32, isSigned: true) { ByteOrder = metadata.ByteOrder })]);
    }

    /// <summary>The context of all events.</summary>
    public StructureFieldClass? Context { get; }

    /// <summary>The event classes.</summary>
    public IReadOnlyList<EventRecordClass> Classes => _classes;

    /// <summary>Bytes that every record has.</summary>
    public int HeadBytes { get; }

    /// <summary>Composes an event of a record; returns what is wrong with it, or null.</summary>
    public string? Compose(EventComposer composer, StreamDecoder stream, byte* record, int lengthBytes, ulong clockValue)
    {
        if (lengthBytes < HeadBytes)
            return $"a record of {lengthBytes} bytes is too short: expected at least {HeadBytes}";
        uint id = _idBytes == 2 ? Read16(record + _idOffset) : Read32(record + _idOffset);
        var recordClass = id < (uint)_records.Length ? _records[id] : null;
        var fields = composer.BeginEvent(FindDecoder(stream, recordClass is null ? (uint)UnknownId : id), clockValue);
        if (_pidOffset >= 0)
            fields.WriteBytes(new ReadOnlySpan<byte>(record + _pidOffset, sizeof(int)));
        if (recordClass is null)
        {
            fields.Write(id, 32);
            fields.Write((uint)lengthBytes, 32);
            fields.WriteBytes(new ReadOnlySpan<byte>(record, lengthBytes));
        }
        else if (!recordClass.TryCopy(record, lengthBytes, fields))
        {
            composer.DropEvent();
            return $"a record of event '{recordClass.Format.Name}' has {lengthBytes} bytes, in which its fields do not lie: expected at least {recordClass.MinimumBytes}";
        }
        composer.EndEvent();
        return null;
    }

    private EventDecoder FindDecoder(StreamDecoder stream, uint id)
    {
        if (id < (uint)_decoders.Length && _decoders[id] is { } known && known.Stream == stream)
            return known;
        var decoder = stream.FindEvent(id)!;
        if (id < (uint)_decoders.Length)
            _decoders[id] = decoder;
        return decoder;
    }

    private uint Read16(byte* at)
    {
        ushort value = Unsafe.ReadUnaligned<ushort>(at);
        return _isSwapped ? BinaryPrimitives.ReverseEndianness(value) : value;
    }

    private uint Read32(byte* at)
    {
        uint value = Unsafe.ReadUnaligned<uint>(at);
        return _isSwapped ? BinaryPrimitives.ReverseEndianness(value) : value;
    }
}
