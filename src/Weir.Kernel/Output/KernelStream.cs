using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Weir.Ctf;
using Weir.Graph;
using Weir.Ring;

namespace Weir.Kernel;

/// <summary>
/// Writes one stream of a <see cref="KernelTrace"/>: packets whose head is <see cref="PacketLayout"/>'s, written whole when they are full.
/// Events go in either by <see cref="Reserve"/> and <see cref="Commit"/>, as bytes, or by <see cref="BeginEvent(uint, ulong)"/> and
/// <see cref="EndEvent"/>, as fields. Not thread-safe.
/// </summary>
/// <remarks>
/// A disk that is full loses events and no packet: what could not be written is counted in <see cref="NotWritten"/>, and the next packet that
/// can be written tells it as discarded.
/// </remarks>
internal sealed unsafe class KernelStream : IDisposable
{
    private readonly PacketFile _file;
    private readonly DataStreamClass _class;
    private readonly bool _isLarge;
    private readonly int _cpu;
    private readonly ulong _instance;
    private readonly Guid _uuid;
    private readonly int _packetBytes;
    private readonly BitWriter _fields = new();
    private byte* _packet;
    private int _capacity;
    private int _length;
    private ulong _begin;
    private ulong _last;
    private ulong _discarded;
    private ulong _told;
    private ulong _packetNumber;
    private ulong _packetEvents;
    private uint _eventId;
    private ulong _eventTime;
    private bool _isOpen;
    private WrittenEvent? _kind;

    internal KernelStream(Guid uuid, DataStreamClass streamClass, PacketFile file, int cpu, ulong instance, int packetBytes)
    {
        _uuid = uuid;
        _class = streamClass;
        _isLarge = streamClass.EventHeader!.Find("id") is IntegerFieldClass { SizeBits: 16 };
        _file = file;
        _cpu = cpu;
        _instance = instance;
        _packetBytes = packetBytes;
        Grow(packetBytes + 4096);
    }

    ~KernelStream() => NativeMemory.Free(_packet);

    /// <summary>The CPU that the stream's packets name.</summary>
    public int Cpu => _cpu;

    /// <summary>Bytes that were written to the file.</summary>
    public long FileBytes { get; private set; }

    /// <summary>Events that no packet has because the file could not be written.</summary>
    public ulong NotWritten { get; private set; }

    /// <summary>Why; null while everything was written.</summary>
    public string? Problem { get; private set; }

    /// <summary>The time of the last event.</summary>
    public ulong LastTime => _last;

    /// <summary>
    /// Room for an event: writes its header and gives the place behind it. Nothing is there before <see cref="Commit"/>.
    /// </summary>
    /// <param name="id">The event's ID.</param>
    /// <param name="time">Its time in cycles, not before the event before it.</param>
    /// <param name="maxBytes">Most bytes that follow the header.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* Reserve(uint id, ulong time, int maxBytes)
    {
        if (!_isOpen || _length + maxBytes + LttngHeaderBytes > _capacity)
            Prepare(time, maxBytes);
        byte* at = _packet + _length;
        ulong since = time - _last;
        if (_isLarge)
        {
            if (since >> 32 == 0 && id < LttngLayout.LargeExtendedEventId)
            {
                Unsafe.WriteUnaligned(at, (ushort)id);
                Unsafe.WriteUnaligned(at + sizeof(ushort), (uint)time);
                at += sizeof(ushort) + sizeof(uint);
            }
            else
            {
                Unsafe.WriteUnaligned(at, (ushort)LttngLayout.LargeExtendedEventId);
                at = WriteExtended(at + sizeof(ushort), id, time);
            }
        }
        else if (since >> 27 == 0 && id < LttngLayout.ExtendedEventId)
        {
            Unsafe.WriteUnaligned(at, id | ((uint)time << 5));
            at += sizeof(uint);
        }
        else
        {
            *at = LttngLayout.ExtendedEventId;
            at = WriteExtended(at + 1, id, time);
        }
        _eventTime = time;
        return at;
    }

    /// <summary>Ends the event that was reserved.</summary>
    /// <param name="end">The byte behind its last.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Commit(byte* end)
    {
        _length = (int)(end - _packet);
        _last = _eventTime;
        _packetEvents++;
        if (_length >= _packetBytes)
            Flush();
    }

    /// <summary>Begins an event; its common context and payload are written next, in the order of their classes.</summary>
    public BitWriter BeginEvent(uint id, ulong time)
    {
        _eventId = id;
        _eventTime = Math.Max(time, _last);
        _fields.Clear();
        return _fields;
    }

    /// <summary>Begins an event that is counted with its kind.</summary>
    public BitWriter BeginEvent(WrittenEvent kind, ulong time)
    {
        _kind = kind;
        return BeginEvent(kind.Id, time);
    }

