using System.Buffers.Binary;
using System.Text;
using Weir.Ring;
using Xunit;
using StreamReader = Weir.Ring.StreamReader;

namespace Weir.Tests.Ring;

/// <summary>A reservation, as whoever looks on from outside knows it.</summary>
internal sealed class Reservation
{
    public required int Slot { get; init; }

    public required int Number { get; init; }

    /// <summary>At a packet's begin it takes the packet's head too.</summary>
    public required ulong Start { get; init; }

    public required ulong End { get; init; }

    public required ulong Time { get; init; }

    /// <summary>Where the packet before ends, if this is the first of a packet; else 0.</summary>
    public required ulong Closes { get; init; }

    public bool HasLine { get; init; }

    public bool IsClosedCounted { get; set; }

    public bool IsDone { get; set; }

    public bool IsCounted { get; set; }
}

/// <summary>The clients that are stepped.</summary>
public enum SteppedClient
{
    Global,
    GlobalOverwrite,
    PerCpu,
    PerCpuOverwrite,
    Plain,
    PlainOverwrite,
    Rseq,
    RseqOverwrite,
}

/// <summary>
/// A ring whose writers are real threads that go from hook to hook, one at a time. Keeps book of what each step may have done, checks
/// that it did that and nothing else, and what readers see after it: <see cref="Step"/> and <see cref="Observe"/>. Can be put back to an
/// earlier state.
/// </summary>
internal sealed unsafe class SteppedRing : IDisposable
{
    public const int PacketBytes = 4096;
    public const int MaxPayloadBytes = 4096;

    private readonly StreamReader _reader;
    private readonly byte* _control;
    private readonly int _controlBytes;
    private readonly List<SteppedWriter> _writers = [];
    private readonly List<Reservation> _reservations = [];
    private readonly HashSet<ulong> _closedCounted = [];
    private readonly StringBuilder _trace = new();
    private PacketParser _consumer;
    private ulong _lost;
    private int _nextSlot;
    private byte[]? _image;
    private (ulong Clock, int Reservations, ulong Lost, int NextSlot) _saved;

    public SteppedRing(SteppedClient client, int packetCount = 4, int intentCount = 64)
    {
        IsAtomic = client is not (SteppedClient.Rseq or SteppedClient.RseqOverwrite);
        if (!IsAtomic)
            Assert.SkipUnless(RseqSection.IsAvailable, RseqSection.Verdict);
        HasTimes = client is not (SteppedClient.Plain or SteppedClient.PlainOverwrite);
        PinnedCpu = Cpus.Allowed()[0];
        IntentCount = intentCount;
        var options = new RingOptions
        {
            Backing = RingBacking.Anonymous, Uuid = TestRing.Uuid, PacketBytes = PacketBytes, PacketCount = packetCount, IntentCount = intentCount,
        };
        Ring = client switch
        {
            SteppedClient.Global => (RingBuffer)Create<Global, Discard<WakeOnPacket>, CtfCompact<SteppedClock>>(options),
            SteppedClient.GlobalOverwrite => Create<Global, Overwrite, CtfCompact<SteppedClock>>(options),
            SteppedClient.PerCpu => Create<PerCpu<Atomic>, Discard<NoWakeUp>, CtfCompact<SteppedClock>>(options),
            SteppedClient.PerCpuOverwrite => Create<PerCpu<Atomic>, Overwrite, CtfCompact<SteppedClock>>(options),
            SteppedClient.Plain => Create<Global, Discard<NoWakeUp>, PlainRecords>(options),
            SteppedClient.PlainOverwrite => Create<PerCpu<Atomic>, Overwrite, PlainRecords>(options),
            SteppedClient.Rseq => Create<PerCpu<Rseq>, Discard<NoWakeUp>, CtfCompact<SteppedClock>>(options),
            _ => Create<PerCpu<Rseq>, Overwrite, CtfCompact<SteppedClock>>(options),
        };
        _reader = Ring.OpenReader(Ring.Traits.IsPerCpu ? PinnedCpu : 0);
        _control = _reader.OwnData - StreamLayout.Data;
        _controlBytes = StreamLayout.Data + ((int)_reader.RingBytes);
        _consumer = NewParser(0);
    }

