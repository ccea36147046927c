using System.CommandLine;
using System.Text;
using System.Text.Json;

namespace Weir.Cli.Verbs;

/// <summary><c>weir doctor</c>: what this machine allows, and for each 'no' how to get it.</summary>
internal static class DoctorVerb
{
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print the report for programs" };
        var verb = new Command("doctor", "Say what this machine allows, and for each 'no' how to get it") { json };
        verb.SetAction(parsed =>
        {
            var checks = MachineChecks.Run();
            if (parsed.GetValue(json))
                WriteJson(checks, Console.Out);
            else
                Write(checks, Console.Out);
            return 0;
        });
        return verb;
    }

    private static void Write(List<MachineCheck> checks, TextWriter writer)
    {
        int width = checks.Max(check => check.Name.Length);
        foreach (var check in checks)
        {
            writer.WriteLine($"{(check.IsThere ? "yes" : "no "),-4} {check.Name.PadRight(width)}  {check.Found}");
            if (!check.IsThere && check.Remedy is { } remedy)
                writer.WriteLine($"     {new string(' ', width)}  to get it: {remedy}");
        }
    }

    private static void WriteJson(List<MachineCheck> checks, TextWriter writer)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteStartArray("checks");
            foreach (var check in checks)
            {
                json.WriteStartObject();
                json.WriteString("name", check.Name);
                json.WriteBoolean("ok", check.IsThere);
                json.WriteString("found", check.Found);
                if (!check.IsThere && check.Remedy is { } remedy)
                    json.WriteString("remedy", remedy);
                foreach (var (name, value) in check.Values)
                    WriteValue(json, name, value);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        writer.WriteLine(Encoding.UTF8.GetString(stream.ToArray()));
    }

    private static void WriteValue(Utf8JsonWriter json, string name, object value)
    {
        switch (value)
        {
            case bool flag:
                json.WriteBoolean(name, flag);
                break;
            case int or long:
                json.WriteNumber(name, Convert.ToInt64(value, System.Globalization.CultureInfo.InvariantCulture));
                break;
            case ulong number:
                json.WriteNumber(name, number);
                break;
            case double number:
                json.WriteNumber(name, number);
                break;
            default:
                json.WriteString(name, value.ToString());
                break;
        }
    }
}
