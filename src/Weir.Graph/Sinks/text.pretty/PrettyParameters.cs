namespace Weir.Graph;

/// <summary>The parameters of <c>sink.text.pretty</c>, named as babeltrace2's; the last four are Weir's own.</summary>
internal static class PrettyParameters
{
    public const string Help = """
        path=PATH                   write to this file instead of standard output
        color=never|auto|always     whether to colour (auto: not a file); in any case only a terminal that knows colours, or where
                                    BABELTRACE_TERM_COLOR=always says so
        no-delta=yes                no time since the event before
        clock-cycles=yes, clock-seconds=yes, clock-date=yes, clock-gmt=yes
                                    how times are printed
        name-default=show|hide      names of fields; then each:
        name-payload=yes, name-context=yes, name-header=yes, name-scope=yes
        field-default=show|hide     what is told of an event's origin; then each:
        field-trace=yes, field-trace:hostname=yes, field-trace:domain=yes, field-trace:procname=yes, field-trace:vpid=yes,
        field-loglevel=yes, field-emf=yes
        clock-monotonic=yes, clock-realtime=yes
                                    times of the kernel's clocks, by the samples that Weir has stored
        ordering=yes                mark events whose order to the event before cannot be told
        clock-inputs=[PATH, ...]    where those samples are
        clock-offset-s=SEC, clock-offset-ns=NS
                                    what the sources were told to add to clocks, for those samples
        """;

    public static MessageSink Create(ComponentContext context)
    {
        var parameters = new ParameterReader(context.Parameters);
        var options = ReadOptions(parameters);
        var inputs = parameters.Texts("clock-inputs");
        var clockOptions = new CtfFsOptions
        {
            Clocks = new ClockAdjustment { OffsetSeconds = parameters.Integer("clock-offset-s"), OffsetNanoseconds = parameters.Integer("clock-offset-ns") },
        };
        string? path = parameters.Path("path");
        options.IsColored = TerminalColors.Allow(parameters.OneOf("color", "auto", "never", "always"), isFile: path is not null);
        options.HasColoredWarnings = TerminalColors.AreSupported;
        options.BrightIsBold = TerminalColors.BrightIsBold;
        parameters.RejectOthers();
        var clocks = options.ShowOrder || options.Times != PrettyTimes.ClockClass ? ClockTable.Read(CtfFsSource.Open(inputs, clockOptions), clockOptions) : null;
        var output = path is null
            ? context.Output ?? Console.OpenStandardOutput()
            : new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
        return PrettySink.Create(output, context.Log, options, clocks, path is null, context.Jobs);
    }

    private static PrettyOptions ReadOptions(ParameterReader parameters)
    {
        // What there is no word of is shown as babeltrace2 shows it; a default says so of everything at once.
        bool? names = Default(parameters, "name-default");
        bool? fields = Default(parameters, "field-default");
        var options = new PrettyOptions
        {
            ShowDelta = !parameters.Flag("no-delta"),
            ClockCycles = parameters.Flag("clock-cycles"),
            ClockSeconds = parameters.Flag("clock-seconds"),
            ClockDate = parameters.Flag("clock-date"),
            ClockGmt = parameters.Flag("clock-gmt"),
            NamePayload = parameters.Flag("name-payload", names ?? true),
            NameContext = parameters.Flag("name-context", names ?? true),
            NameHeader = parameters.Flag("name-header", names ?? false),
            NameScope = parameters.Flag("name-scope", names ?? false),
            FieldTrace = parameters.Flag("field-trace", fields ?? false),
            FieldHostname = parameters.Flag("field-trace:hostname", fields ?? true),
            FieldDomain = parameters.Flag("field-trace:domain", fields ?? false),
            FieldProcname = parameters.Flag("field-trace:procname", fields ?? true),
            FieldVpid = parameters.Flag("field-trace:vpid", fields ?? true),
            FieldLogLevel = parameters.Flag("field-loglevel", fields ?? false),
            FieldEmf = parameters.Flag("field-emf", fields ?? false),
            ShowOrder = parameters.Flag("ordering"),
        };
        // Accepted as babeltrace2 accepts them.
        _ = (parameters.Flag("field-callsite"), parameters.Flag("verbose"));
        ReadTimes(parameters, options);
        return options;
    }

    private static void ReadTimes(ParameterReader parameters, PrettyOptions options)
    {
        bool isMonotonic = parameters.Flag("clock-monotonic");
        bool isRealtime = parameters.Flag("clock-realtime");
        if (isMonotonic && isRealtime)
            throw new ComponentParameterException("clock-monotonic and clock-realtime are two clocks: expected one of them");
        if ((isMonotonic || isRealtime) && options.ClockCycles)
            throw new ComponentParameterException($"clock-cycles prints no clock of the kernel: expected it or {(isMonotonic ? "clock-monotonic" : "clock-realtime")}");
        options.Times = isMonotonic ? PrettyTimes.Monotonic : isRealtime ? PrettyTimes.Realtime : PrettyTimes.ClockClass;
        // What counts from the machine's start is no time of day.
        options.ClockSeconds |= isMonotonic;
    }

    private static bool? Default(ParameterReader parameters, string name) =>
        parameters.Has(name) ? parameters.OneOf(name, "show", "hide") == "show" : null;
}
