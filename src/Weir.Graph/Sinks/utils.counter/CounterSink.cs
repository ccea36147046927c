namespace Weir.Graph;

/// <summary>
/// <c>sink.utils.counter</c>: counts messages by kind and prints the counts, in the end and each time that so many have come. The text is
/// babeltrace2's.
/// </summary>
public sealed class CounterSink : MessageSink
{
    /// <summary>babeltrace2 looks at the step after each batch, and its batches are of this many messages.</summary>
    private const int BatchLength = 15;

    private const ulong DefaultStep = 10_000;

    // In the order in which they are printed.
    private static readonly (MessageKind Kind, string Name)[] s_lines =
    [
        (MessageKind.Event, "Event"),
        (MessageKind.StreamBeginning, "Stream beginning"),
        (MessageKind.StreamEnd, "Stream end"),
        (MessageKind.PacketBeginning, "Packet beginning"),
        (MessageKind.PacketEnd, "Packet end"),
        (MessageKind.DiscardedEvents, "Discarded event"),
        (MessageKind.DiscardedPackets, "Discarded packet"),
        (MessageKind.Inactivity, "Message iterator inactivity"),
    ];

    private readonly SinkOutput _output;
    private readonly TextBuffer _text = new();
    private readonly ulong[] _counts = new ulong[s_lines.Length];
    private readonly ulong _step;
    private readonly bool _hidesZero;
    private ulong _total;
    private ulong? _printedTotal;
    private ulong _sinceStep;
    private int _inBatch;

    private CounterSink(SinkOutput output, ulong step, bool hidesZero)
    {
        _output = output;
        _step = step;
        _hidesZero = hidesZero;
    }

    /// <summary>Offers it.</summary>
    public static SinkClass Class { get; } = new("utils", "counter", "Count messages and print the counts.", Create)
    {
        Help = """
            step=+N         print the counts also after each N messages or a few more; +0: only in the end; 10,000 if not given
            hide-zero=yes   do not print kinds of which there are none
            path=PATH       write to this file instead of standard output
            """,
        TakesAnyOrderWith = parameters => new ParameterReader(parameters).Integer("step", (long)DefaultStep) == 0,
    };

    /// <inheritdoc/>
    public override void Consume(ReadOnlySpan<Message> batch)
    {
        foreach (ref readonly var message in batch)
        {
            if (message.Kind == MessageKind.EventRun)
            {
                ulong count = message.Count.GetValueOrDefault();
                _counts[(int)MessageKind.Event] += count;
                _total += count;
                continue;
            }
            _counts[(int)message.Kind]++;
            _total++;
            if (++_inBatch == BatchLength)
                EndBatch();
        }
    }

    /// <summary>Steps are counted in messages.</summary>
    public override bool TakesRuns(DataStream stream) => _step == 0;

    /// <inheritdoc/>
    public override void Flush() => _output.Stream.Flush();

    /// <inheritdoc/>
    public override void Finish()
    {
        if (_inBatch > 0)
            EndBatch();
        if (_printedTotal != _total)
            Print();
        WriteOut();
        Flush();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _output.Dispose();
        base.Dispose(disposing);
    }

    private static CounterSink Create(ComponentContext context)
    {
        var parameters = new ParameterReader(context.Parameters);
        long step = parameters.Integer("step", (long)DefaultStep);
        bool hidesZero = parameters.Flag("hide-zero");
        string? path = parameters.Path("path");
        parameters.RejectOthers();
        if (step < 0)
            throw new ComponentParameterException($"the parameter 'step' is {step}: expected an integer from 0");
        return new CounterSink(SinkOutput.Open(path, context), (ulong)step, hidesZero);
    }

    private void EndBatch()
    {
        _sinceStep += (ulong)_inBatch;
        _inBatch = 0;
        if (_step == 0 || _sinceStep < _step)
            return;
        _sinceStep = 0;
        Print();
        _text.Append((byte)'\n');
        WriteOut();
    }

    private void Print()
    {
        foreach (var (kind, name) in s_lines)
        {
            ulong count = _counts[(int)kind];
            if (count > 0 || !_hidesZero)
                _text.Append($"{count,15} {name} message{(count == 1 ? "" : "s")}\n");
        }
        _text.Append($"{_total,15} message{(_total == 1 ? "" : "s")} (TOTAL)\n");
        _printedTotal = _total;
    }

    private void WriteOut()
    {
        _output.Stream.Write(_text.Written);
        _text.Clear();
    }
}