    /// <summary>Ends the event that was begun.</summary>
    public void EndEvent()
    {
        var fields = _fields.Written;
        _kind?.Add(fields.Length);
        _kind = null;
        byte* at = Reserve(_eventId, _eventTime, fields.Length);
        fields.CopyTo(new Span<byte>(at, fields.Length));
        Commit(at + fields.Length);
    }

    /// <summary>Says when the stream began; before the first event.</summary>
    public void BeginAt(ulong time) => _last = time;

    /// <summary>Counts events that are missing between the last event, or the stream's beginning, and the next.</summary>
    public void AddLost(ulong count)
    {
        // A reader places what a packet tells as lost behind the end of the packet before it, so there has to be one.
        if (!_isOpen && _packetNumber == 0)
            Open(_last);
        Flush();
        _discarded += count;
    }

    /// <summary>Writes the packet that is open, if it has events.</summary>
    public void Flush() => Flush(_last);

    /// <summary>Writes the packet that is open, which ends at a time; one without events too, if losses are to be told.</summary>
    public void Flush(ulong endTime)
    {
        if (!_isOpen)
            return;
        _isOpen = false;
        ulong end = Math.Max(endTime, _last);
        ulong bits = (ulong)_length * 8;
        var head = new Span<byte>(_packet, PacketLayout.Records);
        WriteHead(head, end, bits);
        try
        {
            _file.Append(new ReadOnlySpan<byte>(_packet, _length));
            _file.EndPacket(new PacketFacts(bits, bits, _begin, end, _discarded, _class.Id, _instance, _packetNumber));
            _packetNumber++;
            _told = _discarded;
            FileBytes += _length;
            _last = end;
        }
        catch (TraceWriteException e)
        {
            Problem ??= e.Message;
            NotWritten += _packetEvents;
            _discarded += _packetEvents;
        }
        _packetEvents = 0;
    }

    /// <summary>Tells losses behind the last event by an empty packet, where there are some that no packet has told.</summary>
    public void Finish(ulong endTime, ulong lost)
    {
        if (lost > 0)
            AddLost(lost);
        Flush(endTime);
        if (_discarded > _told)
        {
            Open(Math.Max(endTime, _last));
            Flush(endTime);
        }
    }

    public void Dispose()
    {
        Flush();
        _file.Dispose();
        _fields.Dispose();
        NativeMemory.Free(_packet);
        _packet = null;
        GC.SuppressFinalize(this);
    }

    private static int LttngHeaderBytes => LttngLayout.ExtendedEventHeaderBytes + 1;

    private static byte* WriteExtended(byte* at, uint id, ulong time)
    {
        Unsafe.WriteUnaligned(at, id);
        Unsafe.WriteUnaligned(at + sizeof(uint), time);
        return at + sizeof(uint) + sizeof(ulong);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Prepare(ulong time, int maxBytes)
    {
        if (_isOpen)
            Flush();
        if (PacketLayout.Records + maxBytes + LttngHeaderBytes > _capacity)
            Grow(PacketLayout.Records + maxBytes + LttngHeaderBytes);
        Open(time);
    }

    private void Open(ulong time)
    {
        _isOpen = true;
        _begin = Math.Max(time, _last);
        _last = _begin;
        _length = PacketLayout.Records;
    }

    private void Grow(int bytes)
    {
        _packet = (byte*)NativeMemory.Realloc(_packet, (nuint)bytes);
        _capacity = bytes;
    }

    private void WriteHead(Span<byte> head, ulong end, ulong bits)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(head, PacketLayout.Magic);
        _uuid.TryWriteBytes(head[PacketLayout.Uuid..], bigEndian: true, out _);
        BinaryPrimitives.WriteUInt32LittleEndian(head[PacketLayout.StreamId..], (uint)_class.Id);
        BinaryPrimitives.WriteUInt64LittleEndian(head[PacketLayout.StreamInstanceId..], _instance);
        BinaryPrimitives.WriteUInt64LittleEndian(head[PacketLayout.TimestampBegin..], _begin);
        BinaryPrimitives.WriteUInt64LittleEndian(head[PacketLayout.TimestampEnd..], end);
        BinaryPrimitives.WriteUInt64LittleEndian(head[PacketLayout.ContentSize..], bits);
        BinaryPrimitives.WriteUInt64LittleEndian(head[PacketLayout.PacketSize..], bits);
        BinaryPrimitives.WriteUInt64LittleEndian(head[PacketLayout.SequenceNumber..], _packetNumber);
        BinaryPrimitives.WriteUInt64LittleEndian(head[PacketLayout.EventsDiscarded..], _discarded);
        BinaryPrimitives.WriteUInt32LittleEndian(head[PacketLayout.CpuId..], (uint)_cpu);
    }
}
