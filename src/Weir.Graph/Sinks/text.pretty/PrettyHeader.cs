using System.Globalization;
using System.Text;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>The part of an event's line between its time and its fields; it is the same for all events of a class.</summary>
internal static class PrettyHeader
{
    private static readonly string[] s_levels =
    [
        "TRACE_EMERG", "TRACE_ALERT", "TRACE_CRIT", "TRACE_ERR", "TRACE_WARNING", "TRACE_NOTICE", "TRACE_INFO", "TRACE_DEBUG_SYSTEM",
        "TRACE_DEBUG_PROGRAM", "TRACE_DEBUG_PROCESS", "TRACE_DEBUG_MODULE", "TRACE_DEBUG_UNIT", "TRACE_DEBUG_FUNCTION",
        "TRACE_DEBUG_LINE", "TRACE_DEBUG",
    ];

    public static byte[] Create(DataStream stream, EventRecordClass eventRecordClass, PrettyOptions options, PrettyColors colors)
    {
        var text = new StringBuilder();
        // With names, each part follows the one before with a comma; the time, where there is one, came first.
        string comma = options.NameHeader && stream.Clock is not null ? ", " : "";
        if (options.FieldTrace)
        {
            text.Append(comma).Append(Named("trace")).Append(stream.Trace.Name);
            if (options.NameHeader)
                text.Append(", ");
        }
        var trace = stream.Trace.Class;
        bool hasPart = false;
        Part(options.FieldHostname, "trace:hostname", trace.FindEnvironment("hostname")?.Text);
        Part(options.FieldDomain, "trace:domain", trace.FindEnvironment("domain")?.Text);
        Part(options.FieldProcname, "trace:procname", trace.FindEnvironment("procname")?.Text);
        Part(options.FieldVpid, "trace:vpid", trace.FindEnvironment("vpid")?.Number is { } vpid ? $"({vpid.ToString(CultureInfo.InvariantCulture)})" : null);
        Part(options.FieldLogLevel, "loglevel", eventRecordClass.LogLevel is { } level and >= 0 and <= 14 ? $"{s_levels[level]} ({level})" : null);
        Part(options.FieldEmf, "model.emf.uri", eventRecordClass.EmfUri);
        if (hasPart && !options.NameHeader)
            text.Append(' ');
        text.Append(comma).Append(Named("name")).Append(eventRecordClass.Name is { } eventName ? colors.EventName + eventName : $"{colors.UnknownText}<unknown>").Append(colors.Reset);
        text.Append(options.NameHeader ? ", " : ": ");
        return Encoding.UTF8.GetBytes(text.ToString());

        string Named(string name) => options.NameHeader ? colors.Named(name) : "";

        void Part(bool isShown, string name, string? value)
        {
            if (!isShown || value is null)
                return;
            text.Append(comma);
            if (options.NameHeader)
                text.Append(Named(name));
            else if (hasPart)
                text.Append(':');
            text.Append(value);
            hasPart = true;
        }
    }
}
