using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Weir.Ring;
using StreamReader = Weir.Ring.StreamReader;

namespace Weir.Tests.Ring;

/// <summary>
/// Changes the files of streams and rings in all ways that somebody who may write them could, and reads them by everything that reads them:
/// what is wrong is said by an exception that names the file, and nothing else happens. The files lie in memory; each is mapped here once,
/// changed, read through its name, and put right again.
/// </summary>
internal sealed unsafe class FuzzCampaign : IDisposable
{
    /// <summary>All questions together copy the ring of 16 KiB, and the table of intents, some dozen times.</summary>
    private const long MaxAllocatedBytes = 4 << 20;

    private const int HangSeconds = 60;

    /// <summary>How often a reader that gives back is asked, where the writer's words change meanwhile and there is always more.</summary>
    private const int MaxTurns = 64;

    private readonly int _seed;
    private readonly string _directory = TestRing.NewDirectory();
    private readonly List<FuzzTarget> _targets = [];
    private readonly StringBuilder _done = new();
    private readonly byte[] _packet = new byte[1 << 20];
    private readonly FuzzDisturber _disturber = new();
    private long _lastProgress = Stopwatch.GetTimestamp();
    private FuzzDraw _draw;
    private bool _isDisturbed;
    private bool _isCut;

    public FuzzCampaign(int seed)
    {
        _seed = seed;
        foreach (var original in StreamCorpus.Make(seed))
            _targets.Add(new FuzzTarget(Directory.CreateDirectory(Path.Combine(_directory, _targets.Count.ToString(CultureInfo.InvariantCulture))).FullName, original));
    }

    public long Count { get; private set; }

    public long Refused { get; private set; }

    public long Disturbed { get; private set; }

    public long Answers { get; private set; }

