using System.Globalization;
using System.Runtime.CompilerServices;
using Weir.Clock;

namespace Weir.Ring;

/// <summary>How a ring is made.</summary>
/// <param name="Directory">An existing directory that gets the ring's files; its own.</param>
/// <param name="Uuid">The trace's UUID, which every packet carries.</param>
/// <param name="PacketBytes">Bytes of a packet, a power of two, see <see cref="StreamLayout.IsValidGeometry"/>.</param>
/// <param name="PacketCount">Sub-buffers for each CPU, a power of two.</param>
/// <param name="Clock">The clock of the records.</param>
/// <param name="Sequence">How records are committed; <see cref="RingBuffer.ChooseSequence"/> knows what can be had.</param>
public sealed record RingOptions(string Directory, Guid Uuid, int PacketBytes, int PacketCount, ClockKind Clock, SequenceKind Sequence);

/// <summary>
/// The writer's side of a per-CPU ring in discard mode: when a reader does not keep up, new events are lost and counted, nobody waits.
/// Thread-safe. The memory is unmapped by the finalizer: a writer holds a reference while it writes, so the garbage collector is the
/// grace period, and a stopped session costs a writer nothing.
/// </summary>
public sealed unsafe class RingBuffer
{
    /// <summary>The environment variable that forces the atomic sequence when it is <c>atomic</c>.</summary>
    public const string SequenceVariable = "WEIR_SEQUENCE";

    /// <summary>Streams are made at once for as many CPUs as this holds; for further ones at their first event.</summary>
    private const long EagerBytes = 64 << 20;

    private readonly RingMemory* _memory;
    private readonly RingOptions _options;
    private readonly RingControl _control;
    private readonly MappedFile?[] _streams;
    private readonly IOException?[] _refusals;
    private readonly Lock _lock = new();
    private readonly bool _isRseq;
    private readonly bool _isCounter;
    private bool _isRetired;