    /// <summary>Runs a test on a ring that has been filled up to an offset in a packet; what fails tells the steps that led there.</summary>
    public static void Run(SteppedClient client, ulong packet, int offset, int writers, Action<SteppedRing> action) =>
        Native.OnPinnedThread([Cpus.Allowed()[0]], () =>
        {
            using var ring = new SteppedRing(client);
            for (int i = 0; i < writers; i++)
                ring.AddWriter();
            ring.FillTo(ring.Writers[0], packet, offset);
            ring.Save();
            try
            {
                action(ring);
            }
            catch (Exception e) when (e is not InvalidOperationException)
            {
                throw new InvalidOperationException($"after {ring.Trace}: {e.Message}", e);
            }
        });

    public RingBuffer Ring { get; }

    public StreamReader Reader => _reader;

    public int PinnedCpu { get; }

    public int IntentCount { get; }

    public bool IsAtomic { get; }

    public bool HasTimes { get; }

    public ulong Clock { get; set; } = 1;

    public IReadOnlyList<SteppedWriter> Writers => _writers;

    public IReadOnlyList<Reservation> Reservations => _reservations;

    /// <summary>What happened since the last <see cref="Restore"/>, or the end of it, for messages.</summary>
    public string Trace => _trace.ToString(Math.Max(0, _trace.Length - 1000), Math.Min(1000, _trace.Length));

    private ref ulong this[int offset] => ref *(ulong*)(_control + offset);

    private ulong Position => _reader.Position;

    /// <summary>Small ones of odd length, so that records begin anywhere, and from 31 on ones of hundreds of bytes; 40 fits no packet.</summary>
    public static int PayloadBytes(uint id) => id switch
    {
        0 or > 40 => -1,
        < 31 => 8 + ((int)id * 11),
        _ => ((int)id - 30) * 400,
    };

    public static void Fill(Span<byte> payload, int slot, int number)
    {
        payload.Fill((byte)(1 + (((slot * 31) + number) % 255)));
        BinaryPrimitives.WriteInt32LittleEndian(payload, slot);
        BinaryPrimitives.WriteInt32LittleEndian(payload[4..], number);
    }

    /// <summary>Another writer, with a line of its own.</summary>
    public SteppedWriter AddWriter()
    {
        var writer = new SteppedWriter(this);
        _writers.Add(writer);
        Rename(writer);
        return writer;
    }

    /// <summary>Makes another of a writer that is dead.</summary>
    public void Rename(SteppedWriter writer)
    {
        writer.Slot = _nextSlot++;
        Assert.True(_nextSlot <= IntentCount, "too many writers");
    }

    /// <summary>Writes a record to its end.</summary>
    public CommitResult Write(SteppedWriter writer, uint id)
    {
        Step(writer, id);
        return Finish(writer);
    }

    /// <summary>Lets a writer go on to its write's end.</summary>
    public CommitResult Finish(SteppedWriter writer)
    {
        while (writer.Point != null)
            Step(writer);
        return writer.Result;
    }

    /// <summary>Lets a writer go on to a point, beginning a record if it is between two; null if it came to the end before that.</summary>
    public RingPoint? StepTo(SteppedWriter writer, uint id, RingPoint point)
    {
        while (Step(writer, id) is { } at)
        {
            if (at == point)
                return at;
        }
        return null;
    }

    /// <summary>Writes, and gives back, until a packet's content ends at an offset or a little before.</summary>
    public void FillTo(SteppedWriter writer, ulong packet, int offset)
    {
        const int MostBesidesPayload = 24;
        ulong target = (packet * PacketBytes) + (ulong)offset;
        while (Position + (ulong)PayloadBytes(1) + MostBesidesPayload <= target)
        {
            uint id = 31;
            while (Position / PacketBytes == packet && Position + (ulong)PayloadBytes(id) + MostBesidesPayload > target)
                id--;
            Assert.True(Write(writer, id) <= CommitResult.CommittedInNewPacket);
            if (!_reader.IsOverwrite)
                Consume();
        }
    }

