using Weir.Graph;

namespace LinesPlugin;

/// <summary>
/// A plug-in: lines of text files, <c>SECONDS[.FRACTION] TEXT</c>, are events.
/// <code>
/// weir convert --plugin-path=samples/LinesPlugin/bin/Release/net10.0 notes.lines
/// weir convert --plugin-path=... notes.lines -c filter.lines.every -p count=10 -c sink.lines.longest
/// </code>
/// </summary>
public sealed class Plugin : IPlugin
{
    public string Name => "lines";

    public string Description => "Lines of text files";

    public IReadOnlyList<ComponentClass> Components { get; } =
    [
        new SourceClass("lines", "file", "Read lines of text files, SECONDS[.FRACTION] TEXT.", LinesSource.Create)
        {
            Help = "inputs=[PATH, ...]  files of lines",
            Recognize = input => input.EndsWith(".lines", StringComparison.Ordinal) && File.Exists(input) ? 0.5 : 0,
        },
        new FilterClass("lines", "every", "Pass on each so-and-so-manieth event.", EveryFilter.Create) { Help = "count=N  how manieth (default: 2)" },
        new SinkClass("lines", "longest", "Print how long the longest text was.", LongestSink.Create) { TakesAnyOrder = true },
    ];
}
