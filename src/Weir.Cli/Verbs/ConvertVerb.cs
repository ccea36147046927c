using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Weir.Graph;

namespace Weir.Cli.Verbs;

/// <summary><c>weir convert</c>: any trace to text or another format, with babeltrace2's options.</summary>
internal static class ConvertVerb
{
    private const string Verb = "convert";

    public static Command Create()
    {
        var options = new ConvertOptions();
        var command = new Command(Verb, "Convert traces to text or to another format.");
        options.AddTo(command);
        command.SetAction(parsed => Run(parsed, options));
        return command;
    }

    private static int Run(ParseResult parsed, ConvertOptions options)
    {
        var choices = new ConvertChoices(options);
        string? wrong = ConvertChoices.FindUnknownOption(parsed.GetValue(options.Inputs) ?? []) ?? options.General.Check(parsed) ?? options.Run.Check(parsed) ?? choices.Read(parsed);
        if (wrong is not null)
            return GraphRun.Refuse(Verb, wrong);
        if (choices.WantsMetadata)
            return PrintMetadata(choices);
        if (choices.WantsSessions)
            return PrintSessions(choices);
        return GraphRun.Guard(Verb, () =>
        {
            var catalogue = options.General.LoadCatalogue(parsed);
            var discovery = new ConvertDiscovery(catalogue, choices);
            if (discovery.Find() is not { } sources)
                return 1;
            var plan = choices.CreatePlan(sources, catalogue);
            if (choices.CheckPlan(plan) is { } problem)
                return GraphRun.Refuse(Verb, problem);
            if (!parsed.GetValue(options.RunArgs) && !parsed.GetValue(options.RunArgs0))
                return GraphRun.Execute(Verb, plan, catalogue, options.General.LevelOf(parsed), options.Run, parsed);
            options.Run.ApplyTo(plan, parsed);
            PrintArguments(plan, parsed.GetValue(options.RunArgs0));
            return 0;
        });
    }

    private static void PrintArguments(GraphPlan plan, bool isForXargs)
    {
        var arguments = plan.ToArguments();
        string text = isForXargs ? string.Join('\0', arguments) : string.Join(' ', arguments.Select(GraphPlan.ShellQuote));
        using var output = new StandardOutput();
        output.Write(Encoding.UTF8.GetBytes(text));
    }

    private static int PrintSessions(ConvertChoices choices) => GraphRun.Guard(Verb, () =>
    {
        var sessions = LttngLiveSource.Class.Query!("sessions", new JsonObject { ["url"] = choices.Inputs[0].Path })!.AsArray();
        var text = new StringBuilder();
        foreach (var session in sessions)
        {
            text.Append(CultureInfo.InvariantCulture, $"{session!["url"]} (timer = {session["timer-us"]}, {session["stream-count"]} stream(s), ")
                .Append(CultureInfo.InvariantCulture, $"{session["client-count"]} client(s) connected)\n");
        }
        using Stream output = choices.OutputPath is { } path ? new FileStream(path, FileMode.Create) : new StandardOutput();
        output.Write(Encoding.UTF8.GetBytes(text.ToString()));
        return 0;
    });

    private static int PrintMetadata(ConvertChoices choices)
    {
        if (choices.Inputs is not [var input])
            return GraphRun.Refuse(Verb, $"--output-format=ctf-metadata prints the metadata of one trace: expected one directory, not {choices.Inputs.Count}");
        return GraphRun.Guard(Verb, () =>
        {
            var answer = CtfFsSource.Class.Query!("metadata-info", new JsonObject { ["path"] = input.Path });
            using Stream output = choices.OutputPath is { } path ? new FileStream(path, FileMode.Create) : new StandardOutput();
            output.Write(Encoding.UTF8.GetBytes(answer!["text"]!.GetValue<string>() + "\n"));
            return 0;
        });
    }
}
