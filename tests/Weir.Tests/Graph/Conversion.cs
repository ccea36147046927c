using System.Text;
using Weir.Graph;

namespace Weir.Tests.Graph;

/// <summary>A conversion to text as the command does it, with what it said.</summary>
internal sealed class Conversion
{
    public string Text { get; private set; } = "";

    public string Warnings { get; private set; } = "";

    /// <summary>What ended it, or with keep-going everything that was met.</summary>
    public List<TraceReadException> Errors { get; } = [];

    /// <summary>What the source said of indexes.</summary>
    public List<string> Remarks { get; } = [];

    /// <summary>Converts; a range is trimmed, and told to the source only where <paramref name="narrows"/> says so.</summary>
    public static Conversion Run(
        string directory, int jobs = 1, bool keepGoing = false, TimeRange? range = null, bool narrows = true, string? cache = null, PrettyOptions? pretty = null)
    {
        var result = new Conversion();
        var output = new MemoryStream();
        var warnings = new StringWriter();
        var options = new CtfFsOptions { KeepGoing = keepGoing, IndexCacheDirectory = cache, Warn = result.Remarks.Add };
        using (var sink = PrettySink.Create(output, warnings, pretty ?? new PrettyOptions { ClockGmt = true }, null, leaveOpen: true, jobs))
        {
            try
            {
                using var source = CtfFsSource.Open([directory], options);
                if (range is { } wanted && narrows)
                    source.SetRange(wanted);
                var streams = new List<MessageIterator>();
                for (int i = 0; i < source.Outputs.Count; i++)
                    streams.Add(source.CreateIterator(i));
                using var muxer = new Muxer(streams) { KeepsGoing = keepGoing };
                using MessageIterator messages = range is { } trimmed ? new Trimmer(muxer, Bound(trimmed.BeginNs), Bound(trimmed.EndNs), isUtc: true) : muxer;
                MessagePump.Run(messages, sink, keepGoing ? result.Errors.Add : null);
            }
            catch (TraceReadException e)
            {
                result.Errors.Add(e);
            }
        }
        result.Text = Encoding.UTF8.GetString(output.ToArray());
        result.Warnings = warnings.ToString();
        return result;
    }

    /// <summary>All of it, to compare.</summary>
    public override string ToString() => $"{Text}--\n{Warnings}--\n{string.Join('\n', Errors.Select(error => error.Message))}";

    private static TimeBound? Bound(long ns) => ns is long.MaxValue or long.MinValue
        ? null
        : TimeBound.TryParse(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{(ns < 0 ? "-" : "")}{Math.Abs(ns / 1_000_000_000)}.{Math.Abs(ns % 1_000_000_000):D9}"), out var bound)
            ? bound
            : throw new FormatException();
}