    private RingBuffer(RingOptions options)
    {
        _options = options;
        _isRseq = options.Sequence == SequenceKind.Rseq;
        _isCounter = options.Clock == ClockKind.Counter;
        int cpus = Cpus.PossibleCount;
        _streams = new MappedFile?[cpus];
        _refusals = new IOException?[cpus];
        _control = RingControl.Create(options.Directory, options.Sequence);
        _memory = RingMemory.Allocate(cpus, options.PacketBytes, options.PacketCount, options.Uuid.ToByteArray(bigEndian: true));
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

    /// <summary>Events that this ring could not give a stream, and fields that were cut, are counted here.</summary>
    public RingControl Control => _control;

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

    /// <summary>The best sequence that this process can run with a clock, and why.</summary>
    public static SequenceKind ChooseSequence(ClockKind clock, out string reason)
    {
        if (Environment.GetEnvironmentVariable(SequenceVariable) == "atomic")
        {
            reason = $"{SequenceVariable}=atomic";
            return SequenceKind.Atomic;
        }
        if (clock != ClockKind.Counter)
        {
            reason = "the restartable sequence reads the CPU's counter, and the session's clock is another";
            return SequenceKind.Atomic;
        }
        reason = RseqSequence.Verdict;
        return RseqSequence.IsAvailable ? SequenceKind.Rseq : SequenceKind.Atomic;
    }

    /// <summary>Makes a ring and its files.</summary>
    /// <exception cref="ArgumentException">The options are not ones that a ring can have here.</exception>
    /// <exception cref="IOException">The files cannot be made, or there is no room for one stream.</exception>
    public static RingBuffer Create(RingOptions options)
    {
        if (!StreamLayout.IsValidGeometry(options.PacketBytes, options.PacketCount))
            throw new ArgumentException($"{options.PacketCount} packets of {options.PacketBytes} bytes: no ring can have these.", nameof(options));
        if (options.Sequence == SequenceKind.Rseq && (options.Clock != ClockKind.Counter || !RseqSequence.IsAvailable))
            throw new ArgumentException($"The restartable sequence cannot run here: {RseqSequence.Verdict}.", nameof(options));
        if (options.Clock == ClockKind.Counter && !CpuCounter.IsTrusted)
            throw new ArgumentException($"The CPU's counter cannot be used: {CpuCounter.Verdict}.", nameof(options));
        var ring = new RingBuffer(options);
        long eager = Math.Max(1, EagerBytes / ((long)options.PacketBytes * options.PacketCount));
        bool hasStream = false;
        foreach (int cpu in Cpus.Allowed())
        {
            if (eager-- == 0)
                break;
            hasStream |= ring.AddStream(cpu);
        }
        if (!hasStream)
        {
            File.Delete(Path.Combine(options.Directory, RingControl.FileName));
            throw new IOException(
                $"{options.Directory}: not one stream could be made", ring._refusals.FirstOrDefault(refusal => refusal != null));
        }
        return ring;
    }

    /// <summary>
    /// Commits one record, or loses and counts it. Never throws, waits or allocates, except that a CPU's first record may make its
    /// stream.
    /// </summary>
    /// <param name="thread">The calling thread's block.</param>
    /// <param name="id">The event's id, at least <see cref="RecordLayout.FirstId"/>.</param>
    /// <param name="payload">The payload's bytes.</param>
    /// <param name="lengthBytes">How many, 0 or more.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public CommitResult Write(WriterThread* thread, uint id, byte* payload, int lengthBytes)
    {
        var result = _isRseq
            ? RseqSequence.Commit(_memory, thread->RseqArea, payload, lengthBytes, id)
            : WriteAtomic(thread, id, payload, lengthBytes);
        if (result == CommitResult.NoStream)
            result = WriteToNewStream(thread, id, payload, lengthBytes);
        GC.KeepAlive(this);
        return result;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private CommitResult WriteAtomic(WriterThread* thread, uint id, byte* payload, int lengthBytes)
    {
        ulong* intent = _control.IntentOf(thread->Slot);
        return _isCounter
            ? AtomicSequence.Commit<CounterClock>(_memory, thread, intent, payload, lengthBytes, id)
            : AtomicSequence.Commit<MonotonicClock>(_memory, thread, intent, payload, lengthBytes, id);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private CommitResult WriteToNewStream(WriterThread* thread, uint id, byte* payload, int lengthBytes)
    {
        // The thread may move to a CPU without a stream again and again; as many tries as there are CPUs end that.
        for (int i = 0; i <= _streams.Length; i++)
        {
            uint cpu = WriterThread.CurrentCpu(thread);
            if (cpu >= (uint)_streams.Length || !AddStream((int)cpu))
                break;
            var result = _isRseq
                ? RseqSequence.Commit(_memory, thread->RseqArea, payload, lengthBytes, id)
                : WriteAtomic(thread, id, payload, lengthBytes);
            if (result != CommitResult.NoStream)
                return result;
        }
        _control.CountNoStream();
        return CommitResult.NoStream;
    }

    /// <summary>Makes a CPU's stream if it has none; false where it cannot be made, which is not tried twice.</summary>
    private bool AddStream(int cpu)
    {
        lock (_lock)
        {
            if (_streams[cpu] != null)
                return true;
            if (_refusals[cpu] != null || _isRetired)
                return false;
            try
            {
                var file = CreateStream(cpu);
                _streams[cpu] = file;
                // Release: the stream's contents before its address. Partner: the sequences load the address and then the contents.
                Volatile.Write(ref *(nint*)(RingMemory.Streams(_memory) + cpu), (nint)(file.Address + StreamLayout.Control));
                return true;
            }
            catch (IOException e)
            {
                _refusals[cpu] = e;
                return false;
            }
        }
    }

    private MappedFile CreateStream(int cpu)
    {
        string path = Path.Combine(_options.Directory, string.Create(CultureInfo.InvariantCulture, $"stream_{cpu}"));
        var file = MappedFile.Create(path, StreamLayout.HeadBytes + (long)_memory->RingBytes);
        byte* head = file.Address;
        *(uint*)(head + 8) = StreamLayout.Version;
        *(uint*)(head + StreamLayout.Sequence) = (uint)_options.Sequence;
        *(ulong*)(head + StreamLayout.PacketBytes) = (ulong)_options.PacketBytes;
        *(uint*)(head + StreamLayout.PacketCount) = (uint)_options.PacketCount;
        *(uint*)(head + StreamLayout.Cpu) = (uint)cpu;
        _options.Uuid.TryWriteBytes(new Span<byte>(head + StreamLayout.Uuid, 16), bigEndian: true, out _);

        // The first packet is open from the start, so that no sequence needs to know a stream without one.
        ulong now = TraceClock.Read(_options.Clock);
        byte* control = head + StreamLayout.Control;
        PacketHead.Open(_memory, control + StreamLayout.Data, (uint)cpu, now, 0);
        *(ulong*)(control + StreamLayout.Position) = PacketLayout.Records;
        *(ulong*)(control + StreamLayout.LastTime) = now;
        *(ulong*)(control + StreamLayout.CommitCounts) = PacketLayout.Records;
        // Release: everything above before the magic that makes the file valid. Partner: the reader checks the magic first.
        Volatile.Write(ref *(ulong*)head, StreamLayout.Magic);
        return file;
    }
}
