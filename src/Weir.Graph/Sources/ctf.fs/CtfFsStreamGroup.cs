using Weir.Ctf;

namespace Weir.Graph;

/// <summary>One data stream and its files.</summary>
/// <param name="Stream">The stream.</param>
/// <param name="Paths">Its files in the order of their names.</param>
/// <param name="First">The first packet of the first file.</param>
internal sealed record CtfFsStreamGroup(DataStream Stream, List<string> Paths, CtfFsPacketHead First)
{
    // Kept from when the range is told until the stream is read.
    private CtfFsPacketRuns? _edge;

    /// <summary>
    /// Whether packets can be looked for by their times: the stream has a clock, its packets say in full when they begin and end, and they are not
    /// of a tracer that gets these times wrong.
    /// </summary>
    public bool IsTimed { get; } = Stream.Clock is not null && First.Properties is { BeginTime: not null, EndTime: not null }
        && SaysWhole(Stream.Decoder, FieldRole.PacketBeginTime) && SaysWhole(Stream.Decoder, FieldRole.PacketEndTime)
        && TracerQuirks.Of(Stream.Trace.Class) is { HasEventsAfterPackets: false, HasEventsBeforePackets: false };

    /// <summary>Clock value at which the earliest packet begins, or null where packets do not say.</summary>
    public ulong? BeginTime { get; private set; } = First.Properties.BeginTime;

    /// <summary>Takes another file of the stream.</summary>
    public void Add(string path, in CtfFsPacketHead first)
    {
        Paths.Add(path);
        if (first.Properties.BeginTime < BeginTime)
            BeginTime = first.Properties.BeginTime;
    }

    /// <summary>What has to be read for a range of time, or for everything.</summary>
    public List<CtfFsExtent> FindExtents(TimeRange? range, CtfFsOptions options)
    {
        if (range is { } wanted && IsTimed)
        {
            var packets = _edge ?? IndexPackets(options, range);
            _edge = null;
            return packets.ToExtents(Stream, wanted);
        }
        return Paths is [var only] ? [new CtfFsExtent(only, 0, long.MaxValue, 0)] : IndexPackets(options, null).ToExtents();
    }

    /// <summary>All packets, in the order of time.</summary>
    /// <param name="options">Where indexes are kept.</param>
    /// <param name="range">What will be looked for: there, an index file is compared with its stream file.</param>
    public CtfFsPacketRuns IndexPackets(CtfFsOptions options, TimeRange? range) =>
        CtfFsPacketRuns.Join(Paths.ConvertAll(path => CtfFsIndexFile.Load(path, Stream, options, range)), IsSame);

    /// <summary>When a loss begins that reaches from before a range into it; null where none does.</summary>
    public long? FindLossInto(TimeRange range, CtfFsOptions options)
    {
        if (!IsTimed || (_edge = IndexPackets(options, range)).FindEdge(Stream, range.BeginNs) is not { At: var (file, number) } edge)
            return null;
        if (edge.Before is not var (fileBefore, numberBefore))
            return null;
        var now = ReadHead(file, number).Properties;
        var before = ReadHead(fileBefore, numberBefore).Properties;
        bool hasLost = now.DiscardedEvents != before.DiscardedEvents || now.SequenceNumber - before.SequenceNumber > 1;
        return hasLost ? Stream.ToNanoseconds(before.EndTime.GetValueOrDefault()) : null;
    }

    /// <summary>Where the first packet begins behind one that cannot be read, and its number, by the tracer's index; null where nobody knows.</summary>
    public (long OffsetBytes, long Number)? FindNextPacket(string path, long offsetBytes, CtfFsOptions options) =>
        CtfFsIndexFile.FindNextPacket(path, offsetBytes, Stream.Trace.Decoder, options);

    private bool IsSame(CtfFsIndex leftFile, int left, CtfFsIndex rightFile, int right)
    {
        var leftHead = ReadHead(leftFile, left);
        var rightHead = ReadHead(rightFile, right);
        return leftHead.Properties == rightHead.Properties && leftHead.Failure is null && rightHead.Failure is null;
    }

    private CtfFsPacketHead ReadHead(CtfFsIndex file, int number)
    {
        using var reader = new CtfFsHeadReader(file.Path, Stream.Trace.Decoder);
        return reader.Read(file[number].OffsetBytes, number);
    }

    private static bool SaysWhole(StreamDecoder decoder, FieldRole role)
    {
        foreach (ref readonly var step in decoder.PacketContext.Steps)
        {
            if (step.Role == role)
                return step.SizeBits == 64 && !step.IsSigned;
        }
        return false;
    }
}
