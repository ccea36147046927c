using Weir.Ctf;

namespace Weir.Kernel;

/// <summary>A kind of event that is written field by field, and how often it was. One thread at a time writes it.</summary>
/// <param name="id">Its ID in its stream class.</param>
/// <param name="name">Its name in the trace.</param>
internal sealed class WrittenEvent(uint id, string name)
{
    private ulong _count;
    private ulong _bytes;

    /// <summary>Its ID in its stream class.</summary>
    public uint Id => id;

    /// <summary>How often it was written.</summary>
    public ulong Count => _count;

    /// <summary>Its name, how often it was written, and bytes of all its fields.</summary>
    public KernelEventCount Tally => new(name, _count, _bytes);

    /// <summary>Declares a kind of event.</summary>
    public static WrittenEvent Declare(KernelTrace trace, DataStreamClass stream, string name, params ReadOnlySpan<StructureMember> fields) =>
        new(trace.Declare(stream, name, new StructureFieldClass([.. fields], minimumAlignmentBits: 8)), name);

    /// <summary>Counts one.</summary>
    public void Add(int bytes)
    {
        _count++;
        _bytes += (ulong)bytes;
    }
}

/// <summary>What streams hold that are not made of the kernel's pages.</summary>
/// <param name="Events">The events by kind, only those that are there.</param>
/// <param name="FileBytes">Bytes of the stream files.</param>
/// <param name="Lost">Events that the kernel had no room for.</param>
/// <param name="NotWritten">Events that could not be written.</param>
internal sealed record OwnStreamsResult(IReadOnlyList<KernelEventCount> Events, long FileBytes, ulong Lost, ulong NotWritten)
{
    /// <summary>Adds up streams and kinds.</summary>
    public static OwnStreamsResult Of(IEnumerable<WrittenEvent> events, IReadOnlyCollection<KernelStream> streams, ulong lost = 0) => new(
        [.. events.Where(item => item.Count > 0).Select(item => item.Tally)],
        streams.Sum(stream => stream.FileBytes),
        lost,
        streams.Aggregate(0UL, (sum, stream) => sum + stream.NotWritten));
}
