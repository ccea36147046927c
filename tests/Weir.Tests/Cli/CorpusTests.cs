using System.Text.Json;
using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Cli;

/// <summary>
/// The corpus of traces that nobody here wrote, each with the text that the reference prints. It is no part of the project: it lies beside it, or
/// where <c>WEIR_CONFORMANCE</c> says (the folder of its <c>run</c> program).
/// </summary>
public sealed class CorpusTests
{
    [Fact]
    public void Every_case_of_the_corpus_gives_what_the_reference_gives()
    {
        string root = Repository.Root;
        string folder = Environment.GetEnvironmentVariable("WEIR_CONFORMANCE") ?? Path.GetFullPath(Path.Combine(root, "../shared/conformance"));
        string judge = Path.Combine(folder, "run");
        if (!File.Exists(judge))
            Assert.Skip($"the corpus is not beside the project: there is no {judge} (WEIR_CONFORMANCE names another folder)");
        // The cases of writing are read by the reference, which is fetched here once. Without it they are skipped, and counted so.
        Run(Path.Combine(folder, "getref"));
        string report = Path.GetTempFileName();
        try
        {
            var judged = Run(judge, "--weir", Path.Combine(root, "weir"), "--max-lines", "1000", "--json", report);
            using var results = JsonDocument.Parse(File.ReadAllText(report));
            int passed = 0;
            int skipped = 0;
            foreach (var result in results.RootElement.GetProperty("cases").EnumerateObject())
            {
                passed += result.Value.GetString() == "pass" ? 1 : 0;
                skipped += result.Value.GetString() == "skip" ? 1 : 0;
            }
            TestContext.Current.TestOutputHelper?.WriteLine($"{passed} cases passed, {skipped} were skipped");
            Assert.True(judged.Status == 0, judged.Output + judged.Error);
            Assert.True(passed > 0, "no case was asked");
        }
        finally
        {
            File.Delete(report);
        }
    }

    private static Finished Run(string program, params string[] arguments)
    {
        var finished = Command.Run(program, arguments, limitMs: 60 * 60_000);
        Assert.SkipWhen(finished is null, $"{program} does not start");
        return finished!;
    }
}
