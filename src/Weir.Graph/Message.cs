using Weir.Ctf;

namespace Weir.Graph;

/// <summary>What a message says. The numbers are the order of messages of one time in one stream.</summary>
public enum MessageKind : byte
{
    /// <summary>A data stream begins.</summary>
    StreamBeginning,

    /// <summary>A packet begins.</summary>
    PacketBeginning,

    /// <summary>An event happened.</summary>
    Event,

    /// <summary>The tracer discarded events.</summary>
    DiscardedEvents,

    /// <summary>A packet ends.</summary>
    PacketEnd,

    /// <summary>The tracer discarded packets.</summary>
    DiscardedPackets,

    /// <summary>A data stream ends.</summary>
    StreamEnd,

    /// <summary>Nothing happened in the stream up to this time (a live source says so, so that others need not wait for it).</summary>
    Inactivity,

    /// <summary>Several events that lie behind one another in their packet: only for who takes runs of them, see <see cref="MessageSink.TakesRuns"/>.</summary>
    EventRun,
}

/// <summary>A trace that is being read.</summary>
/// <param name="decoder">The trace class's programs.</param>
/// <param name="name">The trace's name.</param>
public sealed class Trace(TraceDecoder decoder, string name)
{
    private readonly List<DataStream> _streams = [];

    /// <summary>The trace class's programs.</summary>
    public TraceDecoder Decoder => decoder;

    /// <summary>What the metadata says.</summary>
    public TraceClass Class => decoder.Trace;

    /// <summary>The trace's name, for people.</summary>
    public string Name => name;

    /// <summary>The data streams that are known so far; a source that reads files creates all before it gives the first message.</summary>
    public IReadOnlyList<DataStream> Streams => _streams;

    internal void Add(DataStream stream) => _streams.Add(stream);
}

/// <summary>A data stream that is being read.</summary>
public sealed class DataStream
{
    private readonly Trace _trace = null!;

    /// <summary>The trace, which knows the stream from then on.</summary>
    public required Trace Trace
    {
        get => _trace;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            _trace = value;
            value.Add(this);
        }
    }

    /// <summary>The programs of its class.</summary>
    public required StreamDecoder Decoder { get; init; }

    /// <summary>Its ID, given by the tracer or else numbered here.</summary>
    public ulong Id { get; set; }

    /// <summary>Its name, for people: the path of its first file.</summary>
    public required string Name { get; init; }

    /// <summary>Nanoseconds from the clock's origin to its zero.</summary>
    public long ClockOffsetNs { get; init; }

    /// <summary>Whether the clock's origin is the Epoch.</summary>
    public bool IsClockAbsolute { get; init; }

    /// <summary>Its clock, or null.</summary>
    public ClockClass? Clock => Decoder.Class.DefaultClock;

    /// <summary>Cycles of its clock in one second; 1 GHz without a clock.</summary>
    public ulong FrequencyHz { get; init; } = 1_000_000_000;

    /// <summary>Nanoseconds from the clock's origin for a clock value; wraps where the sum has no 64 bits.</summary>
    public long ToNanoseconds(ulong clockValue) =>
        unchecked(ClockOffsetNs + (long)ClockValue.ToNanoseconds(clockValue, FrequencyHz));

    /// <summary>
    /// The largest clock value whose time has 64 bits. As in babeltrace2 the nanoseconds since the clock's zero need 64 bits with a sign, too, also
    /// where a negative offset would bring them back.
    /// </summary>
    public ulong FindLargestClockValue()
    {
        ulong limitNs = (ulong)(long.MaxValue - Math.Max(0, ClockOffsetNs));
        if (FrequencyHz == 1_000_000_000 || ClockValue.ToNanoseconds(ulong.MaxValue, FrequencyHz) <= limitNs)
            return FrequencyHz == 1_000_000_000 ? limitNs : ulong.MaxValue;
        ulong good = 0;
        for (ulong bit = 1UL << 63; bit > 0; bit >>= 1)
            good |= ClockValue.ToNanoseconds(good | bit, FrequencyHz) <= limitNs ? bit : 0;
        return good;
    }

    /// <summary>The clock value of a time: one that <see cref="ToNanoseconds"/> converts to it, where there is one nearby.</summary>
    public ulong ToCycles(long timeNs)
    {
        ulong sinceZeroNs = unchecked((ulong)(timeNs - ClockOffsetNs));
        ulong cycles = ClockValue.FromNanoseconds(sinceZeroNs, FrequencyHz);
        // Both conversions cut.
        return ClockValue.ToNanoseconds(cycles, FrequencyHz) < sinceZeroNs && cycles < ulong.MaxValue
            && ClockValue.ToNanoseconds(cycles + 1, FrequencyHz) == sinceZeroNs ? cycles + 1 : cycles;
    }
}

