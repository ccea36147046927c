using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using Weir.Ctf;
using Weir.Graph;
using Weir.Sessions;
using Weir.Tracing;
using Recorder = Weir.Sessions.Recorder;

namespace Weir.Cli.Verbs;

/// <summary><c>weir demo</c>: the main job on the sample application, end to end.</summary>
internal static class DemoVerb
{
    private const int ShownLines = 20;

    // Beside this program's own folder, artifacts/weir, where the script that builds it leaves the sample.
    private const string SamplePath = "../../samples/Shop/bin/Release/net10.0/Shop.dll";

    public static Command Create()
    {
        var output = new Option<string?>("--output", "-o") { Description = "The trace's directory, missing or empty (default: a new one for temporary files)", HelpName = "DIR" };
        var verb = new Command("demo", "Record a sample application and show what came of it") { output };
        verb.SetAction(parsed => Run(parsed.GetValue(output)));
        return verb;
    }

    private static int Run(string? output)
    {
        string sample = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, SamplePath));
        if (!File.Exists(sample))
        {
            Console.Error.WriteLine($"weir: {sample}: the sample application is not built; ./weir demo builds it");
            return 1;
        }
        output ??= Path.Combine(Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"weir-demo-{DateTime.Now:yyyyMMdd-HHmmss}"));
        _ = EventRule.TryParse("shop:*", out var rule, out _);
        Console.WriteLine($"$ weir record -o {output} -e '{rule}' -- dotnet Shop.dll");
        try
        {
            using var stopped = new StopRequest();
            var result = Recorder.Record(new RecordingOptions { OutputDirectory = output, Rules = [rule!], Command = ["dotnet", sample] }, stopped);
            if (result.ExitStatus is not 0)
            {
                RecordingReport.Write(result, Console.Error);
                return result.ExitStatus ?? 1;
            }
            ShowEvents(output);
            ShowSummary(result);
            return 0;
        }
        catch (Exception e) when (e is SessionException or CtfException or IOException)
        {
            Console.Error.WriteLine($"weir: {e.Message}");
            return 1;
        }
    }

    /// <summary>The application's events, without the clock's own.</summary>
    private static void ShowEvents(string output)
    {
        string directory = Path.Combine(output, "ust");
        Console.WriteLine();
        Console.WriteLine($"$ weir convert {directory}");
        using var lines = new HeadAndTail(ShownLines);
        using var sink = new PrettySink(lines, Console.Error, new PrettyOptions());
        using var muxer = new Muxer(CtfFsSource.Open([directory], new CtfFsOptions()).CreateIterators());
        for (var batch = muxer.Next(); batch.Count > 0; batch = muxer.Next())
            sink.Consume(batch);
        sink.Flush();
        lines.Print(Console.Out);
    }

    private static void ShowSummary(RecordingResult result)
    {
        var culture = CultureInfo.InvariantCulture;
        var table = new Table().Border(TableBorder.Simple);
        table.AddColumn("event");
        foreach (string name in new[] { "count", "a second", "bytes", "bytes each" })
            table.AddColumn(new TableColumn(name).RightAligned());
        foreach (var item in result.Statistics.Events)
        {
            table.AddRow(
                Markup.Escape(item.Name),
                item.Count.ToString(culture),
                (item.Count / result.Elapsed.TotalSeconds).ToString("0", culture),
                item.Bytes.ToString(culture),
                ((double)item.Bytes / item.Count).ToString("0.0", culture));
        }
        AnsiConsole.Write(table);
        var statistics = result.Statistics;
        Console.WriteLine(string.Create(
            culture, $"events  {statistics.Count} in {result.Elapsed.TotalSeconds:0.0} s, {RecordingReport.Size(statistics.FileBytes)}"));
        Console.WriteLine($"lost    {RecordingReport.DescribeLosses(result)}");
        Console.WriteLine($"cost    {RecordingReport.DescribeCost(result)}");
        Console.WriteLine($"trace   {result.OutputDirectory}");
    }
}
