using System.Diagnostics.CodeAnalysis;
using Weir.Graph;
using Weir.Graph.Columns;

namespace Weir.Cli;

/// <summary>The sinks by their short names, for <c>--output-format</c>.</summary>
internal static class OutputFormats
{
    /// <summary>The names.</summary>
    public static IEnumerable<string> Names => Components.OutputFormats.Keys.Concat(ColumnsPlugin.OutputFormats.Keys);

    /// <summary>Finds a sink. Those that write columns come second, so that nothing of them is loaded for the others.</summary>
    public static bool TryFind(string name, [NotNullWhen(true)] out SinkClass? sinkClass) =>
        Components.OutputFormats.TryGetValue(name, out sinkClass) || ColumnsPlugin.OutputFormats.TryGetValue(name, out sinkClass);
}
