using Weir.Ctf;

namespace Weir.Graph;

/// <summary>An event as it lies in its block, with what it refers to.</summary>
internal struct NettraceEvent
{
    public NettraceDefinition Definition;
    public ReadOnlyMemory<byte> Payload;
    public ReadOnlyMemory<byte> Stack;
    public NettraceLabels? Labels;
    public Guid Activity;
    public Guid RelatedActivity;
    public ulong Process;
    public ulong Thread;
    public int Processor;
    public ulong Time;

    /// <summary>Events of the same thread that were lost before it; null where the number is not known.</summary>
    public ulong? Lost;

    /// <summary>Where it lies in the file.</summary>
    public long FileOffset;

    /// <summary>What it has beside its payload.</summary>
    public readonly NettraceShape Shape =>
        (Processor < 0 ? NettraceShape.None : NettraceShape.Processor)
        | (Activity == default ? NettraceShape.None : NettraceShape.Activity)
        | (RelatedActivity == default ? NettraceShape.None : NettraceShape.RelatedActivity)
        | (Stack.IsEmpty ? NettraceShape.None : NettraceShape.Stack)
        | (Labels is not { Others.Count: > 0 } ? NettraceShape.None : NettraceShape.Labels);
}

/// <summary>Takes what blocks hold, in the order of the file.</summary>
internal interface INettraceConsumer
{
    /// <summary>An event. With <paramref name="isSorted"/> no later one in the file is earlier.</summary>
    void Event(in NettraceEvent item, bool isSorted);

    /// <summary>Events before this time are all in the file before this place, and this many of them were lost.</summary>
    void SequencePoint(ulong time, ulong lost);
}

/// <summary>
/// Goes through the blocks of a file and keeps what events refer to: metadata, stacks, threads, labels. The definitions are those of an
/// earlier pass where there was one, by their order in the file.
/// </summary>
internal sealed class NettraceBlocks(string path, NettraceFile file, NettraceHeader header, List<NettraceDefinition> definitions, bool isFirstPass)
{
    private const int EventBlockHeaderBytes = 20;

    /// <summary>Most stacks, or lists of labels, between two sequence points: each takes many times its bytes in the file.</summary>
    private const int MaxKept = 1 << 20;

    /// <summary>The same of all metadata; files of many kinds of events have some 100 KiB.</summary>
    private const int MaxMetadataBytes = 16 << 20;

    private readonly Dictionary<uint, NettraceDefinition> _metadata = [];
    private readonly Dictionary<uint, ReadOnlyMemory<byte>> _stacks = [];
    private readonly Dictionary<uint, NettraceLabels> _labels = [];
    private readonly NettraceThreads _threads = new(file.Version, (ulong)(header.Environment.FirstOrDefault(entry => entry.Name == "vpid")?.Number ?? 0));
    private int _definitionCount;
    private long _metadataBytes;

    /// <summary>Goes through the next block. False at the end of the file.</summary>
    /// <exception cref="TraceReadException">The block is bad. What precedes was given.</exception>
    public bool Next(INettraceConsumer consumer)
    {
        if (file.Next() is not { } block)
            return file.Cut is { } cut ? throw cut : false;
        try
        {
            Read(block, consumer);
        }
        catch (TraceReadException) when (file.Cut is not null)
        {
            // The block is bad because it is cut, which is the better thing to say.
        }
        return file.Cut is { } end ? throw end : true;
    }

    private void Read(NettraceBlock block, INettraceConsumer consumer)
    {
        var reader = new NettraceReader(path, block.Bytes, block.FileOffset);
        switch (block.Kind)
        {
            case NettraceBlockKind.Event:
                ReadEvents(ref reader, block, consumer);
                break;
            case NettraceBlockKind.Metadata:
                ReadMetadata(ref reader, block);
                break;
            case NettraceBlockKind.Stack:
                ReadStacks(ref reader, block.Bytes);
                break;
            case NettraceBlockKind.SequencePoint:
                ReadSequencePoint(ref reader, consumer);
                break;
            case NettraceBlockKind.Thread:
                _threads.ReadBlock(ref reader);
                break;
            case NettraceBlockKind.RemoveThread:
                RemoveThreads(ref reader, consumer);
                break;
            case NettraceBlockKind.LabelList:
                ReadLabels(ref reader);
                break;
        }
    }

    /// <summary>Reads the header of a block of events; whether the events' headers are compressed.</summary>
    private static bool ReadEventBlockHeader(ref NettraceReader reader)
    {
        ushort length = reader.ReadUInt16();
        bool isCompressed = (reader.ReadUInt16() & 1) != 0;
        if (length < EventBlockHeaderBytes)
            throw reader.Error($"the header of a block of events has {length} bytes: expected at least {EventBlockHeaderBytes}");
        reader.Take(length - 4);
        return isCompressed;
    }

    /// <summary>Reads an event's header, and passes over its payload; returns where that begins in the block.</summary>
    private int ReadEvent(ref NettraceReader reader, bool isCompressed, ref NettraceEventHeader head)
    {
        uint behind = 0;
        if (isCompressed)
            head.ReadCompressed(ref reader, file.Version);
        else
            behind = head.ReadPlain(ref reader, file.Version);
        int start = reader.Position;
        reader.Take(head.PayloadBytes);
        reader.Take(behind);
        if (!isCompressed && file.Version < 6)
            reader.Take(Math.Min(-reader.FileOffset & 3, reader.Remaining));
        return start;
    }

