namespace Weir.Graph;

/// <summary><c>sink.utils.dummy</c>: counts events and keeps nothing.</summary>
public sealed class DummySink : MessageSink
{
    /// <summary>Offers it.</summary>
    public static SinkClass Class { get; } = new("utils", "dummy", "Take all messages and make nothing of them.", Create) { TakesAnyOrder = true };

    /// <summary>Events so far.</summary>
    public long EventCount { get; private set; }

    /// <inheritdoc/>
    public override void Consume(ReadOnlySpan<Message> batch)
    {
        foreach (ref readonly var message in batch)
        {
            if (message.Kind == MessageKind.Event)
                EventCount++;
            else if (message.Kind == MessageKind.EventRun)
                EventCount += (long)message.Count!.Value;
        }
    }

    /// <inheritdoc/>
    public override bool TakesRuns(DataStream stream) => true;

    private static DummySink Create(ComponentContext context)
    {
        new ParameterReader(context.Parameters).RejectOthers();
        return new DummySink();
    }
}
