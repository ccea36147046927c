using System.Text.Json.Nodes;

namespace Weir.Graph;

/// <summary><c>source.ctf.lttng-live</c>: a session that is being recorded, from LTTng's relay daemon.</summary>
public sealed class LttngLiveSource : Source
{
    private readonly LiveUrl _url;
    private readonly LiveSessionMissing _missing;
    private readonly ComponentContext _context;

    private LttngLiveSource(ComponentContext context)
    {
        _context = context;
        _url = ReadInput(context.Parameters);
        if (_url.Session is null)
            throw new ComponentParameterException($"inputs: the session is missing: expected {LiveUrl.Form}");
        _missing = context.Parameters["session-not-found-action"] switch
        {
            null => LiveSessionMissing.Continue,
            JsonValue value when value.TryGetValue(out string? text) && Enum.TryParse(text, ignoreCase: true, out LiveSessionMissing action) => action,
            var other => throw new ComponentParameterException($"session-not-found-action: {other} is not known: expected continue, fail or end"),
        };
    }

    /// <summary>Offers it.</summary>
    public static SourceClass Class { get; } = new("ctf", "lttng-live", "Read a live session from LTTng's relay daemon.", context => new LttngLiveSource(context))
    {
        Help = $"""
            inputs=[URL]                          what to read: {LiveUrl.Form}
            session-not-found-action=ACTION       while the session is not there: continue (wait, the default), fail or end
            retry-duration-us=NUMBER              how long to wait before asking again (default 100000)

            Query object 'sessions' (parameter url or inputs) lists the live sessions of a relay daemon.
            """,
        Query = Answer,
    };

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["out"];

    /// <inheritdoc/>
    public override MessageIterator CreateIterator(int output) => new LttngLiveIterator(_url, _missing, ReadRetry(_context.Parameters), _context.BeforeWait);

    /// <summary>Whether a text is the address of a relay daemon without a session: what can be read from it can be asked with the query.</summary>
    public static bool IsDaemonOnly(string input) => LiveUrl.TryParse(input) is { Session: null };

    private static TimeSpan ReadRetry(JsonObject parameters) => parameters["retry-duration-us"] switch
    {
        null => TimeSpan.FromMilliseconds(100),
        JsonValue value when value.TryGetValue(out long us) && us is >= 0 and <= 3_600_000_000 => TimeSpan.FromMicroseconds(us),
        var other => throw new ComponentParameterException($"retry-duration-us: {other} is no duration: expected microseconds, up to an hour"),
    };

    private static LiveUrl ReadInput(JsonObject parameters)
    {
        string? text = parameters["inputs"] is JsonArray { Count: 1 } inputs ? inputs[0]?.GetValue<string>() : null;
        return text is not null && LiveUrl.TryParse(text) is { } url ? url : throw new ComponentParameterException($"inputs: '{text}' is no relay daemon's session: expected one {LiveUrl.Form}");
    }

    private static JsonArray? Answer(string query, JsonObject parameters)
    {
        if (query != "sessions")
            return null;
        string? text = parameters["url"]?.GetValue<string>();
        text ??= parameters["inputs"] is JsonArray { Count: 1 } inputs ? inputs[0]?.GetValue<string>() : null;
        if (text is null || LiveUrl.TryParse(text) is not { } url)
            throw new ComponentParameterException($"url: '{text}' is no relay daemon: expected {LiveUrl.Form}");
        string daemon = string.Join('/', text.Split('/').Take(3));
        using var connection = ViewerConnection.Open(url);
        return [.. connection.ListSessions().Select(session => (JsonNode)new JsonObject
        {
            // As it was typed, so that it can be typed again.
            ["url"] = $"{daemon}/host/{session.HostName}/{session.Name}",
            ["target-hostname"] = session.HostName,
            ["session-name"] = session.Name,
            ["timer-us"] = session.LiveTimerUs,
            ["stream-count"] = session.Streams,
            ["client-count"] = session.Clients,
        })];
    }
}