    /// <summary>Lets a writer go on to its next hook, and checks that only that has changed which the hook's name says.</summary>
    /// <param name="writer">The writer.</param>
    /// <param name="id">Of the record that it begins, if it is between two.</param>
    public RingPoint? Step(SteppedWriter writer, uint id = 1)
    {
        var before = See();
        RingPoint? from = writer.Point;
        RingPoint? point;
        do
            point = from == null ? writer.Begin(id) : writer.Step();
        while (from == RingPoint.Staged && point == RingPoint.Staged && writer.SeenPosition == Position); // The kernel aborted the section.
        if (point is RingPoint.Staged or RingPoint.PositionRead)
            writer.SeenPosition = Position;
        var after = See();
        _trace.Append($"{(char)('A' + writer.Slot)}{writer.Number}:{point?.ToString() ?? writer.Result.ToString()} ");

        bool isMoved = before.Position != after.Position;
        Assert.True(isMoved == (point is RingPoint.Reserved or RingPoint.Published), "the position moves with the reservation, and only then");
        bool isNew = after.Position / PacketBytes != before.Position / PacketBytes;
        if (isMoved)
        {
            ulong start = isNew ? after.Position / PacketBytes * PacketBytes : before.Position;
            bool hasLine = IsAtomic && writer.Slot < IntentCount;
            _reservations.Add(new Reservation
            {
                Slot = writer.Slot, Number = writer.Number, Start = start, End = after.Position, Time = HasTimes ? writer.Time : 0,
                Closes = isNew ? before.Position : 0, HasLine = hasLine, IsDone = !IsAtomic, IsCounted = !IsAtomic, IsClosedCounted = !IsAtomic,
            });
            if (IsAtomic)
                Assert.Equal(hasLine ? (ulong)writer.Slot + 1 : 0, _reader.PositionWord >> StreamLayout.PositionBits);
        }
        var own = _reservations.LastOrDefault(r => r.Slot == writer.Slot && r.Number == writer.Number);
        Assert.True((before.Counted != after.Counted) == (point is RingPoint.ClosedCounted or RingPoint.Counted), "counts change when they are counted");
        if (point == RingPoint.Counted)
            Assert.Equal(before.Counted + own!.End - own.Start, after.Counted);
        else if (point == RingPoint.ClosedCounted)
            Assert.Equal(before.Counted + own!.Start - own.Closes, after.Counted);
        if (IsAtomic)
            Assert.True(before.LastTime == after.LastTime || point == RingPoint.TimeStored, "the last time is stored after the count");
        if (HasTimes && point is RingPoint.TimeStored or RingPoint.Published)
            Assert.Equal(own!.Time, after.LastTime);
        Assert.True(before.Floor == after.Floor || point is RingPoint.FloorRaised or RingPoint.Published, "the floor is raised before the swap");
        Assert.True(after.Floor >= before.Floor, "the floor falls");
        bool isLost = point == null && writer.Result is CommitResult.LostFull or CommitResult.LostTooLarge;
        Assert.Equal(before.Lost + (isLost ? 1UL : 0), after.Lost);
        _lost = after.Lost;
        switch (point)
        {
            case RingPoint.ClosedCounted:
                own!.IsClosedCounted = true;
                break;
            case RingPoint.Done:
                own!.IsDone = true;
                break;
            case RingPoint.Counted:
                own!.IsCounted = true;
                break;
            case null when !isLost:
                Assert.True(own!.IsCounted && own.IsDone);
                Assert.Equal(own.Closes == 0 ? CommitResult.Committed : CommitResult.CommittedInNewPacket, writer.Result);
                break;
        }
        return point;
    }

    /// <summary>Compares what readers see at this moment with what is written.</summary>
    public void Observe()
    {
        CheckSnapshot(StreamSnapshot.Take(_reader), isDead: false);
        ulong open = Position / PacketBytes;
        for (ulong packet = Oldest(); packet <= open; packet++)
        {
            ulong start = packet * PacketBytes;
            ulong end = packet == open ? Position : ContentEnd(packet);
            var hole = InPacket(packet).FirstOrDefault(r => !r.IsDone);
            end = Math.Max(hole != null ? Math.Min(end, hole.Start) : end, start + (ulong)_reader.PacketHeadBytes);
            Assert.Equal(end, _reader.CommittedPosition(start, _reader.ReadRing));
        }
        if (!_reader.IsOverwrite)
            Assert.Equal(IsComplete(Oldest()), _reader.TryGetComplete(out _));
    }

