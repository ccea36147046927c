using Weir.Ctf;

namespace Weir.Graph;

/// <summary>What <c>sink.ctf.fs</c> writes; the parameters are babeltrace2's.</summary>
internal sealed record CtfFsSinkOptions
{
    public const string Help = """
        path=PATH                     write traces under this directory (needed)
        ctf-version=2|1.8             the version of CTF; 1 is 1.8
        assume-single-trace=yes       write the only trace to PATH itself, which must not exist yet
        ignore-discarded-events=yes   count no discarded events
        ignore-discarded-packets=yes  number no packets, so that none seem to be missing
        quiet=yes                     do not say which traces were written
        """;

    public required string Path { get; init; }

    public CtfVersion Version { get; init; }

    public bool IsSingleTrace { get; init; }

    public bool IgnoresDiscardedEvents { get; init; }

    public bool IgnoresDiscardedPackets { get; init; }

    public bool IsQuiet { get; init; }

    public static CtfFsSinkOptions Read(ComponentContext context)
    {
        var parameters = new ParameterReader(context.Parameters);
        var options = new CtfFsSinkOptions
        {
            Path = parameters.Path("path")
                ?? throw new ComponentParameterException("the directory to write traces to is missing: expected --output=DIR (the parameter 'path')"),
            Version = parameters.OneOf("ctf-version", "2", "2.0", "1.8", "1") is "2" or "2.0" ? CtfVersion.Ctf2 : CtfVersion.Ctf18,
            IsSingleTrace = parameters.Flag("assume-single-trace"),
            IgnoresDiscardedEvents = parameters.Flag("ignore-discarded-events"),
            IgnoresDiscardedPackets = parameters.Flag("ignore-discarded-packets"),
            IsQuiet = parameters.Flag("quiet"),
        };
        parameters.RejectOthers();
        return options;
    }
}
