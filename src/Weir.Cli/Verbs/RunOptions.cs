using System.CommandLine;
using Weir.Graph;

namespace Weir.Cli.Verbs;

/// <summary>The options of the verbs that run a graph: how it is run, and what its status says.</summary>
internal sealed class RunOptions
{
    private readonly Option<long?> _retryDuration = new("--retry-duration") { Description = "Microseconds until a source that has nothing yet is asked again.", HelpName = "DUR" };

    private readonly Option<int> _jobs = new("--jobs", "-j")
    {
        Description = "Use so many cores (default: all). The output is the same.", HelpName = "N", DefaultValueFactory = _ => Environment.ProcessorCount,
    };

    private readonly Option<bool> _keepGoing = new("--keep-going") { Description = "Go on behind what is bad: with the other streams, and with the next packet where it is known where that begins." };
    private readonly Option<bool> _strict = new("--strict") { Description = "Exit with status 3 when the traces tell of lost events or packets." };

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _retryDuration, _jobs, _keepGoing, _strict })
            command.Add(option);
    }

    /// <summary>How many cores to use.</summary>
    public int JobsOf(ParseResult parsed) => parsed.GetValue(_jobs);

    /// <summary>Whether errors of traces are reported one after the other, and end nothing.</summary>
    public bool KeepsGoing(ParseResult parsed) => parsed.GetValue(_keepGoing);

    /// <summary>Whether losses make a status of their own.</summary>
    public bool IsStrict(ParseResult parsed) => parsed.GetValue(_strict);

    /// <summary>What is wrong with them, or null.</summary>
    public string? Check(ParseResult parsed)
    {
        if (parsed.GetValue(_jobs) < 1)
            return $"--jobs: '{parsed.GetValue(_jobs)}' is no number of cores: expected 1 or more";
        return parsed.GetValue(_retryDuration) < 0 ? $"--retry-duration: '{parsed.GetValue(_retryDuration)}' is no duration: expected microseconds, 0 or more" : null;
    }

    /// <summary>Tells those components of it that have a parameter for it, unless they were told themselves.</summary>
    public void ApplyTo(GraphPlan plan, ParseResult parsed)
    {
        foreach (var component in plan.Components)
        {
            if (parsed.GetValue(_keepGoing) && (component.IsOf(CtfFsSource.Class) || component.IsOf(Muxer.Class)))
                component.AddFirst("keep-going=yes");
            if (parsed.GetValue(_retryDuration) is { } retryUs && component.IsOf(LttngLiveSource.Class))
                component.AddFirst($"retry-duration-us={retryUs}");
        }
    }
}
