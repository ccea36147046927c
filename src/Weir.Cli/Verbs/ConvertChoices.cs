using Weir.Graph;

namespace Weir.Cli.Verbs;

/// <summary>The lists that <c>--names</c> and <c>--fields</c> take. Naming anything hides what is not named.</summary>
internal static class ConvertChoices
{
    /// <summary>An option that is not known is parsed as an input; returns what is wrong, or null.</summary>
    public static string? FindUnknownOption(string[] inputs)
    {
        foreach (string input in inputs)
        {
            if (input.Length > 1 && input[0] == '-')
                return $"the option '{input}' is not known (a directory of this name is './{input}')";
        }
        return null;
    }

    /// <summary>Applies the choice of a clock; returns what is wrong with it, or null.</summary>
    public static string? ApplyTimes(PrettyOptions options, bool isMonotonic, bool isRealtime)
    {
        if (!isMonotonic && !isRealtime)
            return null;
        if (isMonotonic && isRealtime)
            return "--clock-monotonic and --clock-realtime are two clocks: expected one of them";
        if (options.ClockCycles)
            return $"--clock-cycles prints no clock of the kernel: expected it or {(isMonotonic ? "--clock-monotonic" : "--clock-realtime")}";
        options.Times = isMonotonic ? PrettyTimes.Monotonic : PrettyTimes.Realtime;
        // What counts from the machine's start is no time of day.
        options.ClockSeconds |= isMonotonic;
        return null;
    }

    /// <summary>Applies <c>--names</c>; returns what is wrong with it, or null.</summary>
    public static string? ApplyNames(PrettyOptions options, string[]? lists)
    {
        if (lists is null or [])
            return null;
        options.NamePayload = options.NameContext = options.NameHeader = options.NameScope = false;
        foreach (string name in Split(lists))
        {
            switch (name)
            {
                case "payload" or "args" or "arg":
                    options.NamePayload = true;
                    break;
                case "context" or "ctx":
                    options.NameContext = true;
                    break;
                case "header":
                    options.NameHeader = true;
                    break;
                case "scope":
                    options.NameScope = true;
                    break;
                case "all":
                    options.NamePayload = options.NameContext = options.NameHeader = options.NameScope = true;
                    break;
                case "none":
                    options.NamePayload = options.NameContext = options.NameHeader = options.NameScope = false;
                    break;
                default:
                    return $"--names: '{name}' is not known: expected payload, context, scope, header, all or none";
            }
        }
        return null;
    }

    /// <summary>Applies <c>--fields</c>; returns what is wrong with it, or null.</summary>
    public static string? ApplyFields(PrettyOptions options, string[]? lists)
    {
        if (lists is null or [])
            return null;
        SetAll(options, false);
        foreach (string name in Split(lists))
        {
            switch (name)
            {
                case "trace":
                    options.FieldTrace = true;
                    break;
                case "trace:hostname":
                    options.FieldHostname = true;
                    break;
                case "trace:domain":
                    options.FieldDomain = true;
                    break;
                case "trace:procname":
                    options.FieldProcname = true;
                    break;
                case "trace:vpid":
                    options.FieldVpid = true;
                    break;
                case "loglevel":
                    options.FieldLogLevel = true;
                    break;
                case "emf":
                    options.FieldEmf = true;
                    break;
                case "callsite":
                    // CTF has no call sites that anybody prints.
                    break;
                case "all":
                    SetAll(options, true);
                    break;
                default:
                    return $"--fields: '{name}' is not known: expected trace, trace:hostname, trace:domain, trace:procname, trace:vpid, loglevel, emf, callsite or all";
            }
        }
        return null;
    }

    private static void SetAll(PrettyOptions options, bool isShown)
    {
        options.FieldTrace = options.FieldHostname = options.FieldDomain = isShown;
        options.FieldProcname = options.FieldVpid = options.FieldLogLevel = options.FieldEmf = isShown;
    }

    private static IEnumerable<string> Split(string[] lists)
    {
        foreach (string list in lists)
        {
            foreach (string name in list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
                yield return name;
        }
    }
}
