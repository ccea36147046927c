using System.Diagnostics;
using System.Globalization;
using Weir.Ring;
using Xunit;
using StreamReader = Weir.Ring.StreamReader;

namespace Weir.Tests.Ring;

/// <summary>A process that writes from several threads is killed at random moments, again and again; each time the reader recovers.</summary>
internal sealed class KillCampaign(int seed)
{
    private const int MaxLifeMs = 25;

    private readonly Random _random = new(seed);

    public int Kills { get; private set; }

    public long Records { get; private set; }

    public long Untold { get; private set; }

    public long Holes { get; private set; }

    public long Snapshots { get; private set; }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Kills} kills, {Records} records recovered, {Untold} of them committed but not told, {Holes} holes, {Snapshots} snapshots meanwhile, seed {seed}");

    /// <summary>Starts a writer, kills it, and checks what it left.</summary>
    public void Kill(CtfRing kind)
    {
        string directory = TestRing.NewDirectory();
        using var child = Child.Start(WriteUntilKilled, [directory, kind.ToString()], new() { ["DOTNET_TieredCompilation"] = "0" });
        try
        {
            Assert.Equal("ready", child.StandardOutput.ReadLine());
            var streams = TestRing.OpenAll(directory).ConvertAll(reader => new Stream(reader));
            Assert.Equal(kind.IsGlobal ? 1 : Cpus.Allowed().Count, streams.Count);
            var records = new NumberedRecords();
            long end = Stopwatch.GetTimestamp() + (_random.Next(MaxLifeMs * 1000) * Stopwatch.Frequency / 1_000_000);
            do
            {
                Look(streams, kind, records);
            }
            while (Stopwatch.GetTimestamp() < end);
            Assert.Equal(0, Native.Kill(child.Id, Native.SigKill));
            child.WaitForExit();
            Recover(streams, directory, kind, records);
            streams.ForEach(stream => stream.Reader.Dispose());
            Kills++;
        }
        finally
        {
            _ = Native.Kill(child.Id, Native.SigKill);
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>Does as a consumer does while the writers run, or takes a snapshot.</summary>
    private void Look(List<Stream> streams, CtfRing kind, NumberedRecords records)
    {
        var seen = new NumberedRecords();
        foreach (var (reader, parser) in streams)
        {
            if (!kind.IsOverwrite)
            {
                TestRing.Drain(reader, packet => records.Add(parser, packet));
                continue;
            }
            var snapshot = StreamSnapshot.Take(reader);
            var snapshotParser = new PacketParser(TestRing.Uuid, reader.Cpu, NumberedWriters.PayloadBytes, snapshot.FirstPacket);
            foreach (var packet in snapshot.Packets)
                seen.Add(snapshotParser, packet.Span);
            Snapshots++;
        }
        seen.CheckOnce();
    }

    /// <summary>Checks what a dead writer, or a dead kernel, has left in its streams' files.</summary>
    public void Recover(string directory, CtfRing kind)
    {
        var streams = TestRing.OpenAll(directory).ConvertAll(reader => new Stream(reader));
        Recover(streams, directory, kind, new NumberedRecords());
        streams.ForEach(stream => stream.Reader.Dispose());
    }

    private void Recover(List<Stream> streams, string directory, CtfRing kind, NumberedRecords records)
    {
        var intents = RingControl.Read(directory).Intents;
        ulong? overwrittenUntil = null;
        foreach (var (reader, consumer) in streams)
        {
            if (!kind.IsOverwrite)
                TestRing.Drain(reader, packet => records.Add(consumer, packet));
            var snapshot = StreamSnapshot.Recover(reader, consumer.Discarded);
            Assert.False(snapshot.IsCut, "cut");
            var parser = consumer;
            if (kind.IsOverwrite)
            {
                parser = new PacketParser(TestRing.Uuid, reader.Cpu, NumberedWriters.PayloadBytes, snapshot.FirstPacket);
                // A switch that was begun may have given up one packet more.
                ulong open = reader.Position / (ulong)reader.PacketBytes;
                Assert.InRange((ulong)snapshot.Packets.Count, Math.Min(open + 1, (ulong)reader.PacketCount - 1), (ulong)reader.PacketCount);
                if (snapshot.FirstPacket > 0)
                    overwrittenUntil = Math.Max(overwrittenUntil ?? 0, BitConverter.ToUInt64(snapshot.Packets[0].Span[PacketLayout.TimestampBegin..]));
            }
            foreach (var packet in snapshot.Packets)
                records.Add(parser, packet.Span);
            ulong word = reader.PositionWord;
            int holes = reader.Sequence == SequenceKind.Atomic ? intents.Count(intent => intent.Cpu == reader.Cpu && intent.IsHole(word)) : 0;
            Holes += holes;
        }
        Untold += records.CheckAll(File.ReadAllBytes(Path.Combine(directory, NumberedWriters.ProgressFile)), overwrittenUntil);
        Records += records.Count;
    }

    /// <summary>The child.</summary>
    internal static unsafe int WriteUntilKilled(string[] args)
    {
        NumberedWriters.Start(CtfRing.Parse(args[1]), args[0]);
        Console.WriteLine("ready");
        Thread.Sleep(TimeSpan.FromSeconds(60)); // Should nobody kill it.
        return 1;
    }

    /// <summary>A long campaign, for ./stress: its seed and how many kills.</summary>
    internal static int Run(string[] args)
    {
        var campaign = new KillCampaign(int.Parse(args[0], CultureInfo.InvariantCulture));
        int count = int.Parse(args[1], CultureInfo.InvariantCulture);
        var kinds = CtfRing.Possible(4 << 10, 64 << 10, 2 << 20);
        while (campaign.Kills < count)
        {
            var kind = kinds[campaign.Kills % kinds.Length];
            try
            {
                campaign.Kill(kind);
            }
            catch (Exception e)
            {
                Console.Error.WriteLine($"{kind}, kill {campaign.Kills}: {e}");
                Console.WriteLine($"FAILED after {campaign}");
                return 1;
            }
        }
        Console.WriteLine(campaign);
        return 0;
    }

    private sealed record Stream(StreamReader Reader)
    {
        private readonly PacketParser _parser = new(TestRing.Uuid, Reader.Cpu, NumberedWriters.PayloadBytes);

        public void Deconstruct(out StreamReader reader, out PacketParser parser) => (reader, parser) = (Reader, _parser);
    }
}
