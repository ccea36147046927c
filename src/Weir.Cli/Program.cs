using System.CommandLine;
using Weir.Cli.Verbs;

var root = new RootCommand("Weir traces Linux and .NET: record, and read what was recorded.")
{
    RecordVerb.Create(),
};
var parsed = root.Parse(args);
return parsed.Errors.Count > 0 ? ReportUsage(parsed) : parsed.Invoke();

static int ReportUsage(ParseResult parsed)
{
    foreach (var error in parsed.Errors)
        Console.Error.WriteLine($"weir: {error.Message}");
    return 2;
}
