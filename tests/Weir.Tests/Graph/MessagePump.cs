using Weir.Graph;

namespace Weir.Tests.Graph;

/// <summary>Moves messages into a sink, as a graph does it.</summary>
internal static class MessagePump
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
        try
        {
            while (true)
            {
                try
                {
                    var batch = messages.Next();
                    if (batch.Count == 0)
                    {
                        messages.ThrowIfBad();
                        return;
                    }
                    sink.Consume(batch);
                }
                catch (TraceReadException e) when (report is not null)
                {
                    sink.Flush();
                    report(e);
                }
            }
        }
        finally
        {
            sink.Finish();
        }
    }
}
