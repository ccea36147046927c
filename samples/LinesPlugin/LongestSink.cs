using System.Text;
using Weir.Graph;

namespace LinesPlugin;

/// <summary>A sink: the length of an event's fields is known without reading them.</summary>
internal sealed class LongestSink(Stream output) : MessageSink
{
    private long _longest;
    private long _events;

    public static LongestSink Create(ComponentContext context)
    {
        new ParameterReader(context.Parameters).RejectOthers();
        return new LongestSink(context.Output ?? Console.OpenStandardOutput());
    }

    public override void Consume(ReadOnlySpan<Message> batch)
    {
        foreach (ref readonly var message in batch)
        {
            if (message.Kind != MessageKind.Event)
                continue;
            _events++;
            _longest = Math.Max(_longest, ((message.Record.EndBits - message.Record.FieldsBits) / 8) - 1);
        }
    }

    public override void Finish()
    {
        output.Write(Encoding.UTF8.GetBytes($"{_events} events, the longest text has {_longest} bytes\n"));
        output.Flush();
    }
}