    public int Originals => _targets.Count;

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Count} mutations of {Originals} pairs of files ({Disturbed} changed while they were read): {Answers} answers, {Refused} refusals, seed {_seed}");

    /// <summary>One mutation, read by everything.</summary>
    /// <param name="number">Its number; the same seed and number do the same, but to what a running writer had left.</param>
    /// <exception cref="InvalidOperationException">A reader did what it must not; the message says to what.</exception>
    public void Mutate(long number)
    {
        _draw = new FuzzDraw(((ulong)(uint)_seed << 32) ^ (ulong)number);
        _done.Clear();
        Volatile.Write(ref _lastProgress, Stopwatch.GetTimestamp());
        var target = _targets[_draw.Next(_targets.Count)];
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            Change(target);
            _isDisturbed = !_isCut && _draw.Next(16) == 0;
            if (_isDisturbed)
            {
                _disturber.Begin(target, (ulong)number);
                Disturbed++;
            }
            ReadAll(target, ReaderAccess.Observe);
            ReadAll(target, ReaderAccess.Consume);
            Try(target, () => Use(RingControl.Read(target.Directory)));
        }
        catch (Exception e)
        {
            // The files stay as they are.
            throw new InvalidOperationException($"mutation {number} of \"{target.Original.Name}\":{_done}{(_isDisturbed ? " and meanwhile" : "")}; {target.Directory}", e);
        }
        finally
        {
            if (_isDisturbed)
                _disturber.End();
            _isDisturbed = false;
        }
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        if (allocated > MaxAllocatedBytes)
            throw new InvalidOperationException($"mutation {number} of \"{target.Original.Name}\":{_done}; {target.Directory}: {allocated} bytes were allocated");
        target.Restore(_isCut);
        Count++;
    }

    /// <summary>A long campaign, for ./stress: its seed and how many mutations.</summary>
    internal static int Run(string[] args)
    {
        int seed = int.Parse(args[0], CultureInfo.InvariantCulture);
        long count = long.Parse(args[1], CultureInfo.InvariantCulture);
        var campaign = new FuzzCampaign(seed);
        using var watchdog = new Timer(_ => campaign.CheckProgress(), null, 1000, 1000);
        try
        {
            for (long number = 0; number < count; number++)
                campaign.Mutate(number);
        }
        catch (InvalidOperationException e)
        {
            // The files stay.
            Console.Error.WriteLine(e);
            Console.WriteLine($"FAILED after {campaign}");
            return 1;
        }
        Console.WriteLine(campaign);
        campaign.Dispose();
        return 0;
    }

    public void Dispose()
    {
        _disturber.Dispose();
        _targets.ForEach(target => target.Dispose());
        Directory.Delete(_directory, recursive: true);
    }

    private void CheckProgress()
    {
        if (Stopwatch.GetElapsedTime(Volatile.Read(ref _lastProgress)).TotalSeconds > HangSeconds)
            Environment.FailFast($"seed {_seed}: a reader does not come back from mutation {Count}:{_done}; files in {_directory}");
    }

    private void Change(FuzzTarget target)
    {
        for (int n = _draw.Next(4); n >= 0; n--)
        {
            switch (_draw.Next(12))
            {
                case 0 or 1:
                    Flip(target.Stream, target.Original.Stream.Length, "stream");
                    break;
                case 2:
                    Flip(target.Ring, target.Original.Ring.Length, "ring");
                    break;
                case 3 or 4:
                    Store(target, target.Stream, _draw.HeadWord(), "stream");
                    break;
                case 5 or 6:
                    int packet = _draw.Next(StreamCorpus.PacketCount) * StreamCorpus.PacketBytes;
                    Store(target, target.Stream, StreamLayout.HeadBytes + packet + (_draw.Next(21) * sizeof(uint)), "stream");
                    break;
                case 7 or 8:
                    Store(target, target.Ring, _draw.RingWord(target), "ring");
                    break;
                default:
                    Store(target, target.Stream, _draw.ControlWord(), "stream");
                    break;
            }
        }
        // At last: nothing is stored behind a file's end.
        _isCut = false;
        if (_draw.Next(12) == 0)
            Cut(target.StreamPath, target.Original.Stream.Length, "stream");
        if (_draw.Next(24) == 0)
            Cut(target.RingPath, target.Original.Ring.Length, "ring");
    }

    private void Flip(byte* file, int length, string name)
    {
        int bit = _draw.Next(length * 8);
        _done.Append(CultureInfo.InvariantCulture, $" {name} bit {bit};");
        file[bit / 8] ^= (byte)(1 << (bit % 8));
    }

    private void Store(FuzzTarget target, byte* file, int offset, string name)
    {
        ulong value = _draw.Value(file + offset, target);
        bool isShort = _draw.Next(3) == 0;
        _done.Append(CultureInfo.InvariantCulture, $" {name} {offset} = 0x{value:x}{(isShort ? " u32" : "")};");
        if (isShort)
            *(uint*)(file + offset) = (uint)value;
        else
            Unsafe.WriteUnaligned(file + offset, value);
    }

    private void Cut(string path, int length, string name)
    {
        int newLength = _draw.Next(2) == 0 ? _draw.Next(length) : Math.Min(length, Math.Max(0, (_draw.Next(length / 4096) * 4096) + _draw.Next(3) - 1));
        _done.Append(CultureInfo.InvariantCulture, $" {name} cut at {newLength};");
        _isCut = true;
        FuzzTarget.SetLength(path, newLength);
    }

    private void ReadAll(FuzzTarget target, ReaderAccess access)
    {
        StreamReader? reader = null;
        Try(target, () => reader = StreamReader.TryOpen(target.StreamPath, access));
        if (reader == null)
            return;
        using (reader)
        {
            Try(target, () => Use(reader.CheckedPosition(reader.Consumed)));
            Try(target, () => Use(reader.TryGetSettled(out _)));
            Try(target, () => Use(reader.LastTime + reader.LostFull + reader.LostTooLarge + reader.Floor));
            if (reader.PacketHeadBytes > 0)
                ReadPackets(target, reader);
            if (access == ReaderAccess.Observe && !reader.IsOverwrite)
                return;
            bool isWalkedFirst = _draw.Next(2) == 0;
            if (isWalkedFirst)
                Try(target, () => Walk(reader));
            if (access == ReaderAccess.Consume && !reader.IsOverwrite && reader.PacketHeadBytes > 0)
                Try(target, () => Drain(reader));
            if (!isWalkedFirst)
                Try(target, () => Walk(reader));
        }
    }

    private void ReadPackets(FuzzTarget target, StreamReader reader)
    {
        ulong packetBytes = (ulong)reader.PacketBytes;
        ulong any = _draw.Value(target.Stream + StreamLayout.Control, target) / packetBytes;
        foreach (ulong number in (ReadOnlySpan<ulong>)[reader.Consumed / packetBytes, reader.Position / packetBytes, any])
        {
            Try(target, () => Use(reader.CommittedPosition(number * packetBytes, reader.ReadRing)));
            Try(target, () =>
            {
                var packet = _packet.AsSpan(0, reader.PacketBytes);
                reader.Copy(number, packet);
                var context = new RecoveryContext(number, reader.PositionWord, any, any, reader.LastTime, reader.LostFull, IsLive: number % 2 == 0);
                int length = PacketRecovery.Recover(reader, packet, context, reader.ReadRing().Intents, out _);
                Expect(length >= 0 && length <= reader.PacketBytes, $"a recovered packet of {length} bytes");
            });
        }
        foreach (bool isLive in (ReadOnlySpan<bool>)[true, false])
        {
            Try(target, () =>
            {
                var snapshot = isLive ? StreamSnapshot.Take(reader, any) : StreamSnapshot.Recover(reader);
                Expect(snapshot.Packets.Count <= reader.PacketCount, $"{snapshot.Packets.Count} packets in a snapshot");
                foreach (var packet in snapshot.Packets)
                    Expect(packet.Length <= reader.PacketBytes, $"a packet of {packet.Length} bytes in a snapshot");
            });
        }
    }

    private void Drain(StreamReader reader)
    {
        int turns = 0;
        while (reader.TryGetComplete(out var pending))
        {
            long end = StreamLayout.HeadBytes + (reader.PacketCount * (long)reader.PacketBytes);
            Expect(pending.FileOffset >= StreamLayout.HeadBytes && pending.FileOffset + pending.LengthBytes <= end, $"{pending}");
            reader.Copy(pending.SequenceNumber, _packet.AsSpan(0, reader.PacketBytes));
            reader.Release();
            if (++turns > MaxTurns && _isDisturbed)
                return;
            Expect(turns <= MaxTurns, "complete packets without an end");
        }
    }

    private void Walk(StreamReader reader)
    {
        var cursor = new StreamCursor(reader);
        long ringBytes = (long)reader.PacketCount * reader.PacketBytes;
        long bytes = 0;
        for (int turns = 0; ; turns++)
        {
            var span = cursor.Peek();
            if (span.IsEmpty || (turns > MaxTurns && _isDisturbed))
                return;
            Expect(cursor.IsOfRing(span) || (reader.PacketHeadBytes == 0 && span.Length <= ringBytes), "records that are not in the ring");
            byte sum = 0;
            foreach (byte b in span)
                sum += b;
            Use(sum);
            int passed = _draw.Next(4) == 0 ? _draw.Next(span.Length) + 1 : span.Length;
            bytes += passed;
            Expect(_isDisturbed || bytes <= ringBytes, "records without an end");
            Use(cursor.IsIntact());
            cursor.Advance(passed);
        }
    }

    /// <summary>One question to a reader: an answer, or an exception that says where.</summary>
    private void Try(FuzzTarget target, Action question)
    {
        try
        {
            question();
            Answers++;
        }
        catch (InvalidDataException e)
        {
            Expect(
                e.Message.StartsWith(target.StreamPath, StringComparison.Ordinal) || e.Message.StartsWith(target.RingPath, StringComparison.Ordinal), e.ToString());
            Expect(e.Message.Contains(": offset ", StringComparison.Ordinal), e.ToString());
            Refused++;
        }
    }

    private static void Expect(bool isTrue, string otherwise)
    {
        if (!isTrue)
            throw new InvalidOperationException(otherwise);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Use<T>(T value)
    {
    }
}
