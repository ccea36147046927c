using System.Text;
using System.Text.Json.Nodes;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// What <c>source.ctf.fs</c> answers, under babeltrace2's names: <c>babeltrace.support-info</c> (whether an input is for it),
/// <c>babeltrace.trace-infos</c> (traces, their streams and when these begin and end), <c>metadata-info</c> (the metadata's text).
/// </summary>
internal static class CtfFsQueries
{
    public static JsonNode? Answer(string subject, JsonObject parameters) => subject switch
    {
        "babeltrace.support-info" => DescribeSupport(parameters),
        "babeltrace.trace-infos" => CtfFsParameters.Open(parameters, null).DescribeTraces(),
        "metadata-info" => DescribeMetadata(parameters),
        _ => null,
    };

    private static JsonObject DescribeSupport(JsonObject parameters)
    {
        var reader = new ParameterReader(parameters);
        string kind = reader.OneOf("type", "directory", "file", "string");
        string input = reader.Path("input") ?? throw new ComponentParameterException("the parameter 'input' is missing: expected a path");
        double weight = kind == "directory" ? CtfFsParameters.Recognize(input) : 0;
        var answer = new JsonObject();
        if (weight > 0 && CtfFsParameters.Group(input) is { } group)
            answer["group"] = group;
        answer["weight"] = weight;
        return answer;
    }

    private static JsonObject DescribeMetadata(JsonObject parameters)
    {
        string directory = new ParameterReader(parameters).Path("path") ?? throw new ComponentParameterException("the parameter 'path' is missing: expected a trace's directory");
        string path = Path.Combine(directory, CtfFsTrace.MetadataFileName);
        RegularFile.Check(path);
        try
        {
            string text = Encoding.UTF8.GetString(MetadataReader.ReadText(File.ReadAllBytes(path), out int packetVersion));
            // In packets TSDL needs no signature, in a file of its own it does; CTF 2's text begins with a record separator.
            if (packetVersion != 2 && !text.StartsWith('\x1e') && !text.StartsWith("/* CTF 1.8", StringComparison.Ordinal))
                text = "/* CTF 1.8 */\n\n" + text;
            return new JsonObject { ["is-packetized"] = packetVersion != 0, ["text"] = text };
        }
        catch (CtfMetadataException e)
        {
            throw new TraceReadException(path, -1, e.Message, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TraceReadException(path, -1, "the metadata cannot be read", e);
        }
    }
}
