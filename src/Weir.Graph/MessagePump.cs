namespace Weir.Graph;

/// <summary>Moves messages into a sink.</summary>
public static class MessagePump
{
    /// <summary>Moves all messages of an iterator, in order, and lets the sink finish, whatever happens.</summary>
    /// <param name="messages">Where they come from; stays the caller's.</param>
    /// <param name="sink">Takes them.</param>
    /// <param name="report">
    /// Takes errors, once the sink has handed on what came before; the iterator must be such as goes on after one. Null: the first is thrown.
    /// </param>
    /// <exception cref="TraceReadException">A trace is bad.</exception>
    public static void Run(MessageIterator messages, MessageSink sink, Action<TraceReadException>? report = null)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ArgumentNullException.ThrowIfNull(sink);
        try
        {
            while (TryNext(messages, sink, report, out var batch))
                sink.Consume(batch);
        }
        finally
        {
            // What came before an error is printed before the error.
            sink.Finish();
        }
    }

    private static bool TryNext(MessageIterator messages, MessageSink sink, Action<TraceReadException>? report, out ArraySegment<Message> batch)
    {
        string? lastProblem = null;
        while (true)
        {
            try
            {
                batch = messages.Next();
                if (batch.Count == 0)
                    messages.ThrowIfBad();
                return batch.Count > 0;
            }
            catch (TraceReadException e) when (report is not null)
            {
                // One that cannot go on behind an error says the same again.
                if (e.Message == lastProblem)
                {
                    batch = ArraySegment<Message>.Empty;
                    return false;
                }
                lastProblem = e.Message;
                sink.Flush();
                report(e);
            }
        }
    }
}