/// <summary>A packet that is being read.</summary>
public sealed class Packet
{
    private object? _rendered;

    /// <summary>The packet's stream.</summary>
    public required DataStream Stream { get; init; }

    /// <summary>A copy of the packet's header and context.</summary>
    public required byte[] HeaderAndContext { get; init; }

    /// <summary>
    /// What a consumer made of the context, kept so that it is made once. One consumer may use it, from several threads if any of them makes the
    /// same.
    /// </summary>
    public object? Rendered
    {
        get => Volatile.Read(ref _rendered);
        set => Volatile.Write(ref _rendered, value);
    }
}

/// <summary>
/// One message. Which members mean something depends on the kind. The bytes of an event are valid as long as the batch is.
/// </summary>
#pragma warning disable CA1051 // Fields, because messages are written and read in place by the million.
public unsafe struct Message
{
    /// <summary>What the message says.</summary>
    public MessageKind Kind;

    /// <summary>Whether <see cref="TimeNs"/> is known.</summary>
    public bool HasTime;

    /// <summary>Nanoseconds from the clock's origin; of a loss, its beginning.</summary>
    public long TimeNs;

    /// <summary>The stream.</summary>
    public DataStream Stream;

    /// <summary>The packet of an event or of a run of them, of a packet's beginning or of its end; else null.</summary>
    public Packet? Packet;

    /// <summary>
    /// An event's place in its packet; of a run, that of its first, but with the end of its last. Of other messages that have a time only
    /// <see cref="EventRecord.ClockValue"/> means something: the time in cycles.
    /// </summary>
    public EventRecord Record;

    /// <summary>Where the first byte of the event's packet lies, or would lie.</summary>
    public byte* PacketStart;

    /// <summary>Values that the event's fields need from outside, or null.</summary>
    public ulong[]? Slots;

    /// <summary>Number of events or packets that were discarded, null when unknown; number of events of a run.</summary>
    public ulong? Count;

    /// <summary>Nanoseconds from the clock's origin to the end of a loss, or to the last event of a run.</summary>
    public long EndTimeNs;

    /// <summary>The end of a loss, or the time of the last event of a run, in cycles of the clock.</summary>
    public ulong EndClockValue;

    /// <summary>Sets the time of a message that is no event; of a loss, its beginning. Its stream is set already, and has a clock.</summary>
    public void SetTime(ulong clockValue)
    {
        HasTime = true;
        TimeNs = Stream.ToNanoseconds(clockValue);
        Record.ClockValue = clockValue;
    }

    /// <summary>Sets the time of a loss.</summary>
    public void SetTime(ulong beginClockValue, ulong endClockValue)
    {
        SetTime(beginClockValue);
        EndTimeNs = Stream.ToNanoseconds(endClockValue);
        EndClockValue = endClockValue;
    }
}
#pragma warning restore CA1051

