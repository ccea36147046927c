using System.Globalization;
using System.Text;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>Names of the directories and files that <c>sink.ctf.fs</c> writes: those that babeltrace2 would give them.</summary>
internal static class TraceDirectoryName
{
    /// <summary>
    /// Where a trace goes: as LTTng lays recordings out, where its environment says what that takes (since 2.11); else its name; else
    /// <c>trace</c>. Relative, and never out of the directory that it is relative to.
    /// </summary>
    public static string Of(TraceClass trace, string name)
    {
        string path = LttngPath(trace) ?? (string.IsNullOrEmpty(name) ? trace.Name ?? "" : name);
        return Sanitize(path);
    }

    /// <summary>A path that does not exist: with <c>-0</c>, <c>-1</c>, ... at its end where it does.</summary>
    public static string MakeUnique(string path)
    {
        string unique = path;
        for (int number = 0; Path.Exists(unique); number++)
            unique = string.Create(CultureInfo.InvariantCulture, $"{path}-{number}");
        return unique;
    }

    /// <summary>The name of a stream's file that no other file in its trace has; <paramref name="taken"/> takes it.</summary>
    public static string OfStream(string streamName, HashSet<string> taken)
    {
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(streamName)).Replace('\0', '_');
        // Readers pass over hidden files.
        if (name.StartsWith('.'))
            name = name is "." or ".." ? "stream" : "_" + name;
        if (name.Length == 0)
            name = "stream";
        string unique = name;
        for (int number = 0; !taken.Add(unique); number++)
            unique = string.Create(CultureInfo.InvariantCulture, $"{name}-{number}");
        return unique;
    }

    private static string Sanitize(string path)
    {
        var parts = new List<string>();
        foreach (string part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
            parts.Add(part switch { "." => "_", ".." => "__", _ => part.Replace('\0', '_') });
        return parts.Count == 0 ? "trace" : string.Join('/', parts);
    }

    private static string? LttngPath(TraceClass trace)
    {
        if (Text(trace, "tracer_name") is not ("lttng-ust" or "lttng-modules")
            || Number(trace, "tracer_major") is not { } major || Number(trace, "tracer_minor") is not { } minor
            || (major, minor).CompareTo((2, 11)) < 0
            || Text(trace, "hostname") is not { } host || Text(trace, "trace_name") is not { } name
            || Text(trace, "trace_creation_datetime") is not { } created || !IsTime(created)
            || Text(trace, "domain") is not { } domain)
            return null;
        var path = new StringBuilder($"{host}/{name}-{created}/{domain}");
        if (domain == "kernel")
            return path.ToString();
        string? scheme = domain == "ust" ? Text(trace, "tracer_buffering_scheme") : null;
        if (scheme == "uid" && Number(trace, "tracer_buffering_id") is { } uid && Number(trace, "architecture_bit_width") is { } width)
            return path.Append(CultureInfo.InvariantCulture, $"/uid/{uid}/{width}-bit").ToString();
        if (scheme == "pid" && Text(trace, "procname") is { } process && Number(trace, "vpid") is { } pid
            && Text(trace, "vpid_datetime") is { } started && IsTime(started))
            return path.Append(CultureInfo.InvariantCulture, $"/pid/{process}-{pid}-{started}").ToString();
        return null;
    }

    /// <summary>LTTng writes <c>20261123T063544+0000</c>.</summary>
    private static bool IsTime(string text) => DateTime.TryParseExact(
        text.Length == 20 && text[15] is '+' or '-' ? text[..15] : text, ["yyyyMMdd'T'HHmmss", "yyyyMMdd'T'HHmmss'Z'", "yyyy-MM-dd'T'HH:mm:ss'Z'"],
        CultureInfo.InvariantCulture, DateTimeStyles.None, out _);

    private static string? Text(TraceClass trace, string name) => trace.FindEnvironment(name)?.Text;

    private static long? Number(TraceClass trace, string name) => trace.FindEnvironment(name)?.Number;
}
