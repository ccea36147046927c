using System.Text.Json.Nodes;

namespace Weir.Graph;

/// <summary><c>source.ctf.lttng-live</c>: a session that is being recorded, from LTTng's relay daemon.</summary>
public sealed class LttngLiveSource : Source
{
    private readonly LiveUrl _url;
    private readonly LiveSessionMissing _missing;
    private readonly TimeSpan _retry;
    private readonly ClockAdjustment _clocks;
    private readonly Action? _beforeWait;

    private LttngLiveSource(ComponentContext context)
    {
        _beforeWait = context.BeforeWait;
        var parameters = new ParameterReader(context.Parameters);
        _url = ReadInput(parameters);
        if (_url.Session is null)
            throw new ComponentParameterException($"inputs: the session is missing: expected {LiveUrl.Form}");
        _missing = Enum.Parse<LiveSessionMissing>(parameters.OneOf("session-not-found-action", "continue", "fail", "end"), ignoreCase: true);
        long retryUs = parameters.Integer("retry-duration-us", 100_000);
        if (retryUs is < 0 or > 3_600_000_000)
            throw new ComponentParameterException($"the parameter 'retry-duration-us' is {retryUs}: expected microseconds, up to an hour");
        _retry = TimeSpan.FromMicroseconds(retryUs);
        _clocks = ClockAdjustment.Read(parameters);
        parameters.RejectOthers();
    }

    /// <summary>Offers it.</summary>
    public static SourceClass Class { get; } = new("ctf", "lttng-live", "Read a live session from LTTng's relay daemon.", context => new LttngLiveSource(context))
    {
        Help = $"""
            inputs=[URL]                          what to read: {LiveUrl.Form}
            session-not-found-action=ACTION       while the session is not there: continue (wait, the default), fail or end
            retry-duration-us=NUMBER              how long to wait before asking again (default 100000)
            {ClockAdjustment.Help}

            Query object 'sessions' (parameter url or inputs) lists the live sessions of a relay daemon.
            """,
        AdjustsClocks = true,
        Query = Answer,
    };

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["out"];

    /// <inheritdoc/>
    public override MessageIterator CreateIterator(int output) => new LttngLiveIterator(_url, _missing, _retry, _clocks, _beforeWait);

    /// <summary>Whether a text is the address of a relay daemon without a session: what can be read from it can be asked with the query.</summary>
    public static bool IsDaemonOnly(string input) => LiveUrl.TryParse(input) is { Session: null };

    private static LiveUrl ReadInput(ParameterReader parameters)
    {
        string? text = parameters.Texts("inputs") is [var only] ? only : null;
        return text is not null && LiveUrl.TryParse(text) is { } url ? url : throw new ComponentParameterException($"inputs: '{text}' is no relay daemon's session: expected one {LiveUrl.Form}");
    }

    private static JsonArray? Answer(string query, JsonObject parameters)
    {
        if (query != "sessions")
            return null;
        var given = new ParameterReader(parameters);
        string? text = given.Text("url") ?? (given.Texts("inputs") is [var only] ? only : null);
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
