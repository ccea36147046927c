using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// What the tracer lost between the packets of one data stream, by what each says of itself. The counter of a stream's first packet says
/// nothing: what is counted may have been lost before anybody recorded, and babeltrace2 2.1 has no message for it either. Not thread-safe.
/// </summary>
internal sealed class PacketLosses
{
    /// <summary>Most messages that one packet makes.</summary>
    public const int MaxMessages = 2;

    private PacketProperties? _previous;

    /// <summary>Tells what was lost between the packet before and this one.</summary>
    /// <param name="now">What this packet says.</param>
    /// <param name="stream">The stream.</param>
    /// <param name="messages">Takes the messages; there is room for <see cref="MaxMessages"/>.</param>
    /// <returns>How many there are.</returns>
    public int Take(in PacketProperties now, DataStream stream, Span<Message> messages)
    {
        var before = _previous;
        _previous = now;
        int count = 0;
        if (now.DiscardedEvents is { } discarded && before?.DiscardedEvents is { } earlier && discarded > earlier)
            messages[count++] = Loss(MessageKind.DiscardedEvents, stream, discarded - earlier, before.Value.EndTime, now.EndTime);
        if (now.SequenceNumber is { } number && before?.SequenceNumber is { } last && number > last && number - last > 1)
            messages[count++] = Loss(MessageKind.DiscardedPackets, stream, number - last - 1, before.Value.EndTime, now.BeginTime);
        return count;
    }

    private static Message Loss(MessageKind kind, DataStream stream, ulong count, ulong? begin, ulong? end)
    {
        var message = new Message { Kind = kind, Stream = stream, Count = count };
        if (begin is { } from && end is { } to && stream.Clock is not null)
            message.SetTime(from, to);
        return message;
    }
}
