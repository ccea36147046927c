using System.Globalization;
using System.Runtime.CompilerServices;
using Weir.Clock;

namespace Weir.Ring;

/// <summary>How a ring is made.</summary>
public sealed record RingOptions
{
    /// <summary>The ring's memory.</summary>
    public required RingBacking Backing { get; init; }

    /// <summary>The trace's UUID, which CTF's packets carry.</summary>
    public Guid Uuid { get; init; }

    /// <summary>Bytes of a packet, a power of two; of the whole ring where it has no packets. See <see cref="StreamLayout.IsValidGeometry"/>.</summary>
    public required int PacketBytes { get; init; }

    /// <summary>Sub-buffers of each stream, a power of two; 1 in a ring without packets.</summary>
    public required int PacketCount { get; init; }

    /// <summary>A reader is woken each time the position passes a multiple of this, a power of two; for <see cref="WakeAtWatermark"/>.</summary>
    public int WatermarkBytes { get; init; } = 4096;

    /// <summary>
    /// Most bytes that streams may take together. CPUs that come to write when it is reached have none: their events are lost and
    /// counted (<see cref="RingSummary.LostNoStream"/>).
    /// </summary>
    public long MaxBytes { get; init; } = long.MaxValue;

    /// <summary>A word that readers of several rings sleep on, in place of the ring's own; see <see cref="SharedDoorbell"/>.</summary>
    public SharedDoorbell? Doorbell { get; init; }

    /// <summary>Atomic path: threads with an intent of their own; fewer only in tests.</summary>
    internal int IntentCount { get; init; } = IntentTable.MaxIntents;
}

/// <summary>
/// The writer's side of a ring, whatever its client. Thread-safe. The memory is unmapped by the finalizer: a writer holds a reference
/// while it writes, so the garbage collector is the grace period, and a stopped session costs a writer nothing.
/// </summary>
public abstract unsafe class RingBuffer
{
    /// <summary>The environment variable that forces the atomic sequence when it is <c>atomic</c>.</summary>
    public const string SequenceVariable = "WEIR_SEQUENCE";

    /// <summary>Streams are made at once for as many CPUs as this holds; for further ones at their first event.</summary>
    private const long EagerBytes = 64 << 20;

    private readonly RingMemory* _memory;
    private readonly RingOptions _options;
    private readonly RingControl _control;
    private readonly MappedMemory?[] _streams;
    private readonly IOException?[] _refusals;
    private readonly Lock _lock = new();
    private long _streamBytes;
    private bool _isRetired;

    private protected RingBuffer(RingOptions options, in RingTraits traits)
    {
        _options = options;
        Traits = traits;
        int cpus = traits.IsPerCpu ? Cpus.PossibleCount : 1;
        var sequence = traits.Sequence ?? ChooseSequence(out _);
        _streams = new MappedMemory?[cpus];
        _refusals = new IOException?[cpus];
        _control = RingControl.Create(options.Backing, sequence, options.IntentCount);
        _memory = RingMemory.Allocate(cpus, options.PacketBytes, options.PacketCount, options.Uuid);
        _memory->Sequence = sequence;
        _memory->WatermarkBytes = (ulong)options.WatermarkBytes;
        _memory->Intents = _control.Intents;
        _memory->IntentCount = _control.IntentCount;
        _memory->Doorbell = options.Doorbell != null ? options.Doorbell.Word : _control.Doorbell;
    }

    /// <summary>Unmaps the ring when no writer can hold it any more.</summary>
    ~RingBuffer()
    {
        if (_memory == null)
            return;
        foreach (var stream in _streams)
            stream?.Unmap();
        RingMemory.Free(_memory);
    }

    /// <summary>What the ring's client has chosen.</summary>
    public RingTraits Traits { get; }

    /// <summary>How records are committed.</summary>
    public SequenceKind Sequence => _memory->Sequence;

    /// <summary>Events that this ring could not give a stream, and fields that were cut, are counted here.</summary>
    public RingControl Control => _control;

    /// <summary>CPUs that have a stream by now; 0 for the one of a global ring. Thread-safe.</summary>
    public IReadOnlyList<int> StreamCpus
    {
        get
        {
            lock (_lock)
                return [.. Enumerable.Range(0, _streams.Length).Where(cpu => _streams[cpu] != null)];
        }
    }

