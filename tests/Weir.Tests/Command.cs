using System.ComponentModel;
using System.Diagnostics;
using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests;

/// <summary>Runs a program to its end; one that does not end is killed, and fails the test with what it has said.</summary>
internal static class Command
{
    private const int LimitMs = 60_000;

    public static bool IsInstalled(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(directory => File.Exists(Path.Combine(directory, program)));

    /// <summary>Runs a program whose input is empty. Null where there is no such program.</summary>
    /// <param name="program">Its name, or where it lies.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="environment">Variables beside those of this process; null takes one away.</param>
    /// <param name="limitMs">After which time it is killed.</param>
    public static Finished? Run(string program, IEnumerable<string> arguments, Dictionary<string, string?>? environment = null, int limitMs = LimitMs)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment ?? [])
            start.Environment[name] = value;
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception)
        {
            return null;
        }
        using (process)
        {
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync();
            var error = process.StandardError.ReadToEndAsync();
            bool hasEnded = process.WaitForExit(limitMs);
            if (!hasEnded)
                process.Kill(entireProcessTree: true);
            var finished = new Finished(hasEnded ? process.ExitCode : -1, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
            Assert.True(hasEnded, $"{program} {string.Join(' ', start.ArgumentList)} does not end in {limitMs / 1000} s: {Tail(finished.Output)}{Tail(finished.Error)}");
            return finished;
        }
    }

    /// <summary>Runs <c>weir</c>.</summary>
    public static Finished Weir(IEnumerable<string> arguments, Dictionary<string, string?>? environment = null) =>
        Run("dotnet", ["exec", Path.Combine(AppContext.BaseDirectory, "weir.dll"), .. arguments], environment)!;

    private static string Tail(string text) => text.Length <= 2000 ? text : $"... {text[^2000..]}";
}
