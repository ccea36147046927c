namespace Weir.Graph;

/// <summary>
/// The components of this room, under the names that people use for them: the table of contents.
/// <list type="table">
/// <item><term><c>source.ctf.fs</c></term><description><see cref="CtfFsSource"/>: CTF traces in directories.</description></item>
/// <item><term><c>filter.utils.muxer</c></term><description><see cref="Muxer"/>: streams merged by time.</description></item>
/// <item><term><c>filter.utils.trimmer</c></term><description><see cref="Trimmer"/>: what lies between two times.</description></item>
/// <item><term><c>sink.text.pretty</c></term><description><see cref="PrettySink"/>: one line of text for each event.</description></item>
/// <item><term><c>sink.utils.dummy</c></term><description><see cref="DummySink"/>: counts and keeps nothing.</description></item>
/// </list>
/// </summary>
public static class Components
{
    /// <summary>Names of the components, in the order above.</summary>
    public static IReadOnlyList<string> Names { get; } =
        ["source.ctf.fs", "filter.utils.muxer", "filter.utils.trimmer", "sink.text.pretty", "sink.utils.dummy"];
}