    /// <summary>The word that a reader in this process may sleep on.</summary>
    public SharedDoorbell Doorbell => _options.Doorbell ?? SharedDoorbell.OfOwnMemory(_memory->Doorbell, this);

    private protected RingMemory* Memory => _memory;

    /// <summary>
    /// Commits one record, or loses and counts it. Never throws, waits or allocates, except that a CPU's first record may make its
    /// stream.
    /// </summary>
    /// <param name="thread">The calling thread's block.</param>
    /// <param name="id">The event's id, at least <see cref="RecordLayout.FirstId"/> where the format is CTF.</param>
    /// <param name="payload">The payload's bytes.</param>
    /// <param name="lengthBytes">How many, 0 or more.</param>
    public abstract CommitResult Write(WriterThread* thread, uint id, byte* payload, int lengthBytes);

    /// <summary>Opens a stream for reading in this process, whatever the ring's memory is. Several may be open; one may give packets back.</summary>
    /// <param name="cpu">One of <see cref="StreamCpus"/>.</param>
    /// <exception cref="ArgumentException">There is no such stream.</exception>
    /// <exception cref="IOException">Its file is gone.</exception>
    public StreamReader OpenReader(int cpu)
    {
        lock (_lock)
        {
            if (_isRetired)
                throw new InvalidOperationException("The ring is retired: its memory is given back, and there is nothing to read.");
            var memory = (uint)cpu < (uint)_streams.Length ? _streams[cpu] : null;
            return memory == null
                ? throw new ArgumentException($"CPU {cpu} has no stream.", nameof(cpu))
                : _options.Backing is { Kind: BackingKind.Files, Directory: { } directory } ? StreamReader.OfOwnMemory(memory, this, Path.Combine(directory, NameOf(cpu)), hasPath: true)
                : StreamReader.OfOwnMemory(memory, this, $"stream of CPU {cpu}", hasPath: false);
        }
    }

    /// <summary>What has become of the ring's memory: how much is there by now, and in huge pages. Takes milliseconds. Thread-safe.</summary>
    public MemoryUse DescribeMemory()
    {
        List<(long, long)> ranges;
        lock (_lock)
            ranges = [.. _streams.OfType<MappedMemory>().Select(stream => ((long)stream.Address, stream.LengthBytes))];
        return MemoryUse.Of(ranges);
    }

    /// <summary>
    /// Gives the ring's memory back, once nobody will read it any more. Writers that still hold the ring, even in the middle of a record, go
    /// on into private memory that goes with the ring: their addresses stay valid until the garbage collector knows that no writer is left.
    /// </summary>
    public void Retire()
    {
        lock (_lock)
        {
            _isRetired = true;
            foreach (var stream in _streams)
                stream?.Detach();
            _control.Detach();
        }
    }

    /// <summary>The best sequence that this process can run, and why.</summary>
    public static SequenceKind ChooseSequence(out string reason)
    {
        if (Environment.GetEnvironmentVariable(SequenceVariable) == "atomic")
        {
            reason = $"{SequenceVariable}=atomic";
            return SequenceKind.Atomic;
        }
        reason = RseqSection.Verdict;
        return RseqSection.IsAvailable ? SequenceKind.Rseq : SequenceKind.Atomic;
    }

    /// <summary>Makes a per-CPU ring in discard mode with CTF's compact heads, for a clock and a sequence that are known only now.</summary>
    /// <exception cref="ArgumentException">The options are not ones that a ring can have here.</exception>
    /// <exception cref="IOException">The files cannot be made, or there is no room for one stream.</exception>
    public static RingBuffer CreateCtf(RingOptions options, ClockKind clock, SequenceKind sequence) => (clock, sequence) switch
    {
        (ClockKind.Counter, SequenceKind.Rseq) => RingBuffer<PacketClient<PerCpu<Rseq>, Discard<WakeOnPacket>, CtfCompact<CounterClock>, NoHooks>>.Create(options),
        (ClockKind.Counter, _) => RingBuffer<PacketClient<PerCpu<Atomic>, Discard<WakeOnPacket>, CtfCompact<CounterClock>, NoHooks>>.Create(options),
        (_, SequenceKind.Rseq) => RingBuffer<PacketClient<PerCpu<Rseq>, Discard<WakeOnPacket>, CtfCompact<MonotonicClock>, NoHooks>>.Create(options),
        _ => RingBuffer<PacketClient<PerCpu<Atomic>, Discard<WakeOnPacket>, CtfCompact<MonotonicClock>, NoHooks>>.Create(options),
    };

