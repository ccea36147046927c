using System.Diagnostics;
using System.Text.Json;
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
        string root = FindRepository();
        string folder = Environment.GetEnvironmentVariable("WEIR_CONFORMANCE") ?? Path.GetFullPath(Path.Combine(root, "../shared/conformance"));
        string judge = Path.Combine(folder, "run");
        if (!File.Exists(judge))
            Assert.Skip($"the corpus is not beside the project: there is no {judge} (WEIR_CONFORMANCE names another folder)");
        // The cases of writing are read by the reference, which is fetched here once. Without it they are skipped, and counted so.
        Run(Path.Combine(folder, "getref"), out _);
        string report = Path.GetTempFileName();
        try
        {
            int status = Run(judge, out string output, "--weir", Path.Combine(root, "weir"), "--max-lines", "1000", "--json", report);
            using var results = JsonDocument.Parse(File.ReadAllText(report));
            int passed = 0;
            int skipped = 0;
            foreach (var result in results.RootElement.GetProperty("cases").EnumerateObject())
            {
                passed += result.Value.GetString() == "pass" ? 1 : 0;
                skipped += result.Value.GetString() == "skip" ? 1 : 0;
            }
            TestContext.Current.TestOutputHelper?.WriteLine($"{passed} cases passed, {skipped} were skipped");
            Assert.True(status == 0, output);
            Assert.True(passed > 0, "no case was asked");
        }
        finally
        {
            File.Delete(report);
        }
    }

    private static int Run(string program, out string output, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardInput = true };
        try
        {
            using var process = Process.Start(start)!;
            process.StandardInput.Close();
            output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            Assert.Skip($"{program} does not start: {e.Message}");
            throw;
        }
    }

    private static string FindRepository()
    {
        string? directory = AppContext.BaseDirectory;
        while (directory is not null && !File.Exists(Path.Combine(directory, "Weir.slnx")))
            directory = Path.GetDirectoryName(directory);
        return directory ?? throw new InvalidOperationException("The tests run below the repository.");
    }
}
