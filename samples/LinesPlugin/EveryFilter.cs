using Weir.Graph;

namespace LinesPlugin;

/// <summary>A filter: an iterator over another.</summary>
internal sealed class EveryFilter(long count) : Filter
{
    public static EveryFilter Create(ComponentContext context)
    {
        var parameters = new ParameterReader(context.Parameters);
        long count = parameters.Integer("count", 2);
        parameters.RejectOthers();
        return count > 0 ? new EveryFilter(count) : throw new ComponentParameterException($"the parameter 'count' is {count}: expected 1 or more");
    }

    public override MessageIterator CreateIterator(int output, IReadOnlyList<MessageIterator> inputs) => new Iterator(inputs[0], count);

    private sealed class Iterator(MessageIterator upstream, long count) : MessageIterator
    {
        private Message[] _kept = [];
        private long _seen;

        public override ArraySegment<Message> Next()
        {
            for (var batch = upstream.Next(); batch.Count > 0; batch = upstream.Next())
            {
                if (_kept.Length < batch.Count)
                    _kept = new Message[batch.Count];
                int kept = 0;
                foreach (ref readonly var message in batch.AsSpan())
                {
                    if (message.Kind != MessageKind.Event || ++_seen % count == 0)
                        _kept[kept++] = message;
                }
                // An empty batch would be the end.
                if (kept > 0)
                    return new ArraySegment<Message>(_kept, 0, kept);
            }
            return ArraySegment<Message>.Empty;
        }

        public override void ThrowIfBad() => upstream.ThrowIfBad();

        protected override void Dispose(bool disposing)
        {
            upstream.Dispose();
            base.Dispose(disposing);
        }
    }
}
