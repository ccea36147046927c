using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using Weir.Clock;
using Weir.Ring;

namespace Weir.Tracing;

/// <summary>Which processes a session records.</summary>
public enum SessionScope
{
    /// <summary>Every process that finds the session.</summary>
    All,

    /// <summary>Processes whose environment names it: a command and its descendants.</summary>
    Descendants,
}

/// <summary>
/// What applications need to know of a session, in its file <c>session</c>: lines of a key, a space and a value, replaced as a whole by
/// renaming. Immutable.
/// <code>
/// weir-session 1            first line: the format's version
/// state started|stopped
/// scope all|descendants
/// owner PID                 the process without which the session is over; 0 for none
/// clock counter|monotonic
/// frequency HZ              offset-seconds S, offset-cycles C: the clock class, as measured when the session began
/// packet-bytes N            packet-count N
/// event RULE                any number, in order
/// </code>
/// </summary>
public sealed record SessionDescription
{
    /// <summary>The file's name in the session's directory.</summary>
    public const string FileName = "session";

    /// <summary>The directory, or a link to it, in which each process makes its buffers.</summary>
    public const string BuffersName = "buffers";

    /// <summary>The file of the word by which writers wake the session's consumer when a packet is complete.</summary>
    public const string WakeName = "wake";

    private const string FirstLine = "weir-session 1";
    private const int MaxFileBytes = 1 << 20;

    // A record is held against each of them.
    private const int MaxRules = 1000;

    /// <summary>Whether events are recorded now.</summary>
    public bool IsStarted { get; init; } = true;

    /// <summary>Which processes it records.</summary>
    public SessionScope Scope { get; init; }

    /// <summary>The process whose end ends the session, or 0.</summary>
    public int OwnerProcessId { get; init; }

    /// <summary>The clock of its records.</summary>
    public ClockKind Clock { get; init; }

    /// <summary>The clock class.</summary>
    public ClockCorrelation Correlation { get; init; }

    /// <summary>Bytes of a packet.</summary>
    public int PacketBytes { get; init; }

    /// <summary>Packets of each CPU.</summary>
    public int PacketCount { get; init; }

    /// <summary>What it records; an event that any rule chooses.</summary>
    public IReadOnlyList<EventRule> Rules { get; init; } = [];