    private void ReadEvents(ref NettraceReader reader, NettraceBlock block, INettraceConsumer consumer)
    {
        bool isCompressed = ReadEventBlockHeader(ref reader);
        var head = default(NettraceEventHeader);
        while (!reader.IsAtEnd)
        {
            long offset = reader.FileOffset;
            int start = ReadEvent(ref reader, isCompressed, ref head);
            if (!_metadata.TryGetValue(head.MetadataId, out var definition))
                throw new TraceReadException(path, offset, $"an event is of kind {head.MetadataId}, which nothing before it defines");
            var (process, thread) = _threads.Describe(head.Thread);
            var labels = head.LabelList == 0 ? null : _labels.GetValueOrDefault(head.LabelList);
            consumer.Event(
                new NettraceEvent
                {
                    Definition = definition,
                    Payload = block.Bytes.AsMemory(start, (int)head.PayloadBytes),
                    Stack = head.StackId == 0 ? default : _stacks.GetValueOrDefault(head.StackId),
                    Labels = labels,
                    Activity = labels?.Activity ?? head.Activity,
                    RelatedActivity = labels?.RelatedActivity ?? head.RelatedActivity,
                    Process = process,
                    Thread = thread,
                    Processor = head.Processor,
                    Time = head.Time,
                    Lost = _threads.CountLostBefore(head.CaptureThread, head.SequenceNumber),
                    FileOffset = offset,
                },
                head.IsSorted);
        }
    }

    private void ReadMetadata(ref NettraceReader reader, NettraceBlock block)
    {
        _metadataBytes += block.Bytes.Length;
        if (_metadataBytes > MaxMetadataBytes)
            throw reader.Error($"the file has more than {MaxMetadataBytes >> 20} MiB of metadata");
        if (file.Version >= 6)
        {
            reader.Take(reader.ReadUInt16());
            while (!reader.IsAtEnd)
            {
                var row = reader.Inner(reader.ReadUInt16());
                Define(NettraceMetadata.ReadVersion6(ref row));
            }
            return;
        }
        bool isCompressed = ReadEventBlockHeader(ref reader);
        var head = default(NettraceEventHeader);
        while (!reader.IsAtEnd)
        {
            int start = ReadEvent(ref reader, isCompressed, ref head);
            var payload = new NettraceReader(path, block.Bytes.AsSpan(start, (int)head.PayloadBytes), block.FileOffset + start);
            Define(NettraceMetadata.ReadVersion5(ref payload));
        }
    }

    private void Define(NettraceMetadata metadata)
    {
        if (isFirstPass)
            definitions.Add(new NettraceDefinition(metadata, header.PointerBytes));
        else if (_definitionCount >= definitions.Count || definitions[_definitionCount].Metadata.Id != metadata.Id)
            throw new TraceReadException(path, -1, "the file has changed while it was read");
        _metadata[metadata.Id] = definitions[_definitionCount++];
    }

    private void ReadStacks(ref NettraceReader reader, byte[] bytes)
    {
        uint id = reader.ReadUInt32();
        for (int count = reader.ReadCount(reader.ReadUInt32(), "a block of stacks"); count > 0; count--)
        {
            uint length = reader.ReadUInt32();
            int start = reader.Position;
            reader.Take(length);
            _stacks[id++] = bytes.AsMemory(start, (int)length);
            if (_stacks.Count > MaxKept)
                throw reader.Error($"there are more than {MaxKept} stacks without a sequence point");
        }
    }

    private void ReadLabels(ref NettraceReader reader)
    {
        uint index = reader.ReadUInt32();
        for (int count = reader.ReadCount(reader.ReadUInt32(), "a block of labels"); count > 0; count--)
        {
            _labels[index++] = NettraceLabels.Read(ref reader);
            if (_labels.Count > MaxKept)
                throw reader.Error($"there are more than {MaxKept} lists of labels without a sequence point");
        }
    }

    private void ReadSequencePoint(ref NettraceReader reader, INettraceConsumer consumer)
    {
        ulong time = reader.ReadUInt64();
        uint flags = file.Version >= 6 ? reader.ReadUInt32() : 0;
        ulong lost = 0;
        for (int count = reader.ReadCount(reader.ReadUInt32(), "a sequence point"); count > 0; count--)
        {
            ulong thread = file.Version >= 6 ? reader.ReadVariable64() : reader.ReadUInt64();
            lost += _threads.CountLostUntil(thread, file.Version >= 6 ? reader.ReadVariable32() : reader.ReadUInt32());
        }
        _stacks.Clear();
        _labels.Clear();
        if ((flags & 1) != 0)
            _threads.Clear();
        if ((flags & 2) != 0)
            _metadata.Clear();
        consumer.SequencePoint(time, lost);
    }

    private void RemoveThreads(ref NettraceReader reader, INettraceConsumer consumer)
    {
        ulong lost = 0;
        while (!reader.IsAtEnd)
        {
            ulong thread = reader.ReadVariable64();
            lost += _threads.CountLostUntil(thread, reader.ReadVariable32());
            _threads.Remove(thread);
        }
        if (lost > 0)
            consumer.SequencePoint(0, lost);
    }
}
