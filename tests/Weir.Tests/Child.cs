using System.Diagnostics;
using Xunit;

namespace Weir.Tests;

/// <summary>Runs a role of this program in a process of its own.</summary>
internal static class Child
{
    public static Process Start(Func<string[], int> role, string[] arguments, Dictionary<string, string?>? environment = null)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, Program.ChildArguments(role, arguments))
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        foreach (var (name, value) in environment ?? [])
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    /// <summary>Runs it to its end and returns the lines that it wrote.</summary>
    public static string[] Run(Func<string[], int> role, string[] arguments, Dictionary<string, string?>? environment = null)
    {
        var finished = Command.Run(Environment.ProcessPath!, Program.ChildArguments(role, arguments), environment)!;
        Assert.True(finished.Status == 0, $"status {finished.Status}: {finished.Error}");
        return finished.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
