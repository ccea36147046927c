using System.CommandLine;
using System.Text;
using Weir.Ctf;
using Weir.Graph;

namespace Weir.Cli.Verbs;

/// <summary>Runs work on graphs, with its errors on standard error and the status that says how it went.</summary>
internal static class GraphRun
{
    private const int LostStatus = 3;

    /// <summary>Builds a graph and runs it.</summary>
    /// <param name="verb">The command's verb.</param>
    /// <param name="plan">The graph.</param>
    /// <param name="catalogue">The classes.</param>
    /// <param name="level">How much components say.</param>
    /// <param name="options">How it is run.</param>
    /// <param name="parsed">The command line.</param>
    public static int Execute(string verb, GraphPlan plan, ComponentCatalogue catalogue, LogLevel level, RunOptions options, ParseResult parsed) => Guard(verb, () =>
    {
        options.ApplyTo(plan, parsed);
        int errors = 0;
        using var output = new StandardOutput();
        using var graph = new TraceGraph
        {
            Output = output, Jobs = options.JobsOf(parsed), ReportError = options.KeepsGoing(parsed) ? Count : null, CountsLosses = options.IsStrict(parsed),
        };
        plan.Build(graph, catalogue, level);
        try
        {
            graph.Run();
        }
        finally
        {
            // Whatever a sink has begun ends here, as babeltrace2 ends it.
            if (TerminalColors.AreSupported)
            {
                output.Write(Encoding.UTF8.GetBytes(TerminalColors.Reset));
                Console.Error.Write(TerminalColors.Reset);
            }
        }
        if (level <= LogLevel.Info)
            Report(verb, graph);
        if (graph.LossCount > 0)
            Console.Error.WriteLine($"weir {verb}: events or packets were lost at {graph.LossCount} place{(graph.LossCount == 1 ? "" : "s")} (--strict)");
        return errors > 0 ? 1 : graph.LossCount > 0 ? LostStatus : 0;

        void Count(Exception error)
        {
            errors++;
            Report(verb, error);
        }
    });

    /// <summary>Does something; an error becomes a message and the status 1.</summary>
    public static int Guard(string verb, Func<int> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (IsBrokenPipe(e))
        {
            return 0;
        }
        catch (Exception e) when (e is GraphException or CtfException or PluginException or ComponentParameterException or IOException or UnauthorizedAccessException)
        {
            Report(verb, e);
            return 1;
        }
    }

    /// <summary>Says that the command line is wrong.</summary>
    public static int Refuse(string verb, string problem)
    {
        Console.Error.WriteLine($"weir {verb}: {problem}");
        return 2;
    }

    private static void Report(string verb, TraceGraph graph)
    {
        foreach (var component in graph.Components)
        {
            if (component.Part is DummySink dummy)
                Console.Error.WriteLine($"weir {verb}: {component.Name}: {dummy.EventCount} events");
        }
    }

    /// <summary>Whoever read our output has gone; there is nothing to say and nobody to say it to.</summary>
    private static bool IsBrokenPipe(Exception? e) => e is not null && (e is IOException { HResult: StandardOutput.BrokenPipe } || IsBrokenPipe(e.InnerException));

    private static void Report(string verb, Exception error)
    {
        Console.Error.WriteLine($"weir {verb}: {error.Message}");
        for (var cause = error.InnerException; cause is not null; cause = cause.InnerException)
        {
            if (!error.Message.Contains(cause.Message, StringComparison.Ordinal))
                Console.Error.WriteLine($"  because: {cause.Message}");
        }
    }
}