    /// <summary>What an attempt to switch packets that was aborted in the middle leaves.</summary>
    public void RaiseFloor()
    {
        ulong next = (Position | (PacketBytes - 1)) + 1;
        this[StreamLayout.Floor] = StreamLayout.FloorFor(next, PacketBytes, _reader.RingBytes);
        _trace.Append("floor ");
    }

    /// <summary>Gives the oldest packet back, if it is complete.</summary>
    public bool Consume()
    {
        if (!_reader.TryGetComplete(out var pending))
            return false;
        var bytes = new byte[PacketBytes];
        _reader.Copy(pending.SequenceNumber, bytes);
        _reader.Release();
        CheckRecords(Parse(_consumer, pending.SequenceNumber, bytes), InPacket(pending.SequenceNumber));
        _trace.Append("consume ");
        return true;
    }

    /// <summary>Compares what is left by a process that is gone with what was written.</summary>
    public void Recover() => CheckSnapshot(StreamSnapshot.Recover(_reader), isDead: true);

    /// <summary>When every write has come to its end.</summary>
    public void CheckQuiet()
    {
        ulong open = Position / PacketBytes;
        for (ulong packet = Oldest(); packet <= open && IsAtomic; packet++)
            Assert.Equal(packet == open ? Position % PacketBytes : PacketBytes, _reader.CountedBytes(packet * PacketBytes));
        Assert.True(!HasTimes || _reservations.Any(r => r.Time == _reader.LastTime), "the last time is nobody's");
        var last = _reservations.MaxBy(r => r.End)!;
        Assert.Equal(last.End, Position);
        Assert.True(_reader.TryGetSettled(out ulong settled) || Oldest() != open);
        Assert.Equal(Position, settled);
        Recover();
    }

    /// <summary>Makes this the state that <see cref="Restore"/> goes back to.</summary>
    public void Save()
    {
        _image = new Span<byte>(_control, _controlBytes).ToArray();
        _saved = (Clock, _reservations.Count, _lost, _nextSlot);
        Assert.All(_reservations, r => Assert.True(r.IsCounted));
    }

    public void Restore()
    {
        foreach (var writer in _writers.Where(w => w.Point != null))
            writer.Die();
        _image.CopyTo(new Span<byte>(_control, _controlBytes));
        new Span<byte>(Ring.Control.Intents, Ring.Control.IntentCount * IntentTable.LineBytes).Clear();
        (Clock, int count, _lost, _nextSlot) = _saved;
        _reservations.RemoveRange(count, _reservations.Count - count);
        _trace.Clear();
        _consumer = NewParser(_reader.Consumed / PacketBytes);
    }

    /// <summary>The words that decide what comes next, for whoever stands at a known place of a write.</summary>
    public void AddState(List<ulong> words)
    {
        words.AddRange([_reader.PositionWord, this[StreamLayout.LastTime], this[StreamLayout.Consumed], this[StreamLayout.Floor], Clock]);
        words.AddRange([this[StreamLayout.LostFull], this[StreamLayout.LostTooLarge]]);
        for (int i = 0; i < _reader.PacketCount; i++)
            words.Add(this[StreamLayout.CommitCounts + (i * StreamLayout.CommitCountStride)]);
        if (IsAtomic)
        {
            foreach (var writer in _writers.Where(w => w.Slot < IntentCount))
                words.AddRange(new ReadOnlySpan<ulong>(Ring.Control.Intents + (writer.Slot * IntentTable.LineBytes), 5));
        }
    }

    public void Dispose()
    {
        foreach (var writer in _writers)
            writer.Dispose();
    }

    private static RingBuffer<PacketClient<TPlacement, TMode, TFormat, SteppedHooks>> Create<TPlacement, TMode, TFormat>(RingOptions options)
        where TPlacement : struct, IPlacement
        where TMode : struct, IMode
        where TFormat : struct, IPacketFormat =>
        RingBuffer<PacketClient<TPlacement, TMode, TFormat, SteppedHooks>>.Create(options);

    private (ulong Position, ulong Counted, ulong LastTime, ulong Floor, ulong Lost) See()
    {
        ulong counted = 0;
        for (int i = 0; i < _reader.PacketCount; i++)
            counted += this[StreamLayout.CommitCounts + (i * StreamLayout.CommitCountStride)];
        return (Position, counted, this[StreamLayout.LastTime], _reader.Floor, _reader.LostFull + _reader.LostTooLarge);
    }

