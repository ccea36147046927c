using System.CommandLine;
using System.Text.Json.Nodes;
using Weir.Graph;

namespace Weir.Cli.Verbs;

/// <summary><c>weir run</c>: any graph, component by component and connection by connection.</summary>
internal static class RunVerb
{
    private const string Verb = "run";

    public static Command Create()
    {
        var component = new Option<string[]>("--component", "-c") { Description = "Add a component.", HelpName = "NAME:KIND.PLUGIN.CLASS" };
        var connect = new Option<string[]>("--connect", "-x") { Description = "Connect two components, UPSTREAM[.PORT]:DOWNSTREAM[.PORT]; in ports * stands for anything.", HelpName = "CONNECTION" };
        var parameters = new Option<string[]>("--params", "-p") { Description = "Parameters of the component before, NAME=VALUE,...", HelpName = "PARAMS" };
        var baseParameters = new Option<string[]>("--base-params", "-b") { Description = "Parameters of all components after.", HelpName = "PARAMS" };
        var reset = new Option<bool>("--reset-base-params", "-r") { Description = "No more of these." };
        var level = new Option<string[]>("--log-level", "-l") { Description = "How much the component before says: N, F, E, W, I, D or T.", HelpName = "LEVEL" };
        var options = new RunOptions();
        var general = new GeneralOptions();
        var verb = new Command(Verb, "Build a graph and run it.") { component, connect, parameters, baseParameters, reset, level };
        options.AddTo(verb);
        general.AddTo(verb);
        verb.SetAction(parsed =>
        {
            var plan = new GraphPlan();
            string? wrong = general.Check(parsed) ?? options.Check(parsed) ?? Read(parsed);
            return wrong is not null ? GraphRun.Refuse(Verb, wrong) : GraphRun.Guard(Verb, () => GraphRun.Execute(Verb, plan, general.LoadCatalogue(parsed), general.LevelOf(parsed), options, parsed));

            string? Read(ParseResult arguments)
            {
                PlannedComponent? current = null;
                JsonObject defaults = [];
                foreach (var (option, value) in OrderedArguments.Read(arguments))
                {
                    string? wrong = null;
                    if (option == component)
                        wrong = AddComponent(plan, value, defaults, out current);
                    else if (option == connect)
                        plan.Connections.Add(value);
                    else if (option == parameters)
                        wrong = TakeParameters(current, value);
                    else if (option == baseParameters)
                        wrong = TakeDefaults(ref defaults, value);
                    else if (option == reset)
                        defaults = [];
                    else if (option == level)
                        wrong = TakeLevel(current, value);
                    if (wrong is not null)
                        return wrong;
                }
                return plan.Components.Count == 0 ? "the graph has no components: expected --component (weir run --help)" : null;
            }
        });
        return verb;
    }

    private static string? AddComponent(GraphPlan plan, string value, JsonObject defaults, out PlannedComponent? component)
    {
        component = OrderedArguments.ParseComponent(value);
        if (component is null)
            return $"--component: '{value}' names no class of components: expected NAME:source.PLUGIN.CLASS, filter... or sink...";
        string name = component.Name;
        if (plan.Components.Exists(other => other.Name == name))
            return $"--component: two components have the name '{name}'";
        plan.Add(component, defaults);
        return null;
    }

    private static string? TakeParameters(PlannedComponent? component, string value)
    {
        if (component is null)
            return "--params: there is no component before: expected --component first";
        try
        {
            ParameterText.Parse(value);
            component.Add(value);
            return null;
        }
        catch (ComponentParameterException e)
        {
            return $"--params: {e.Message}";
        }
    }

    private static string? TakeDefaults(ref JsonObject defaults, string value)
    {
        try
        {
            defaults = ParameterText.Parse(value);
            return null;
        }
        catch (ComponentParameterException e)
        {
            return $"--base-params: {e.Message}";
        }
    }

    private static string? TakeLevel(PlannedComponent? component, string value)
    {
        if (OrderedArguments.ParseLogLevel(value) is not { } level)
            return $"--log-level: '{value}' is not known: expected N, F, E, W, I, D or T";
        if (component is null)
            return "--log-level: there is no component before: expected --component first";
        component.Say(level, value);
        return null;
    }
}