    /// <summary>Checks what options can be wrong about.</summary>
    private protected static void Check(RingOptions options, in RingTraits traits)
    {
        bool isContinuous = traits.PacketHeadBytes == 0;
        if (isContinuous
            ? options.PacketCount != 1 || !StreamLayout.IsValidContinuous(options.PacketBytes)
            : !StreamLayout.IsValidGeometry(options.PacketBytes, options.PacketCount))
        {
            throw new ArgumentException(
                isContinuous
                    ? $"{options.PacketCount} packets of {options.PacketBytes} bytes: this ring has no packets, so 1 of a power of two from {StreamLayout.MinPacketBytes} to {StreamLayout.MaxPacketBytes} bytes."
                    : $"{options.PacketCount} packets of {options.PacketBytes} bytes: a ring has a power of two from {StreamLayout.MinPacketCount} to {StreamLayout.MaxPacketCount} of a power of two from {StreamLayout.MinPacketBytes} to {StreamLayout.MaxPacketBytes} bytes.",
                nameof(options));
        }
        if (options.Backing is null or { Kind: BackingKind.Files, Directory: null })
            throw new ArgumentException("A ring needs a backing, and one of files needs a directory.", nameof(options));
        if (traits.WakeUp == WakeUp.AtWatermark && !(options.WatermarkBytes > 0 && int.IsPow2(options.WatermarkBytes)))
            throw new ArgumentException($"A watermark of {options.WatermarkBytes} bytes: it must be a power of two.", nameof(options));
        if (traits.Sequence == SequenceKind.Rseq && !RseqSection.IsAvailable)
            throw new ArgumentException($"The restartable sequence cannot run here: {RseqSection.Verdict}.", nameof(options));
        if (traits.Clock == ClockKind.Counter && !CpuCounter.IsTrusted)
            throw new ArgumentException($"The CPU's counter cannot be used: {CpuCounter.Verdict}.", nameof(options));
    }

    private protected void MakeFirstStreams()
    {
        long eager = Math.Max(1, EagerBytes / ((long)_options.PacketBytes * _options.PacketCount));
        var cpus = Traits.IsPerCpu ? Cpus.Likely() : [0];
        bool hasStream = false;
        foreach (int cpu in cpus)
        {
            if (eager-- == 0)
                break;
            hasStream |= AddStream(cpu);
        }
        if (hasStream)
            return;
        if (_options.Backing.Directory is { } directory)
            File.Delete(Path.Combine(directory, RingControl.FileName));
        var refusal = _refusals.FirstOrDefault(refusal => refusal != null);
        throw new IOException($"{_options.Backing.Directory ?? "ring"}: not one stream could be made: {refusal?.Message}", refusal);
    }

    /// <summary>Makes a CPU's stream if it has none; false where it cannot be made, which is not tried twice.</summary>
    private protected bool AddStream(int cpu)
    {
        lock (_lock)
        {
            if (_streams[cpu] != null)
                return true;
            if (_refusals[cpu] != null || _isRetired)
                return false;
            try
            {
                var stream = CreateStream(cpu);
                _streams[cpu] = stream;
                // Release: the stream's contents before its address. Partner: the writers load the address and then the contents.
                Volatile.Write(ref *(nint*)(RingMemory.Streams(_memory) + cpu), (nint)(stream.Address + StreamLayout.Control));
                return true;
            }
            catch (IOException e)
            {
                _refusals[cpu] = e;
                return false;
            }
        }
    }

    /// <summary>The CPU that the thread writes to now, if it is one that may have a stream.</summary>
    private protected bool TryAddStreamOf(WriterThread* thread)
    {
        uint cpu = Traits.IsPerCpu ? WriterThread.CurrentCpu(thread) : 0;
        // A refusal stays one: no need to wait for whoever makes another CPU's stream.
        return cpu < (uint)_streams.Length && Volatile.Read(ref _refusals[cpu]) == null && AddStream((int)cpu);
    }

    private protected int PossibleStreams => _streams.Length;

    private protected abstract void Begin(byte* stream, uint cpu);

    private protected abstract (int Position, int Consumed, int Lost) ControlOffsets { get; }

    private static string NameOf(int cpu) => string.Create(CultureInfo.InvariantCulture, $"stream_{cpu}");

