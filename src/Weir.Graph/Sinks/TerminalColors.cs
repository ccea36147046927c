namespace Weir.Graph;

/// <summary>Whether and how text can be coloured here, decided as babeltrace2 decides it: by BABELTRACE_TERM_COLOR, else by the terminal.</summary>
public static class TerminalColors
{
    /// <summary>What ends a colour (SGR 0 of ECMA-48).</summary>
    public const string Reset = "\e[0m";

    /// <summary>Terminals that know colours, by the beginning of TERM.</summary>
    private static readonly string[] s_colorTerminals = ["xterm", "rxvt", "konsole", "gnome", "screen", "tmux", "putty"];

    /// <summary>
    /// Whether colours are written: BABELTRACE_TERM_COLOR is <c>always</c>, or it is not <c>never</c> either and both standard output and
    /// standard error are a terminal that knows them. A component's or an option's <c>always</c> cannot overrule it.
    /// </summary>
    public static bool AreSupported { get; } = Find();

    /// <summary>
    /// Whether bright colours are bold ones; else they have codes of their own. BABELTRACE_TERM_COLOR_BRIGHT_MEANS_BOLD=0 says no, and where
    /// it is not set kitty, which shows them so.
    /// </summary>
    public static bool BrightIsBold { get; } = Environment.GetEnvironmentVariable("BABELTRACE_TERM_COLOR_BRIGHT_MEANS_BOLD") is { } set
        ? set != "0"
        : Environment.GetEnvironmentVariable("TERM") != "xterm-kitty";

    /// <summary>Whether a user's choice of <c>always</c>, <c>auto</c> or <c>never</c> colours what is written to standard output or a file.</summary>
    /// <param name="choice">The choice.</param>
    /// <param name="isFile">Whether it goes to a file, which <c>auto</c> does not colour.</param>
    public static bool Allow(string choice, bool isFile) => choice switch
    {
        "never" => false,
        "always" => AreSupported,
        _ => AreSupported && !isFile,
    };

    private static bool Find()
    {
        string forced = Environment.GetEnvironmentVariable("BABELTRACE_TERM_COLOR") ?? "";
        if (forced.Equals("always", StringComparison.OrdinalIgnoreCase))
            return true;
        string terminal = Environment.GetEnvironmentVariable("TERM") ?? "";
        return !forced.Equals("never", StringComparison.OrdinalIgnoreCase)
            && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
            && !Console.IsOutputRedirected && !Console.IsErrorRedirected
            && Array.Exists(s_colorTerminals, known => terminal.StartsWith(known, StringComparison.Ordinal));
    }
}
