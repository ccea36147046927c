using System.Text.Json;
using System.Text.Json.Nodes;

namespace Weir.Graph;

/// <summary>What <c>sink.text.details</c> shows; the defaults are babeltrace2's.</summary>
public sealed record DetailsOptions
{
    /// <summary>Whether text is coloured.</summary>
    public bool IsColored { get; init; }

    /// <summary>Whether a message takes one line, without its fields.</summary>
    public bool IsCompact { get; init; }

    /// <summary>Whether messages are shown.</summary>
    public bool WithData { get; init; } = true;

    /// <summary>Whether trace classes are shown, each before its first message.</summary>
    public bool WithMetadata { get; init; } = true;

    /// <summary>Whether times of messages are shown.</summary>
    public bool WithTime { get; init; } = true;

    /// <summary>Whether names of traces are shown.</summary>
    public bool WithTraceName { get; init; } = true;

    /// <summary>Whether names of data stream classes are shown.</summary>
    public bool WithStreamClassName { get; init; } = true;

    /// <summary>Whether namespaces of data stream classes are shown.</summary>
    public bool WithStreamClassNamespace { get; init; } = true;

    /// <summary>Whether names of data streams are shown.</summary>
    public bool WithStreamName { get; init; } = true;

    /// <summary>Whether UIDs are shown.</summary>
    public bool WithUid { get; init; } = true;

    /// <summary>The options that a component's parameters stand for.</summary>
    /// <param name="parameters">The parameters.</param>
    /// <param name="isTerminal">Whether the text goes to a terminal that knows colours.</param>
    /// <exception cref="ComponentParameterException">One of them is not known, or is not of its type.</exception>
    public static DetailsOptions FromParameters(JsonObject parameters, bool isTerminal)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        var options = new DetailsOptions { IsColored = isTerminal };
        foreach (var (name, value) in parameters)
        {
            options = name switch
            {
                "color" => options with { IsColored = ReadColor(value, isTerminal) },
                "compact" => options with { IsCompact = ReadBoolean(name, value) },
                "with-data" => options with { WithData = ReadBoolean(name, value) },
                "with-metadata" => options with { WithMetadata = ReadBoolean(name, value) },
                "with-time" => options with { WithTime = ReadBoolean(name, value) },
                "with-trace-name" => options with { WithTraceName = ReadBoolean(name, value) },
                "with-stream-class-name" => options with { WithStreamClassName = ReadBoolean(name, value) },
                "with-stream-class-namespace" => options with { WithStreamClassNamespace = ReadBoolean(name, value) },
                "with-stream-name" => options with { WithStreamName = ReadBoolean(name, value) },
                "with-uid" => options with { WithUid = ReadBoolean(name, value) },
                "with-uuid" => CheckUnused(options, name, value),
                _ => throw new ComponentParameterException($"sink.text.details knows no parameter '{name}'"),
            };
        }
        return options;
    }

    /// <summary>babeltrace2 2.1 shows no UUIDs any more, they are UIDs; the parameter is still there.</summary>
    private static DetailsOptions CheckUnused(DetailsOptions options, string name, JsonNode? value)
    {
        ReadBoolean(name, value);
        return options;
    }

    private static bool ReadBoolean(string name, JsonNode? value) => value?.GetValueKind() switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw new ComponentParameterException($"sink.text.details: expected yes or no as '{name}'"),
    };

    private static bool ReadColor(JsonNode? value, bool isTerminal)
    {
        string? text = value?.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;
        return text switch
        {
            "never" => false,
            "auto" => isTerminal,
            "always" => true,
            _ => throw new ComponentParameterException("sink.text.details: expected never, auto or always as 'color'"),
        };
    }
}