    private MappedMemory CreateStream(int cpu)
    {
        long bytes = StreamLayout.HeadBytes + (long)_memory->RingBytes;
        if (_streamBytes + bytes > _options.MaxBytes)
            throw new IOException($"stream of CPU {cpu}: the ring's limit of {_options.MaxBytes} bytes is reached");
        var stream = MappedMemory.Create(
            _options.Backing, NameOf(cpu), bytes,
            _options.Backing.NodeLocal ? NumaNodes.Of(cpu) : null, mirroredBytes: Traits.PacketHeadBytes == 0 ? (long)_memory->RingBytes : 0);
        _streamBytes += bytes;
        byte* head = stream.Address;
        *(uint*)(head + StreamLayout.VersionOffset) = StreamLayout.Version;
        *(uint*)(head + StreamLayout.Sequence) = (uint)_memory->Sequence;
        *(ulong*)(head + StreamLayout.PacketBytes) = (ulong)_options.PacketBytes;
        *(uint*)(head + StreamLayout.PacketCount) = (uint)_options.PacketCount;
        *(uint*)(head + StreamLayout.Cpu) = (uint)cpu;
        _options.Uuid.TryWriteBytes(new Span<byte>(head + StreamLayout.Uuid, 16), bigEndian: true, out _);
        *(uint*)(head + StreamLayout.Format) = (uint)Traits.Format;
        *(uint*)(head + StreamLayout.PacketHeadBytes) = (uint)Traits.PacketHeadBytes;
        *(uint*)(head + StreamLayout.IsOverwrite) = Traits.IsOverwrite ? 1U : 0;
        var (position, consumed, lost) = ControlOffsets;
        *(uint*)(head + StreamLayout.PositionOffset) = (uint)position;
        *(uint*)(head + StreamLayout.ConsumedOffset) = (uint)consumed;
        *(uint*)(head + StreamLayout.LostOffset) = (uint)lost;
        Begin(head + StreamLayout.Control, (uint)cpu);
        // Release: everything above before the magic that makes the stream valid. Partner: the reader checks the magic first.
        Volatile.Write(ref *(ulong*)head, StreamLayout.Magic);
        return stream;
    }
}

/// <summary>A ring for a client; see <see cref="RingBuffer"/>.</summary>
/// <typeparam name="TClient">The client; its choices are folded into the code.</typeparam>
public sealed unsafe class RingBuffer<TClient> : RingBuffer
    where TClient : struct, IRingClient
{
    private RingBuffer(RingOptions options)
        : base(options, TClient.Traits)
    {
    }

    private protected override (int Position, int Consumed, int Lost) ControlOffsets => TClient.ControlOffsets;

    /// <summary>Makes a ring and its memory.</summary>
    /// <exception cref="ArgumentException">The options are not ones that a ring can have here.</exception>
    /// <exception cref="IOException">The memory cannot be had, or there is no room for one stream.</exception>
    public static RingBuffer<TClient> Create(RingOptions options)
    {
        Check(options, TClient.Traits);
        var ring = new RingBuffer<TClient>(options);
        ring.MakeFirstStreams();
        return ring;
    }

    /// <inheritdoc/>
    public override CommitResult Write(WriterThread* thread, uint id, byte* payload, int lengthBytes)
    {
        var result = TClient.Write(Memory, thread, id, payload, lengthBytes);
        if (result == CommitResult.NoStream)
            result = WriteToNewStream(thread, id, payload, lengthBytes);
        GC.KeepAlive(this);
        return result;
    }

    private protected override void Begin(byte* stream, uint cpu) => TClient.Begin(Memory, stream, cpu);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private CommitResult WriteToNewStream(WriterThread* thread, uint id, byte* payload, int lengthBytes)
    {
        // The thread may move to a CPU without a stream again and again; as many tries as there are CPUs end that. One without a line for
        // its intents need not try.
        bool canWrite = Sequence == SequenceKind.Rseq || thread->Slot < Control.IntentCount;
        for (int i = 0; canWrite && i <= PossibleStreams; i++)
        {
            if (!TryAddStreamOf(thread))
                break;
            var result = TClient.Write(Memory, thread, id, payload, lengthBytes);
            if (result != CommitResult.NoStream)
                return result;
        }
        Control.CountNoStream();
        return CommitResult.NoStream;
    }
}
