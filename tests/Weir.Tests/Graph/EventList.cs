using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Weir.Ctf;
using Weir.Graph;

namespace Weir.Tests.Graph;

/// <summary>An event that a source gave, its fields as text.</summary>
/// <param name="TimeNs">Nanoseconds from the origin.</param>
/// <param name="Name">The class's name.</param>
/// <param name="Fields">Names and values of all contexts and of the payload, outermost only.</param>
internal sealed record ListedEvent(long TimeNs, string Name, Dictionary<string, string> Fields);

/// <summary>Reads all that a source gives, as data to compare.</summary>
internal sealed class EventList
{
    private EventList()
    {
    }

    public List<ListedEvent> Events { get; } = [];

    public List<ulong?> Losses { get; } = [];

    /// <summary>What the source ended with, or null.</summary>
    public TraceReadException? Error { get; private set; }

    public static EventList Read(SourceClass source, string path) => Read(source, new JsonObject { ["inputs"] = new JsonArray(path) });

    public static EventList Read(SourceClass source, JsonObject parameters)
    {
        var list = new EventList();
        try
        {
            using var created = source.Create(new ComponentContext { Name = "source", Parameters = parameters });
            using var messages = created.CreateIterator(0);
            for (var batch = messages.Next(); batch.Count > 0; batch = messages.Next())
            {
                foreach (ref readonly var message in batch.AsSpan())
                    list.Add(in message);
            }
        }
        catch (TraceReadException e)
        {
            list.Error = e;
        }
        return list;
    }

    private unsafe void Add(in Message message)
    {
        if (message.Kind == MessageKind.DiscardedEvents)
            Losses.Add(message.Count);
        if (message.Kind != MessageKind.Event)
            return;
        var decoder = message.Record.Decoder;
        var visitor = new Visitor(decoder.Fields);
        new FieldWalker(decoder.Stream.TraceDecoder).WalkEvent(in message.Record, message.PacketStart, message.Slots, ref visitor);
        Events.Add(new ListedEvent(message.TimeNs, decoder.Class.Name ?? "", visitor.Fields));
    }

    private readonly unsafe struct Visitor(DecodeProgram program) : IFieldVisitor
    {
        private readonly StringBuilder _value = new();
        private readonly Stack<int> _open = new();

        public Dictionary<string, string> Fields { get; } = [];

        public void Integer(int step, ulong value) =>
            Put(step, program.Steps[step].IsSigned ? ((long)value).ToString(CultureInfo.InvariantCulture) : value.ToString(CultureInfo.InvariantCulture));

        public void Real(int step, double value) => Put(step, value.ToString("R", CultureInfo.InvariantCulture));

        public void Text(int step, byte* text, int lengthBytes) => Put(step, Encoding.UTF8.GetString(text, lengthBytes));

        public void BeginStructure(int step) => Begin(step, "{");

        public void EndStructure(int step) => End(step, "}");

        public void BeginArray(int step, ulong length) => Begin(step, "[");

        public void Element(int step, ulong index)
        {
        }

        public void EndArray(int step) => End(step, "]");

        public void BeginVariant(int step)
        {
        }

        public void EndVariant(int step)
        {
        }

        public void Blob(int step, byte* bytes, long lengthBytes) => Put(step, Convert.ToHexString(bytes: new ReadOnlySpan<byte>(bytes, (int)lengthBytes)));

        public void BeginOptional(int step, bool isPresent)
        {
        }

        public void EndOptional(int step)
        {
        }

        private void Put(int step, string value)
        {
            // Depth 1 is a root's member; everything deeper is part of its text.
            if (_open.Count == 1)
                Fields[program.Steps[step].Name] = value;
            else
                _value.Append(_value.Length > 0 && _value[^1] is not ('[' or '{') ? ", " : "").Append(value);
        }

        private void Begin(int step, string bracket)
        {
            if (_open.Count > 0)
                _value.Append(_value.Length > 0 && _value[^1] is not ('[' or '{') ? ", " : "").Append(bracket);
            _open.Push(step);
        }

        private void End(int step, string bracket)
        {
            _open.Pop();
            if (_open.Count == 0)
                return;
            _value.Append(bracket);
            if (_open.Count > 1)
                return;
            Fields[program.Steps[step].Name] = _value.ToString();
            _value.Clear();
        }
    }
}