/// <summary>
/// Gives messages in batches. A batch holds until the same iterator is asked again; an empty batch is the end.
/// </summary>
public abstract class MessageIterator : IDisposable
{
    /// <summary>The next batch, or an empty one at the end.</summary>
    /// <exception cref="TraceReadException">
    /// The trace is bad here. All messages before have been given. An iterator that was told to keep going may be asked again, and then goes on
    /// behind what is bad or is at its end; of others nobody asks. A graph ends one that says the same error twice.
    /// </exception>
    public abstract ArraySegment<Message> Next();

    /// <summary>Allows, before the first batch, to give events of some streams as runs (<see cref="MessageKind.EventRun"/>), where that is cheaper.</summary>
    /// <param name="takes">Says whether a stream's events may come as runs.</param>
    public virtual void AllowRuns(Func<DataStream, bool> takes)
    {
    }

    /// <summary>Throws for what is known to be bad further on; for those who stop before the end, where <see cref="Next"/> would throw it.</summary>
    /// <exception cref="TraceReadException">There is such a thing.</exception>
    public virtual void ThrowIfBad()
    {
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives files and memory back.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }
}

/// <summary>Takes messages and makes something of them.</summary>
public abstract class MessageSink : IDisposable
{
    /// <summary>Takes a batch.</summary>
    public abstract void Consume(ReadOnlySpan<Message> batch);

    /// <summary>
    /// Whether a stream's events may come as runs (<see cref="MessageKind.EventRun"/>) besides single ones, to a sink that does not need to look at each;
    /// asked by any thread.
    /// </summary>
    public virtual bool TakesRuns(DataStream stream) => false;

    /// <summary>Whether <see cref="Consume"/> may be called from several threads at once, if each batch of a stream comes after the one before.</summary>
    public virtual bool TakesStreamsAtOnce => false;

    /// <summary>Hands everything on that was held back.</summary>
    public virtual void Flush()
    {
    }

    /// <summary>Ends the output, once: no message comes any more, because that was all or because an error ended it.</summary>
    public virtual void Finish() => Flush();

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives files and memory back.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }
}

/// <summary>A trace that cannot be read, or not further.</summary>
public sealed class TraceReadException : CtfException
{
    /// <summary>Creates an error about a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="offsetBytes">Offset in the file at which it is bad, or -1 when the file as a whole is meant.</param>
    /// <param name="message">What is wrong.</param>
    /// <param name="cause">Why, where another error says more.</param>
    public TraceReadException(string path, long offsetBytes, string message, Exception? cause = null)
        : base(offsetBytes < 0 ? $"{path}: {message}" : $"{path}: at byte {offsetBytes}: {message}", cause)
    {
        Path = path;
        OffsetBytes = offsetBytes;
    }

    /// <summary>Creates an error inside a packet.</summary>
    /// <param name="path">The file.</param>
    /// <param name="offsetBytes">Offset in the file at which it is bad.</param>
    /// <param name="packetNumber">Which packet of the file it is, from 0.</param>
    /// <param name="packetOffsetBits">Bits from the packet's beginning to where it is bad.</param>
    /// <param name="message">What is wrong.</param>
    /// <param name="cause">Why, where another error says more.</param>
    public TraceReadException(string path, long offsetBytes, long packetNumber, long packetOffsetBits, string message, Exception? cause = null)
        : base($"{path}: at byte {offsetBytes} (packet {packetNumber}, bit {packetOffsetBits}): {message}", cause)
    {
        Path = path;
        OffsetBytes = offsetBytes;
        PacketNumber = packetNumber;
        PacketOffsetBits = packetOffsetBits;
    }

    /// <summary>The file or directory.</summary>
    public string Path { get; }

    /// <summary>Offset in the file, or -1.</summary>
    public long OffsetBytes { get; }

    /// <summary>Which packet of the file it is, from 0; -1 where no packet is meant.</summary>
    public long PacketNumber { get; } = -1;

    /// <summary>Bits from the packet's beginning to where it is bad, or -1.</summary>
    public long PacketOffsetBits { get; } = -1;
}
