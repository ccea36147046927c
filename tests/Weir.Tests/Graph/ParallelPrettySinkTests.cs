using Weir.Graph;
using Weir.Tests.Ctf;
using Xunit;

namespace Weir.Tests.Graph;

public class ParallelPrettySinkTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(7)]
    public void Text_and_warnings_are_those_of_one_core(int jobs)
    {
        using var trace = RandomTrace.Create(new Random(jobs), 5, 200, 40);
        foreach (var options in new PrettyOptions[] { new() { ClockGmt = true }, new() { ClockCycles = true }, new() { NameHeader = true, ClockSeconds = true }, new() { ShowDelta = false } })
        {
            string one = Conversion.Run(trace.Directory, pretty: options).ToString();
            Assert.True(one.Length > 500_000);
            Assert.Equal(one, Conversion.Run(trace.Directory, jobs, pretty: options).ToString());
        }
    }

    [Fact]
    public void What_precedes_an_error_is_written_before_it()
    {
        using var trace = RandomTrace.Create(new Random(3), 2, 200, 40);
        byte[] bytes = File.ReadAllBytes(trace.FilePath(1));
        File.WriteAllBytes(trace.FilePath(1), bytes[..(bytes.Length * 2 / 3)]);
        var one = Conversion.Run(trace.Directory);
        Assert.Single(one.Errors);
        Assert.Equal(one.ToString(), Conversion.Run(trace.Directory, jobs: 4).ToString());
    }

    [Fact]
    public void Events_larger_than_a_job_are_whole()
    {
        string directory = Directory.CreateTempSubdirectory("weir-ctf-").FullName;
        File.WriteAllText(
            Path.Combine(directory, "metadata"),
            "/* CTF 1.8 */ trace { major = 1; minor = 8; byte_order = le; }; stream { }; event { name = e; fields := struct { string s; }; };");
        var bytes = new List<byte>();
        for (int i = 0; i < 40; i++)
        {
            bytes.AddRange(Enumerable.Repeat((byte)('a' + (i % 26)), i % 3 == 0 ? 300_000 : 50_000));
            bytes.Add(0);
        }
        File.WriteAllBytes(Path.Combine(directory, "stream_0"), [.. bytes]);
        string one = Conversion.Run(directory).ToString();
        string several = Conversion.Run(directory, jobs: 3).ToString();
        Directory.Delete(directory, recursive: true);
        Assert.True(one == several);
    }

    [Fact]
    public void More_text_than_a_job_holds_is_written_in_its_turn()
    {
        const int manyElements = 1_500_000;
        string directory = Directory.CreateTempSubdirectory("weir-ctf-").FullName;
        File.WriteAllText(
            Path.Combine(directory, "metadata"),
            "/* CTF 1.8 */ trace { major = 1; minor = 8; byte_order = le; }; stream { }; typealias integer { size = 8; align = 8; } := u8; "
            + "event { name = e; fields := struct { integer { size = 32; align = 8; } n; u8 x[n]; }; };");
        var bytes = new List<byte>();
        for (int i = 0; i < 5000; i++)
        {
            int count = i is 1500 or 1501 or 4000 ? manyElements : 2;
            bytes.AddRange([.. BitConverter.GetBytes(count), .. Enumerable.Repeat((byte)i, count)]);
        }
        File.WriteAllBytes(Path.Combine(directory, "stream_0"), [.. bytes]);
        try
        {
            var one = Conversion.Run(directory);
            Assert.True(one.Text.Length > 3 * (16 << 20));
            Assert.True(one.Text == Conversion.Run(directory, jobs: 4).Text);
            using var sink = PrettySink.Create(new FullStream(), TextWriter.Null, new PrettyOptions(), null, leaveOpen: true, jobs: 3);
            using var source = CtfFsSource.Open([directory], new CtfFsOptions());
            using var muxer = new Muxer(source.CreateIterators());
            Assert.Equal("full", Assert.Throws<IOException>(() => MessagePump.Run(muxer, sink)).Message);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public void An_output_that_fails_ends_the_conversion_with_its_error()
    {
        using var trace = RandomTrace.Create(new Random(6), 2, 200, 40);
        using var sink = PrettySink.Create(new FullStream(), TextWriter.Null, new PrettyOptions(), null, leaveOpen: true, jobs: 3);
        using var source = CtfFsSource.Open([trace.Directory], new CtfFsOptions());
        using var muxer = new Muxer(source.CreateIterators());
        var error = Assert.Throws<IOException>(() => MessagePump.Run(muxer, sink));
        Assert.Equal("full", error.Message);
    }

    [Fact]
    public void A_time_before_the_epoch_is_warned_of_once()
    {
        var builder = new LttngTraceBuilder(clock: new Weir.Ctf.ClockClass { Name = "c", FrequencyHz = 1_000_000_000, OffsetSeconds = -5000, IsAbsolute = true });
        var packets = new List<byte>();
        for (ulong i = 0; i < 5000; i++)
            packets.AddRange(builder.Packet(0, 0, i * 10, (i * 10) + 9, 0, ((i * 10) + 5, 0, 1)));
        string directory = builder.WriteTo(LttngTraceBuilder.NewDirectory(), [.. packets]);
        string one = Conversion.Run(directory).ToString();
        string several = Conversion.Run(directory, jobs: 3).ToString();
        Directory.Delete(directory, recursive: true);
        Assert.Contains("Fallback", one, StringComparison.Ordinal);
        Assert.Equal(one, several);
    }

    private sealed class FullStream : MemoryStream
    {
        public override void Write(byte[] buffer, int offset, int count) => throw new IOException("full");

        public override void Write(ReadOnlySpan<byte> buffer) => throw new IOException("full");
    }
}
