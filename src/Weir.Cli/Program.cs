using System.CommandLine;
using Weir.Cli.Verbs;

(string Name, Func<Command> Create)[] verbs =
[
    ("record", RecordVerb.Create),
    ("recover", RecoverVerb.Create),
    ("convert", ConvertVerb.Create),
    ("run", RunVerb.Create),
    ("query", QueryVerb.Create),
    ("list-plugins", PluginVerbs.CreateList),
    ("help", PluginVerbs.CreateHelp),
    ("demo", DemoVerb.Create),
    ("doctor", DoctorVerb.Create),
    ("list", ListVerb.Create),
];
var root = new RootCommand("Trace .NET programs on Linux, and read traces.");
// Options take long to describe: those of the other verbs are left alone where a verb is named.
bool isNamed = args.Length > 0 && Array.Exists(verbs, verb => verb.Name == args[0]);
foreach (var (name, create) in verbs)
{
    if (!isNamed || name == args[0])
        root.Add(create());
}
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
