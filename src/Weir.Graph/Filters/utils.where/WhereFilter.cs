using Weir.Ctf;

namespace Weir.Graph;

/// <summary><c>filter.utils.where</c>: passes on the events of which an expression is true, and everything that is no event.</summary>
public sealed class WhereFilter : Filter
{
    private readonly WhereExpression _expression;
    private readonly Action<string>? _warn;

    private WhereFilter(WhereExpression expression, Action<string>? warn) => (_expression, _warn) = (expression, warn);

    /// <summary>Offers it.</summary>
    public static FilterClass Class { get; } = new("utils", "where", "Pass on the events of which an expression is true.", Create)
    {
        Help = """
            expr=EXPRESSION  needed; for example "quantity > 10 && ($name == \"shop:*\" || !has(symbol))"

            quantity, order.id    a field: of the payload, else of the event's context, else of its stream's events; dots go into structures
            $ctx.vtid             a field of the contexts
            $packet.cpu_id        a field of the packet's context
            $name, $trace         the event's name; the trace's name
            $time                 nanoseconds from the clock's origin
            $stream, $loglevel    the stream's ID; the event's log level as a number
            10, -3, 0x1f, 2.5     numbers; integers are compared exactly
            true, false           1 and 0
            "TEA*"                a text; * stands for any run of characters; compared with an enumeration, one of its labels
            == != < <= > >=       comparisons; of texts only == and !=. False where the event lacks the field, or has something else there
            quantity              alone: neither zero nor empty
            has(quantity)         the event has it
            && || ! ( )           and, or, not, grouping
            """,
    };

    /// <summary>Creates a filter.</summary>
    /// <param name="expression">The expression.</param>
    /// <param name="warn">Told at the end what fields no event that was read has, one call for each; null for nobody.</param>
    /// <exception cref="ComponentParameterException">The text is no expression; says at which column.</exception>
    public static WhereFilter Parse(string expression, Action<string>? warn = null)
    {
        ArgumentNullException.ThrowIfNull(expression);
        return new WhereFilter(WhereParser.Parse(expression), warn);
    }

    /// <inheritdoc/>
    public override MessageIterator CreateIterator(int output, IReadOnlyList<MessageIterator> inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        return new Iterator(_expression, _warn, inputs[0]);
    }

    private static WhereFilter Create(ComponentContext context)
    {
        var parameters = new ParameterReader(context.Parameters);
        string expression = parameters.Text("expr") ?? throw new ComponentParameterException("the parameter 'expr' is missing: expected an expression");
        parameters.RejectOthers();
        return Parse(expression, context.LogLevel > LogLevel.Warning ? null : text => context.Log.WriteLine($"weir: warning: filter.utils.where: {text}"));
    }

    private sealed class Iterator(WhereExpression expression, Action<string>? warn, MessageIterator upstream) : MessageIterator
    {
        private readonly Dictionary<EventDecoder, WherePlan> _plans = [];
        private Message[] _kept = new Message[16];
        private EventDecoder? _lastDecoder;
        private WherePlan? _lastPlan;
        private bool _hasWarned;

        public override ArraySegment<Message> Next()
        {
            while (true)
            {
                var batch = upstream.Next();
                if (batch.Count == 0)
                {
                    WarnOfMissing();
                    return batch;
                }
                int count = Keep(batch);
                if (count == batch.Count)
                    return batch;
                if (count > 0)
                    return new ArraySegment<Message>(_kept, 0, count);
            }
        }

        public override void ThrowIfBad() => upstream.ThrowIfBad();

        protected override void Dispose(bool disposing)
        {
            upstream.Dispose();
            base.Dispose(disposing);
        }

        /// <summary>A field that no event has is a slip of the pen more often than a question.</summary>
        private void WarnOfMissing()
        {
            if (warn is null || _hasWarned || _plans.Count == 0)
                return;
            _hasWarned = true;
            foreach (string name in _plans.Values.Select(plan => (IEnumerable<string>)plan.Missing).Aggregate((left, right) => left.Intersect(right)).Order(StringComparer.Ordinal))
                warn($"no event that was read has a field '{name}'");
        }

        private int Keep(ReadOnlySpan<Message> batch)
        {
            if (_kept.Length < batch.Length)
                _kept = new Message[batch.Length];
            int count = 0;
            foreach (ref readonly var message in batch)
            {
                if (message.Kind != MessageKind.Event || FindPlan(in message).Chooses(in message))
                    _kept[count++] = message;
            }
            return count;
        }

        private WherePlan FindPlan(in Message message)
        {
            var decoder = message.Record.Decoder;
            if (ReferenceEquals(decoder, _lastDecoder))
                return _lastPlan!;
            if (!_plans.TryGetValue(decoder, out var plan))
                _plans.Add(decoder, plan = new WherePlan(expression, decoder, message.Stream.Trace));
            (_lastDecoder, _lastPlan) = (decoder, plan);
            return plan;
        }
    }
}
