using System.Reflection;

namespace Weir.Tests;

/// <summary>
/// Runs the tests, or, as <c>child TYPE METHOD ARGUMENTS</c>, one static method <c>int METHOD(string[])</c> of this assembly: how a
/// test gets a process that it can kill or start with other variables.
/// </summary>
internal static class Program
{
    private const string ChildCommand = "child";

    /// <summary>Arguments that start this program as a child; for <see cref="Environment.ProcessPath"/>.</summary>
    public static string[] ChildArguments(Func<string[], int> role, params string[] arguments) =>
        [ChildCommand, role.Method.DeclaringType!.FullName!, role.Method.Name, .. arguments];

    private static int Main(string[] args)
    {
        if (args is [ChildCommand, var type, var method, .. var rest])
        {
            var role = Type.GetType(type, throwOnError: true)!
                .GetMethod(method, BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public, [typeof(string[])])!;
            return (int)role.Invoke(null, [rest])!;
        }
        return args.Any(a => a is "--server" or "--internal-msbuild-node")
            ? Xunit.MicrosoftTestingPlatform.TestPlatformTestFramework
                .RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions).GetAwaiter().GetResult()
            : Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args).GetAwaiter().GetResult();
    }
}
