using System.CommandLine;
using Weir.Cli.Verbs;

var root = new RootCommand("Trace .NET programs on Linux, and read traces.")
{
    RecordVerb.Create(),
    RecoverVerb.Create(),
    ConvertVerb.Create(),
    RunVerb.Create(),
    QueryVerb.Create(),
    PluginVerbs.CreateList(),
    PluginVerbs.CreateHelp(),
    DemoVerb.Create(),
    DoctorVerb.Create(),
    ListVerb.Create(),
};
var result = root.Parse(args);
if (result.Errors.Count > 0)
{
    // What has no verb is mostly meant to be read.
    if (args is [var first, ..] && (Directory.Exists(first) || File.Exists(first)))
    {
        Console.Error.WriteLine($"weir: '{first}' is no verb; did you mean 'weir convert {first}'?");
        return 2;
    }
    foreach (var error in result.Errors)
        Console.Error.WriteLine($"weir: {error.Message}");
    Console.Error.WriteLine("Try 'weir --help'.");
    return 2;
}
return result.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
