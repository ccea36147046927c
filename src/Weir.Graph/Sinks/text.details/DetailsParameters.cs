namespace Weir.Graph;

/// <summary>The parameters of <c>sink.text.details</c>, named as babeltrace2's; <c>path</c> is Weir's own.</summary>
internal static class DetailsParameters
{
    public const string Help = """
        path=PATH                       write to this file instead of standard output
        color=auto|never|always         whether to colour (auto: not a file); in any case only a terminal that knows colours, or where
                                        BABELTRACE_TERM_COLOR=always says so
        compact=yes                     a line for each message, without its fields
        with-data=no                    no messages
        with-metadata=no                no trace classes
        with-time=no                    no times
        with-trace-name=no, with-stream-class-name=no, with-stream-class-namespace=no, with-stream-name=no, with-uid=no
                                        none of these
        """;

    public static DetailsSink Create(ComponentContext context)
    {
        var parameters = new ParameterReader(context.Parameters);
        string? path = parameters.Path("path");
        var options = new DetailsOptions
        {
            IsColored = TerminalColors.Allow(parameters.OneOf("color", "auto", "never", "always"), isFile: path is not null),
            BrightIsBold = TerminalColors.BrightIsBold,
            IsCompact = parameters.Flag("compact"),
            WithData = parameters.Flag("with-data", true),
            WithMetadata = parameters.Flag("with-metadata", true),
            WithTime = parameters.Flag("with-time", true),
            WithTraceName = parameters.Flag("with-trace-name", true),
            WithStreamClassName = parameters.Flag("with-stream-class-name", true),
            WithStreamClassNamespace = parameters.Flag("with-stream-class-namespace", true),
            WithStreamName = parameters.Flag("with-stream-name", true),
            WithUid = parameters.Flag("with-uid", true),
        };
        // What was a UUID is a UID since babeltrace2 2.1, which still accepts the parameter.
        _ = parameters.Flag("with-uuid");
        parameters.RejectOthers();
        return path is null
            ? new DetailsSink(context.Output ?? Console.OpenStandardOutput(), options)
            : new DetailsSink(new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0), options, leaveOpen: false);
    }
}
