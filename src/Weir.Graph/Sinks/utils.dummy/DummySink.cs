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
            EventCount += message.Kind == MessageKind.Event ? 1 : 0;
    }

    /// <inheritdoc/>
    public override bool WantsOnlyCounts => true;

    /// <inheritdoc/>
    public override void AddEvents(long count) => EventCount += count;

    private static DummySink Create(ComponentContext context)
    {
        new ParameterReader(context.Parameters).RejectOthers();
        return new DummySink();
    }
}
