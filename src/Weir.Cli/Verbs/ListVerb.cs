using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Weir.Ctf;

namespace Weir.Cli.Verbs;

/// <summary><c>weir list</c>: what can be recorded here: tracepoints of running programs, the kernel's events and instrumentation, sessions.</summary>
internal static class ListVerb
{
    private const int FailedStatus = 1;

    public static Command Create()
    {
        var pattern = new Argument<string?>("PATTERN")
        {
            Description = "Only events of this name, provider:name or system:event with * and ?; without it an overview",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var fields = new Option<bool>("--fields") { Description = "Show the events' fields" };
        var json = new Option<bool>("--json") { Description = "Print the list for programs" };
        var verb = new Command("list", "List what can be recorded here: tracepoints of running programs, the kernel's events, sessions") { pattern, fields, json };
        verb.SetAction(parsed =>
        {
            var listing = Listing.Collect(parsed.GetValue(pattern), parsed.GetValue(fields));
            if (parsed.GetValue(json))
                WriteJson(listing, Console.Out);
            else if (listing.Pattern is null)
                WriteOverview(listing, Console.Out);
            else
                WriteEvents(listing, Console.Out);
            if (listing.Pattern is null || listing.KernelEvents.Count + listing.Programs.Count > 0)
                return 0;
            Console.Error.WriteLine($"weir: no event '{listing.Pattern}' here{listing.Hint}");
            return FailedStatus;
        });
        return verb;
    }

    private static void WriteOverview(Listing listing, TextWriter writer)
    {
        writer.WriteLine("running programs with tracepoints (weir record -e RULE):");
        WriteNone(listing.Programs.Count, writer);
        foreach (var program in listing.Programs)
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {program.Name} ({program.ProcessId}): {string.Join(", ", program.Events.Select(item => item.Name))}"));
        writer.WriteLine("\nsessions:");
        WriteNone(listing.Sessions.Count, writer);
        foreach (var session in listing.Sessions)
        {
            string rules = string.Join(", ", session.Description.Rules.Select(rule => rule.Text));
            string state = session.Description.IsStarted ? "started" : "stopped";
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {session.Name} ({state}, of process {session.Description.OwnerProcessId}): {rules}; {session.Processes.Count} processes"));
        }
        writer.WriteLine("\nkernel (weir record -k RULE):");
        if (listing.KernelRefusal is { } refusal)
            writer.WriteLine($"  {refusal}");
        foreach (var kind in listing.Kinds)
        {
            writer.WriteLine($"  {(kind.Refusal is null ? "yes" : "no "),-3} {kind.Help}");
            if (kind.Refusal is { } why)
                writer.WriteLine($"        {why}");
        }
        if (listing.KernelEvents.Count == 0)
            return;
        var systems = listing.KernelEvents.GroupBy(item => item.Name.System).ToList();
        writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"\n{listing.KernelEvents.Count} kernel events of {systems.Count} systems (weir list 'sched:*' shows those of one):"));
        writer.WriteLine($"  {string.Join(", ", systems.Select(system => string.Create(CultureInfo.InvariantCulture, $"{system.Key} {system.Count()}")))}");
    }

    private static void WriteEvents(Listing listing, TextWriter writer)
    {
        foreach (var program in listing.Programs)
        {
            foreach (var item in program.Events)
            {
                writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{item.Name}   (-e, {program.Name} {program.ProcessId})"));
                if (listing.HasFields)
                    WriteFields((item.Payload?.Members ?? []).Select(member => (member.Name, TypeOf(member.Class))), writer);
            }
        }
        foreach (var item in listing.KernelEvents)
        {
            writer.WriteLine($"{item.Name}   (-k)");
            WriteFields(item.Fields.Select(field => (field.Name, field.Type)), writer);
        }
    }

    private static void WriteFields(IEnumerable<(string Name, string Type)> fields, TextWriter writer)
    {
        foreach (var (name, type) in fields)
            writer.WriteLine($"    {name}: {type}");
    }

    private static void WriteNone(int count, TextWriter writer)
    {
        if (count == 0)
            writer.WriteLine("  none");
    }

    private static string TypeOf(FieldClass field) => field switch
    {
        IntegerFieldClass integer => string.Create(CultureInfo.InvariantCulture, $"{(integer.IsSigned ? "s" : "u")}{integer.SizeBits}"),
        StringFieldClass or StaticStringFieldClass => "string",
        _ => field.GetType().Name.Replace("FieldClass", "", StringComparison.Ordinal),
    };

    private static void WriteJson(Listing listing, TextWriter writer)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            WriteArray(json, "programs", listing.Programs, program =>
            {
                json.WriteString("name", program.Name);
                json.WriteNumber("process_id", program.ProcessId);
                WriteArray(json, "events", program.Events, item =>
                {
                    json.WriteString("name", item.Name);
                    if (listing.HasFields)
                        WriteFieldsJson(json, (item.Payload?.Members ?? []).Select(member => (member.Name, TypeOf(member.Class))));
                });
            });
            WriteArray(json, "sessions", listing.Sessions, session =>
            {
                json.WriteString("name", session.Name);
                json.WriteBoolean("started", session.Description.IsStarted);
                json.WriteNumber("owner", session.Description.OwnerProcessId);
                WriteTexts(json, "rules", session.Description.Rules.Select(rule => rule.Text));
                WriteTexts(json, "processes", session.Processes);
            });
            if (listing.KernelRefusal is { } refusal)
                json.WriteString("kernel_refusal", refusal);
            WriteArray(json, "kernel_kinds", listing.Kinds, kind =>
            {
                WriteTexts(json, "names", kind.Names);
                json.WriteString("help", kind.Help);
                json.WriteBoolean("ok", kind.Refusal is null);
                if (kind.Refusal is { } why)
                    json.WriteString("refusal", why);
            });
            WriteArray(json, "kernel_events", listing.KernelEvents, item =>
            {
                json.WriteString("system", item.Name.System);
                json.WriteString("name", item.Name.Name);
                if (listing.HasFields)
                    WriteFieldsJson(json, item.Fields.Select(field => (field.Name, field.Type)));
            });
            json.WriteEndObject();
        }
        writer.WriteLine(Encoding.UTF8.GetString(stream.ToArray()));
    }

    private static void WriteFieldsJson(Utf8JsonWriter json, IEnumerable<(string Name, string Type)> fields) => WriteArray(json, "fields", fields, field =>
    {
        json.WriteString("name", field.Name);
        json.WriteString("type", field.Type);
    });

    private static void WriteArray<T>(Utf8JsonWriter json, string name, IEnumerable<T> items, Action<T> write)
    {
        json.WriteStartArray(name);
        foreach (var item in items)
        {
            json.WriteStartObject();
            write(item);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (string text in texts)
            json.WriteStringValue(text);
        json.WriteEndArray();
    }
}
