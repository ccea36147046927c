using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weir.Graph;

namespace Weir.Cli.Verbs;

/// <summary><c>weir query</c>: asks a class of components about something.</summary>
internal static class QueryVerb
{
    private const string Verb = "query";

    public static Command Create()
    {
        var className = new Argument<string>("KIND.PLUGIN.CLASS") { Description = "The class that is asked." };
        var subject = new Argument<string>("OBJECT") { Description = "What about: babeltrace.support-info, babeltrace.trace-infos, metadata-info, ..." };
        var parameters = new Option<string>("--params", "-p") { Description = "What it needs to know: NAME=VALUE,...", HelpName = "PARAMS" };
        var general = new GeneralOptions();
        var verb = new Command(Verb, "Ask a class of components about something.") { className, subject, parameters };
        general.AddTo(verb);
        verb.SetAction(parsed =>
        {
            JsonObject given;
            try
            {
                given = ParameterText.Parse(parsed.GetValue(parameters) ?? "");
            }
            catch (ComponentParameterException e)
            {
                return GraphRun.Refuse(Verb, $"--params: {e.Message}");
            }
            return GraphRun.Guard(Verb, () =>
            {
                var asked = general.LoadCatalogue(parsed).Find(parsed.GetValue(className)!);
                string about = parsed.GetValue(subject)!;
                if (asked.Query?.Invoke(about, given) is not { } answer)
                    throw new ComponentParameterException($"{asked} knows no '{about}'{(asked.Query is null ? ": it answers no queries" : "")}");
                using var output = new StandardOutput();
                output.Write(Encoding.UTF8.GetBytes(Print(answer)));
                return 0;
            });
        });
        return verb;
    }

    /// <summary>Values as babeltrace2 prints them: a line each, nested ones two spaces further in.</summary>
    internal static string Print(JsonNode? value)
    {
        var text = new StringBuilder();
        Append(text, value, 0, isFirst: true);
        return text.ToString();
    }

    private static void Append(StringBuilder text, JsonNode? value, int indent, bool isFirst)
    {
        switch (value)
        {
            case JsonArray { Count: 0 }:
                text.Append("[ ]\n");
                break;
            case JsonObject { Count: 0 }:
                text.Append("{ }\n");
                break;
            case JsonArray array:
                text.Append(isFirst ? "" : "\n");
                foreach (var item in array)
                {
                    text.Append(' ', indent).Append("- ");
                    Append(text, item, indent + 2, isFirst: false);
                }
                break;
            case JsonObject map:
                text.Append(isFirst ? "" : "\n");
                foreach (var (name, item) in map)
                {
                    text.Append(' ', indent).Append(name).Append(": ");
                    Append(text, item, indent + 2, isFirst: false);
                }
                break;
            default:
                text.Append(PrintPlain(value)).Append('\n');
                break;
        }
    }

    private static string PrintPlain(JsonNode? value) => value?.GetValueKind() switch
    {
        null => "null",
        JsonValueKind.True => "yes",
        JsonValueKind.False => "no",
        JsonValueKind.String => value.GetValue<string>(),
        _ when value is JsonValue number && number.TryGetValue(out double real) && !number.TryGetValue(out long _) && !number.TryGetValue(out ulong _) =>
            real.ToString("F6", CultureInfo.InvariantCulture),
        _ => value.ToJsonString(),
    };
}
