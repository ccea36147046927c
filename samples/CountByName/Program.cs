// Counts the events of traces by their names: a graph that is built in code, with a sink of its own.
//
//   dotnet run --project samples/CountByName -- DIRECTORY... [--where EXPRESSION]

using Weir.Graph;

int where = Array.IndexOf(args, "--where");
string[] inputs = where < 0 ? args : [.. args[..where], .. args[Math.Min(where + 2, args.Length)..]];
if (inputs.Length == 0 || where == args.Length - 1)
{
    Console.Error.WriteLine("CountByName: expected directories with traces");
    return 2;
}
try
{
    using var graph = new TraceGraph();
    var counts = new NameCounts();
    // The sum is the same in any order, so the streams need not be merged by time.
    var sink = graph.Add("counts", counts, takesAnyOrder: true);
    var unknown = new List<string>();
    foreach (var (found, i) in new SourceDiscovery(Components.All).Discover(inputs, unknown).Select((found, i) => (found, i)))
    {
        var source = graph.Add($"source {i}", found.Class, found.CreateParameters());
        if (where < 0)
        {
            graph.Connect(source, sink);
            continue;
        }
        // A filter has one input: each stream gets its own.
        foreach (var (output, j) in source.Outputs.Select((output, j) => (output, j)))
        {
            var filter = graph.Add($"where {i}.{j}", WhereFilter.Parse(args[where + 1]));
            graph.Connect(source, filter, outputs: PortPattern.Escape(output));
            graph.Connect(filter, sink);
        }
    }
    foreach (string input in unknown)
        Console.Error.WriteLine($"CountByName: {input}: no trace is here");
    graph.Run();
    foreach (var (name, count) in counts.ByName)
        Console.WriteLine($"{count,10} {name}");
    return unknown.Count == 0 ? 0 : 1;
}
catch (Exception e) when (e is GraphException or ComponentParameterException)
{
    Console.Error.WriteLine($"CountByName: {e.Message}");
    return 1;
}

/// <summary>A sink: it takes batches, whose messages are valid until it returns.</summary>
internal sealed class NameCounts : MessageSink
{
    public SortedDictionary<string, long> ByName { get; } = new(StringComparer.Ordinal);

    public override void Consume(ReadOnlySpan<Message> batch)
    {
        foreach (ref readonly var message in batch)
        {
            if (message.Kind != MessageKind.Event)
                continue;
            string name = message.Record.Decoder.Class.Name ?? "(no name)";
            ByName[name] = ByName.GetValueOrDefault(name) + 1;
        }
    }
}
