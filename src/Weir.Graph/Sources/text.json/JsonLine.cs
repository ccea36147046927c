using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Weir.Graph;

/// <summary>A line of JSON: an event or a loss, as <c>sink.text.json</c> writes them.</summary>
internal readonly struct JsonLine
{
    /// <summary>Keys beside the event's own values that say what it belongs to.</summary>
    private static readonly string[] s_streamKeys = ["trace", "hostname", "procname", "vpid", "stream_class", "stream"];

    private JsonLine(JsonElement root) => Root = root;

    public JsonElement Root { get; }

    /// <summary>The event's name, or null for a loss.</summary>
    public string? Name => FindText("name");

    /// <summary>What kind of loss it is, or null.</summary>
    public string? LossKind => FindText("kind");

    /// <summary>Nanoseconds from the clock's origin, or null.</summary>
    public long? TimeNs => FindTime("time", "date");

    public long? EndTimeNs => FindTime("end_time", "end_date");

    public bool IsAbsolute => Root.TryGetProperty("date", out _) || (Root.TryGetProperty("time", out var time) && time.ValueKind == JsonValueKind.String);

    /// <summary>Reads a line.</summary>
    /// <exception cref="TraceReadException">It is none.</exception>
    public static JsonLine Read(JsonDocument document, LineReader lines)
    {
        var line = new JsonLine(document.RootElement);
        if (line.Root.ValueKind != JsonValueKind.Object)
            throw lines.Error("expected a JSON object");
        if (line.Name is null && line.LossKind is not ("discarded_events" or "discarded_packets"))
            throw lines.Error("expected an event with a 'name', or a 'kind': discarded_events or discarded_packets");
        foreach (string key in (ReadOnlySpan<string>)["packet", "context", "specific_context", "fields"])
        {
            if (line.Root.TryGetProperty(key, out var value) && value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Null))
                throw lines.Error($"'{key}' is no object");
        }
        foreach (string key in (ReadOnlySpan<string>)["time", "end_time"])
        {
            if (line.Root.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null && line.FindTime(key, key) is null)
                throw lines.Error($"'{key}' is no time: expected nanoseconds or a date");
        }
        return line;
    }

    /// <summary>An object of the line, or null.</summary>
    public JsonElement? FindObject(string key) =>
        Root.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.Object ? value : null;

    public string? FindText(string key) =>
        Root.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    public long? FindInteger(string key) =>
        Root.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) ? number : null;

    /// <summary>Text that lines of one stream have in common.</summary>
    public string OriginKey()
    {
        var text = new StringBuilder();
        foreach (string key in s_streamKeys)
            text.Append(Root.TryGetProperty(key, out var value) ? value.GetRawText() : "").Append('\n');
        return text.ToString();
    }

    private long? FindTime(string key, string dateKey)
    {
        if (FindInteger(key) is { } time)
            return time;
        string? text = FindText(key) ?? FindText(dateKey);
        if (text is null)
            return null;
        // A date has digits to 100 ns, and is rounded; what is finer stands in the text.
        int end = text.IndexOf('.', StringComparison.Ordinal) + 1;
        int digits = end == 0 ? 0 : text.AsSpan(end).IndexOfAnyExceptInRange('0', '9') is >= 0 and var count ? count : text.Length - end;
        long rest = 0;
        if (digits > 7)
        {
            rest = int.Parse(text.AsSpan(end + 7, digits - 7).ToString().PadRight(2, '0')[..2], CultureInfo.InvariantCulture);
            text = text.Remove(end + 7, digits - 7);
        }
        if (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date))
            return null;
        long ticks = (date.UtcDateTime - DateTime.UnixEpoch).Ticks;
        if (Math.Abs(ticks) > (long.MaxValue / 100) - 1)
            return null;
        return (ticks * 100) + rest;
    }
}
