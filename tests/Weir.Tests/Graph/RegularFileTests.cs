using Weir.Graph;
using Xunit;

namespace Weir.Tests.Graph;

public sealed class RegularFileTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("weir-tests-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData("", 0)]
    [InlineData("abc", 3)]
    [InlineData("abcdefgh", 4)]
    public void The_head_is_what_there_is_at_most(string content, int lengthBytes)
    {
        File.WriteAllText(In("file"), content);
        File.CreateSymbolicLink(In("link"), "file");
        foreach (string name in new[] { "file", "link" })
            Assert.Equal(lengthBytes, RegularFile.ReadHead(In(name), new byte[4]).Length);
        Assert.Equal(0, RegularFile.ReadHead(In("none"), new byte[4]).Length);
        Assert.Equal(0, RegularFile.ReadHead(_directory, new byte[4]).Length);
    }

    [Fact]
    public void A_pipe_in_a_directory_that_is_searched_is_not_waited_for()
    {
        Assert.Equal(0, Command.Run("mkfifo", [In("pipe")])!.Status);
        File.CreateSymbolicLink(In("to-pipe"), "pipe");
        Assert.Contains("a named pipe", Assert.Throws<TraceReadException>(() => RegularFile.Open(In("pipe"), 0)).Message, StringComparison.Ordinal);
        Assert.Contains("a named pipe", Assert.Throws<TraceReadException>(() => RegularFile.Open(In("to-pipe"), 0)).Message, StringComparison.Ordinal);
        var converted = Command.Weir(["convert", _directory]);
        Assert.NotEqual(0, converted.Status);
        Assert.Contains("no trace is here", converted.Error, StringComparison.Ordinal);
    }

    private string In(string name) => Path.Combine(_directory, name);
}
