using System.CommandLine;
using System.Globalization;
using Weir.Graph;
using Weir.Kernel;
using Weir.Sessions;
using Weir.Tracing;

namespace Weir.Cli.Verbs;

/// <summary><c>weir recover</c>: a trace out of buffers that nobody drains any more.</summary>
internal static class RecoverVerb
{
    private const int FailedStatus = 1;

    public static Command Create()
    {
        var source = new Argument<string>("source")
        {
            Description = "The directory, or the name, of a session whose recorder was killed; or an instance of the kernel's tracer that outlived a panic (docs/kernel.md)",
            HelpName = "DIR|INSTANCE",
        };
        var output = new Option<string?>("--output", "-o") { Description = "The trace's directory, missing or empty (default: recovered-NAME here)", HelpName = "DIR" };
        var clock = new Option<string?>("--trace-clock") { Description = "The trace clock of an instance's events, where a boot has set it back since (default: the one it has)", HelpName = "NAME" };
        var verb = new Command("recover", "Make a trace of what a killed recorder, or a panic, left in buffers") { source, output, clock };
        verb.SetAction(parsed =>
        {
            string from = parsed.GetValue(source)!;
            string to = parsed.GetValue(output) ?? $"recovered-{Path.GetFileName(Path.TrimEndingDirectorySeparator(from))}";
            try
            {
                Recover(from, to, parsed.GetValue(clock));
                return 0;
            }
            catch (Exception e) when (e is SessionException or KernelException or TraceWriteException)
            {
                Console.Error.WriteLine($"weir: {e.Message}");
                return FailedStatus;
            }
        });
        return verb;
    }

    private static void Recover(string from, string to, string? clock)
    {
        bool isNew = Recorder.PrepareOutput(to);
        try
        {
            string? session = new[] { from, Path.Combine(SessionHome.Path, from) }.FirstOrDefault(path => File.Exists(Path.Combine(path, SessionDescription.FileName)));
            if (session is not null)
            {
                var result = SessionRecovery.Recover(session, to);
                Write(result.Problems, result.Statistics.Count, result.Statistics.FileBytes, result.Losses.Events, to);
                return;
            }
            if (Directory.Exists(from) && !IsInstance(from))
                throw new SessionException($"{from}: no session: it has no file '{SessionDescription.FileName}'; sessions are in {SessionHome.Path}");
            var kernel = KernelRecovery.Recover(Path.GetFileName(Path.TrimEndingDirectorySeparator(from)), to, clock);
            Write(kernel.Problems, kernel.Events.Aggregate(0UL, (sum, item) => sum + item.Count), kernel.FileBytes, kernel.Lost + kernel.NotWritten, to);
        }
        catch when (isNew && !Directory.EnumerateFileSystemEntries(to).Any())
        {
            Directory.Delete(to);
            throw;
        }
    }

    private static bool IsInstance(string directory) => File.Exists(Path.Combine(directory, "tracing_on"));

    private static void Write(IEnumerable<string> problems, ulong events, long bytes, ulong lost, string directory)
    {
        foreach (string problem in problems)
            Console.Error.WriteLine($"weir: warning: {problem}");
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"weir: recovered {events} events ({RecordingReport.Size(bytes)})"));
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"weir: lost {lost} events"));
        Console.Error.WriteLine($"weir: trace in {directory}");
    }
}
