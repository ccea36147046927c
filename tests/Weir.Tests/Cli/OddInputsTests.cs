using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Cli;

/// <summary>Inputs that are no files, and parameters that are no paths: errors, at once.</summary>
public class OddInputsTests
{
    [Theory]
    [InlineData("no regular file", "convert", "PIPE")]
    [InlineData("this is a named pipe", "convert", "-i", "json", "PIPE")]
    [InlineData("this is a named pipe", "convert", "-i", "perf", "PIPE")]
    [InlineData("this is a named pipe", "convert", "-i", "trace-cmd", "PIPE")]
    [InlineData("this is a named pipe", "convert", "-i", "nettrace", "PIPE")]
    [InlineData("this is a named pipe", "convert", "TRACE")]
    [InlineData("this is a named pipe", "convert", "TRACE", "-o", "ctf-metadata")]
    [InlineData("this is a device", "convert", "-i", "json", "/dev/null")]
    [InlineData("no trace is here", "convert", "PLACE/other")]
    [InlineData("name is empty", "convert", "")]
    [InlineData("the parameter 'inputs' is empty", "run", "-c", "a:source.perf.data", "-p", "inputs=[\"\"]", "-c", "b:sink.utils.dummy", "-x", "a:b")]
    [InlineData("the parameter 'inputs' is empty", "run", "-c", "a:source.text.json", "-p", "inputs=[\"\"]", "-c", "b:sink.utils.dummy", "-x", "a:b")]
    [InlineData("the parameter 'inputs' is empty", "run", "-c", "a:source.ctf.fs", "-p", "inputs=[\"\"]", "-c", "b:sink.utils.dummy", "-x", "a:b")]
    [InlineData("the parameter 'path' is empty", "run", "-c", "a:source.text.dmesg", "-p", "path=\"\"", "-c", "b:sink.utils.dummy", "-x", "a:b")]
    [InlineData("the parameter 'path' is empty", "convert", "-i", "json", "JSON", "-p", "path=\"\"", "-c", "sink.text.pretty", "-p", "path=\"\"")]
    [InlineData("the parameter 'path' is empty", "convert", "-i", "json", "JSON", "-c", "sink.text.json", "-p", "path=\"\"")]
    [InlineData("the parameter 'path' is empty", "convert", "-i", "json", "JSON", "-c", "sink.text.details", "-p", "path=\"\"")]
    [InlineData("the parameter 'path' is empty", "convert", "-i", "json", "JSON", "-c", "sink.ctf.fs", "-p", "path=\"\"")]
    [InlineData("the parameter 'path' is empty", "convert", "-i", "json", "JSON", "-c", "sink.columns.arrow", "-p", "path=\"\"")]
    [InlineData("the parameter 'inputs' is [1]", "run", "-c", "a:source.ctf.lttng-live", "-p", "inputs=[1]", "-c", "b:sink.utils.dummy", "-x", "a:b")]
    [InlineData("the parameter 'url' is 1", "query", "source.ctf.lttng-live", "sessions", "-p", "url=1")]
    [InlineData("the parameter 'path' is empty", "query", "source.ctf.fs", "metadata-info", "-p", "path=\"\"")]
    [InlineData("the parameter 'input' is 1", "query", "source.ctf.fs", "babeltrace.support-info", "-p", "input=1,type=\"directory\"")]
    public void Are_errors(string expected, params string[] arguments)
    {
        using var place = new Place();
        foreach (string pipe in new[] { "pipe", "trace/metadata", "other/stream" })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(place.In(pipe))!);
            Assert.Equal(0, place.Run(["mkfifo", place.In(pipe)]).Status);
        }
        File.WriteAllText(place.In("good.json"), "{\"time\":1,\"name\":\"a\"}\n");
        string[] given = [.. arguments.Select(argument => argument.Replace("PIPE", place.In("pipe")).Replace("TRACE", place.In("trace")).Replace("PLACE", place.In(".")).Replace("JSON", place.In("good.json")))];
        var result = place.Run(["dotnet", "exec", Path.Combine(AppContext.BaseDirectory, "weir.dll"), .. given]);
        Assert.Contains(expected, result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", result.Error, StringComparison.Ordinal);
        Assert.Equal(1, result.Status);
    }
}