    private ulong Oldest() => _reader.IsOverwrite
        ? Math.Max(_reader.Floor / PacketBytes, (Position / PacketBytes) + 1 - Math.Min((ulong)_reader.PacketCount, (Position / PacketBytes) + 1))
        : _reader.Consumed / PacketBytes;

    private IEnumerable<Reservation> InPacket(ulong packet) =>
        _reservations.Where(r => r.Start / PacketBytes == packet).OrderBy(r => r.Start);

    private ulong ContentEnd(ulong packet) => _reservations.First(r => r.Start == (packet + 1) * PacketBytes && r.Closes != 0).Closes;

    private bool IsComplete(ulong packet) =>
        packet < Position / PacketBytes && InPacket(packet).All(r => r.IsCounted)
        && _reservations.First(r => r.Start == (packet + 1) * PacketBytes).IsClosedCounted;

    /// <summary>Whether a dead process's packet has to be given up: a writer without a line is in the middle of something there.</summary>
    private bool IsCut(ulong packet) =>
        InPacket(packet).Any(r => !r.HasLine && !r.IsCounted)
        || _reservations.Any(r => r.Start == (packet + 1) * PacketBytes && !r.HasLine && !r.IsClosedCounted);

    private void CheckSnapshot(StreamSnapshot snapshot, bool isDead)
    {
        Assert.Equal(0, snapshot.OverwrittenMeanwhile);
        Assert.Equal(Oldest(), snapshot.FirstPacket);
        ulong packet = snapshot.FirstPacket;
        Assert.Equal((Position / PacketBytes) + 1 - packet, (ulong)snapshot.Packets.Count);
        var parser = NewParser(packet);
        bool isCut = false;
        foreach (var bytes in snapshot.Packets)
        {
            bool isPacketCut = isDead && IsAtomic && IsCut(packet);
            isCut |= isPacketCut;
            CheckRecords(Parse(parser, packet, bytes.Span), isPacketCut ? [] : InPacket(packet).Where(r => r.IsDone));
            packet++;
        }
        Assert.Equal(isCut, snapshot.IsCut);
        if (HasTimes)
            Assert.Equal(_lost, parser.Discarded);
    }

    private static void CheckRecords(IEnumerable<(int Slot, int Number, ulong Time)> found, IEnumerable<Reservation> expected) =>
        Assert.Equal(expected.Select(r => (r.Slot, r.Number, r.Time)), found);

    private PacketParser NewParser(ulong firstNumber) => new(TestRing.Uuid, _reader.Cpu, PayloadBytes, firstNumber);

    private List<(int Slot, int Number, ulong Time)> Parse(PacketParser parser, ulong number, ReadOnlySpan<byte> packet)
    {
        var found = new List<(int, int, ulong)>();
        if (HasTimes)
        {
            foreach (var record in parser.Parse(packet))
                found.Add(Check(packet.Slice(record.PayloadOffset, record.LengthBytes), record.Time));
            return found;
        }
        Assert.Equal(0x524E4C50U, BinaryPrimitives.ReadUInt32LittleEndian(packet));
        int used = BinaryPrimitives.ReadInt32LittleEndian(packet[4..]);
        Assert.Equal(number, BinaryPrimitives.ReadUInt64LittleEndian(packet[8..]));
        Assert.InRange(used, 24, packet.Length);
        for (int at = 24; at < used;)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(packet[at..]);
            Assert.Equal(PayloadBytes(BinaryPrimitives.ReadUInt32LittleEndian(packet[(at + 4)..])), length);
            found.Add(Check(packet.Slice(at + 8, length), 0));
            at += 8 + ((length + 7) & ~7);
            Assert.True(at <= used);
        }
        return found;
    }

    private static (int, int, ulong) Check(ReadOnlySpan<byte> payload, ulong time)
    {
        int slot = BinaryPrimitives.ReadInt32LittleEndian(payload);
        int number = BinaryPrimitives.ReadInt32LittleEndian(payload[4..]);
        Assert.False(payload[8..].ContainsAnyExcept((byte)(1 + (((slot * 31) + number) % 255))), "torn");
        return (slot, number, time);
    }
}
