using System.Text.Json.Nodes;

namespace Weir.Graph;

/// <summary>The parameters of <c>source.ctf.fs</c>, named as babeltrace2's.</summary>
internal static class CtfFsParameters
{
    public const string Help = $"""
        inputs=[PATH, ...]                        directories with traces
        {ClockAdjustment.Help}
        trace-name=NAME                           what a trace's name says after its host
        stream-intersection=yes                   only the time that all streams of a trace have in common
        keep-going=yes                            go on behind what is bad: with the next packet, where it is known where that begins
        index-cache=no                            keep no index of large streams that have none
        """;

    public static CtfFsSource Create(ComponentContext context) =>
        Open(context.Parameters, context.LogLevel <= LogLevel.Warning ? warning => context.Log.WriteLine($"[warning] {warning}") : null);

    public static CtfFsSource Open(JsonObject given, Action<string>? warn)
    {
        var parameters = new ParameterReader(given);
        var inputs = parameters.Paths("inputs", "directories");
        var options = new CtfFsOptions
        {
            Clocks = ClockAdjustment.Read(parameters),
            TraceName = parameters.Text("trace-name"),
            IsIntersection = parameters.Flag("stream-intersection"),
            KeepGoing = parameters.Flag("keep-going"),
            IndexCacheDirectory = parameters.Flag("index-cache", true) ? CtfFsOptions.DefaultIndexCacheDirectory : null,
            Warn = warn,
        };
        parameters.RejectOthers();
        return CtfFsSource.Open(inputs, options);
    }

    /// <summary>A directory with a file <c>metadata</c> is a trace, whatever that file holds.</summary>
    public static double Recognize(string input) => File.Exists(Path.Combine(input, CtfFsTrace.MetadataFileName)) ? 0.75 : 0;

    /// <summary>What tells the trace from others. What is wrong with the metadata is said when the trace is opened.</summary>
    public static string? Group(string input)
    {
        try
        {
            return CtfFsSource.GroupOf(CtfFsTrace.Open(input, input, null).Class);
        }
        catch (TraceReadException)
        {
            return null;
        }
    }
}