    /// <summary>Writes the file, all of it or nothing.</summary>
    public void Write(string sessionDirectory)
    {
        var text = new StringBuilder();
        text.Append(FirstLine).Append('\n');
        void Line(string key, object value) => text.Append(CultureInfo.InvariantCulture, $"{key} {value}\n");
        Line("state", IsStarted ? "started" : "stopped");
        Line("scope", Scope == SessionScope.All ? "all" : "descendants");
        Line("owner", OwnerProcessId);
        Line("clock", Clock == ClockKind.Counter ? "counter" : "monotonic");
        Line("frequency", Correlation.FrequencyHz);
        Line("offset-seconds", Correlation.OffsetSeconds);
        Line("offset-cycles", Correlation.OffsetCycles);
        Line("packet-bytes", PacketBytes);
        Line("packet-count", PacketCount);
        foreach (var rule in Rules)
            Line("event", rule.Text.ReplaceLineEndings(" "));
        string path = Path.Combine(sessionDirectory, FileName);
        string temporary = path + ".new";
        File.WriteAllText(temporary, text.ToString());
        if (SessionHome.IsForEveryone)
            SessionHome.SetMode(temporary, SessionHome.ReadableFile);
        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>Whether the process lives without which the session is over.</summary>
    internal bool IsOwnerAlive(string sessionDirectory) =>
        OwnerProcessId == 0 || (LifeLock.IsHeld(sessionDirectory) ?? Directory.Exists($"/proc/{OwnerProcessId}"));

    /// <summary>Reads a session's file.</summary>
    /// <param name="sessionDirectory">The session's directory.</param>
    /// <param name="description">The description, where it is one.</param>
    /// <param name="error">File, line and cause, where it is none.</param>
    public static bool TryRead(
        string sessionDirectory, [NotNullWhen(true)] out SessionDescription? description, [NotNullWhen(false)] out string? error)
    {
        string path = Path.Combine(sessionDirectory, FileName);
        description = null;
        try
        {
            if (SmallFile.Read(path, MaxFileBytes) is { } bytes)
                return TryParse(path, Encoding.UTF8.GetString(bytes).Split('\n', StringSplitOptions.TrimEntries), out description, out error);
            error = $"{path}: empty, or larger than {MaxFileBytes} bytes: not a session's file";
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            error = $"{path}: {e.Message}";
            return false;
        }
    }

    private static bool TryParse(
        string path, string[] lines, [NotNullWhen(true)] out SessionDescription? description, [NotNullWhen(false)] out string? error)
    {
        description = null;
        if (lines.Length == 0 || lines[0] != FirstLine)
        {
            error = $"{path}: line 1: expected '{FirstLine}': not a session of this version";
            return false;
        }
        var result = new SessionDescription();
        var rules = new List<EventRule>();
        for (int i = 1; i < lines.Length; i++)
        {
            if (lines[i].Length == 0)
                continue;
            int space = lines[i].IndexOf(' ');
            string key = space < 0 ? lines[i] : lines[i][..space];
            string value = space < 0 ? "" : lines[i][(space + 1)..];
            if (key == "event")
            {
                if (!EventRule.TryParse(value, out var rule, out string? wrong))
                {
                    error = $"{path}: line {i + 1}: {wrong}";
                    return false;
                }
                if (rules.Count == MaxRules)
                {
                    error = $"{path}: line {i + 1}: more than {MaxRules} rules";
                    return false;
                }
                rules.Add(rule);
            }
            else if (Apply(result, key, value) is { } applied)
                result = applied;
            else
            {
                error = $"{path}: line {i + 1}: '{value}' is no value for '{key}'";
                return false;
            }
        }
        if (!StreamLayout.IsValidGeometry(result.PacketBytes, result.PacketCount) || result.Correlation.FrequencyHz == 0)
        {
            error = $"{path}: no usable buffer size or clock frequency";
            return false;
        }
        description = result with { Rules = rules };
        error = null;
        return true;
    }

    /// <summary>The description with one more line applied; null where the value is wrong. Unknown keys are for later versions.</summary>
    private static SessionDescription? Apply(SessionDescription session, string key, string value)
    {
        var culture = CultureInfo.InvariantCulture;
        var clock = session.Correlation;
        switch (key)
        {
            case "state":
                return value is "started" or "stopped" ? session with { IsStarted = value == "started" } : null;
            case "scope":
                return value is "all" or "descendants" ? session with { Scope = value == "all" ? SessionScope.All : SessionScope.Descendants } : null;
            case "clock":
                return value is "counter" or "monotonic" ? session with { Clock = value == "counter" ? ClockKind.Counter : ClockKind.Monotonic } : null;
            case "owner":
                return int.TryParse(value, culture, out int owner) ? session with { OwnerProcessId = owner } : null;
            case "frequency":
                return ulong.TryParse(value, culture, out ulong hz) ? session with { Correlation = clock with { FrequencyHz = hz } } : null;
            case "offset-seconds":
                return long.TryParse(value, culture, out long seconds) ? session with { Correlation = clock with { OffsetSeconds = seconds } } : null;
            case "offset-cycles":
                return ulong.TryParse(value, culture, out ulong cycles) ? session with { Correlation = clock with { OffsetCycles = cycles } } : null;
            case "packet-bytes":
                return int.TryParse(value, culture, out int bytes) ? session with { PacketBytes = bytes } : null;
            case "packet-count":
                return int.TryParse(value, culture, out int count) ? session with { PacketCount = count } : null;
            default:
                return session;
        }
    }
}
