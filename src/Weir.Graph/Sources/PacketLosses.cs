using Weir.Ctf;

namespace Weir.Graph;

/// <summary>What the tracer lost between the packets of one data stream, by what each says of itself. Not thread-safe.</summary>
/// <param name="isFromBeginning">Whether the first packet may be the tracer's first too, so that what it has counted is told.</param>
internal sealed class PacketLosses(bool isFromBeginning)
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
        if (now.DiscardedEvents is { } discarded)
        {
            if (before?.DiscardedEvents is { } earlier)
            {
                if (discarded > earlier)
                    messages[count++] = Loss(MessageKind.DiscardedEvents, stream, discarded - earlier, before.Value.EndTime, now.EndTime);
            }
            else if (discarded > 0 && isFromBeginning)
            {
                messages[count++] = Loss(MessageKind.DiscardedEvents, stream, null, now.BeginTime, now.EndTime);
            }
        }
        if (now.SequenceNumber is { } number && before?.SequenceNumber is { } last && number > last && number - last > 1)
            messages[count++] = Loss(MessageKind.DiscardedPackets, stream, number - last - 1, before.Value.EndTime, now.BeginTime);
        return count;
    }

    private static Message Loss(MessageKind kind, DataStream stream, ulong? count, ulong? begin, ulong? end)
    {
        var message = new Message { Kind = kind, Stream = stream, Count = count };
        if (begin is { } from && end is { } to && stream.Clock is not null)
            message.SetTime(from, to);
        return message;
    }
}
