using CsCheck;
using Weir.Graph;
using Xunit;

namespace Weir.Tests.Graph;

/// <summary>What is read for a range of time, with and without index files.</summary>
public class CtfFsIndexTests
{
    [Fact]
    public void A_range_that_the_source_knows_gives_what_trimming_everything_gives()
    {
        Gen.Select(Gen.Int, Gen.Int[1, 4], Gen.Int[1, 12], Gen.Double[-0.2, 1.2], Gen.Double[0, 0.6], Gen.Bool).Sample((seed, streams, packets, at, length, isIndexed) =>
        {
            using var trace = RandomTrace.Create(new Random(seed), streams, packets, 6);
            for (int i = 0; i < streams && isIndexed; i++)
                trace.WriteIndex(i);
            long begin = RandomTrace.OriginNs + (long)(trace.EndTime * at);
            var range = new TimeRange(begin, begin + (long)(trace.EndTime * length));
            var narrowed = Conversion.Run(trace.Directory, range: range);
            Assert.Empty(narrowed.Remarks);
            Assert.Equal(Conversion.Run(trace.Directory, range: range, narrows: false).ToString(), narrowed.ToString());
        }, iter: 300);
    }

    [Fact]
    public void A_range_is_read_without_what_lies_far_outside()
    {
        using var trace = RandomTrace.Create(new Random(1), 1, 40, 6);
        trace.WriteIndex(0);
        byte[] bytes = File.ReadAllBytes(trace.FilePath(0));
        // A packet that cannot be read, far from what is asked for: whoever reads it fails.
        bytes[trace.Packets[0][10]] ^= 0xff;
        File.WriteAllBytes(trace.FilePath(0), bytes);
        var range = new TimeRange(RandomTrace.OriginNs + (long)(trace.EndTime * 3 / 4), long.MaxValue);
        Assert.Single(Conversion.Run(trace.Directory, range: range, narrows: false).Errors);
        var narrowed = Conversion.Run(trace.Directory, range: range);
        Assert.Empty(narrowed.Errors);
        Assert.NotEmpty(narrowed.Text);
    }

    [Fact]
    public void An_index_of_another_file_is_refused_and_changes_nothing()
    {
        using var trace = RandomTrace.Create(new Random(2), 2, 20, 6);
        using var other = RandomTrace.Create(new Random(3), 1, 20, 6);
        other.WriteIndex(0);
        Directory.CreateDirectory(Path.GetDirectoryName(trace.IndexPath(0))!);
        File.Copy(other.IndexPath(0), trace.IndexPath(0));
        var range = new TimeRange(RandomTrace.OriginNs + (long)(trace.EndTime / 3), RandomTrace.OriginNs + (long)(trace.EndTime / 2));
        var read = Conversion.Run(trace.Directory, range: range);
        Assert.Contains("does not fit its stream file", Assert.Single(read.Remarks), StringComparison.Ordinal);
        Assert.Equal(Conversion.Run(trace.Directory, range: range, narrows: false).ToString(), read.ToString());
    }

    [Fact]
    public void A_changed_index_gives_the_same_or_is_refused()
    {
        Gen.Select(Gen.Int, Gen.Int[0, 15 + (72 * 12)], Gen.Byte, Gen.Double[0, 1]).Sample((seed, offset, value, at) =>
        {
            using var trace = RandomTrace.Create(new Random(seed), 1, 12, 4);
            trace.WriteIndex(0);
            byte[] index = File.ReadAllBytes(trace.IndexPath(0));
            index[offset] = value;
            File.WriteAllBytes(trace.IndexPath(0), offset % 5 == 0 ? index[..offset] : index);
            long begin = RandomTrace.OriginNs + (long)(trace.EndTime * at);
            var range = new TimeRange(begin, begin + 60);
            var read = Conversion.Run(trace.Directory, range: range);
            // Times of packets that are passed over are believed: nobody else knows them without reading all.
            bool isTime = offset >= 16 && (offset - 16) % 72 is >= 24 and < 40;
            if (!isTime)
                Assert.Equal(Conversion.Run(trace.Directory, range: range, narrows: false).ToString(), read.ToString());
            Assert.Empty(read.Errors);
        }, iter: 300);
    }

    [Fact]
    public void A_large_file_without_an_index_gets_one_in_the_cache_which_is_used_while_the_file_is_the_same()
    {
        string cache = Path.Combine(Path.GetTempPath(), $"weir-index-{Guid.NewGuid():N}");
        using var trace = RandomTrace.Create(new Random(4), 1, 2500, 1);
        try
        {
            var range = new TimeRange(RandomTrace.OriginNs + (long)(trace.EndTime / 2), RandomTrace.OriginNs + (long)(trace.EndTime / 2) + 1000);
            string expected = Conversion.Run(trace.Directory, range: range).ToString();
            Assert.Equal(expected, Conversion.Run(trace.Directory, range: range, cache: cache).ToString());
            string kept = Assert.Single(Directory.GetFiles(cache));
            Assert.Equal(16 + (2500 * 72), new FileInfo(kept).Length);
            Assert.Equal(expected, Conversion.Run(trace.Directory, range: range, cache: cache).ToString());
            // A bad packet before the range shows who reads all heads.
            byte[] bytes = File.ReadAllBytes(trace.FilePath(0));
            var time = File.GetLastWriteTimeUtc(trace.FilePath(0));
            bytes[trace.Packets[0][100]] ^= 0xff;
            File.WriteAllBytes(trace.FilePath(0), bytes);
            Assert.Single(Conversion.Run(trace.Directory, range: range, cache: cache).Errors);
            File.SetLastWriteTimeUtc(trace.FilePath(0), time);
            Assert.Equal(expected, Conversion.Run(trace.Directory, range: range, cache: cache).ToString());
        }
        finally
        {
            Directory.Delete(cache, recursive: true);
        }
    }

    [Fact]
    public void Files_that_hold_a_stream_in_pieces_that_overlap_give_what_one_file_gives()
    {
        using var trace = RandomTrace.Create(new Random(5), 1, 30, 5);
        string whole = Conversion.Run(trace.Directory).Text;
        byte[] bytes = File.ReadAllBytes(trace.FilePath(0));
        var begins = trace.Packets[0];
        // Times of packets may be equal where a packet is empty: pieces begin where a later one begins.
        File.WriteAllBytes(trace.FilePath(0), bytes[begins[10]..begins[25]]);
        File.WriteAllBytes(trace.FilePath(1), bytes[..begins[15]]);
        File.WriteAllBytes(trace.FilePath(2), bytes[begins[20]..]);
        string[] lines = Conversion.Run(trace.Directory).Text.Split('\n');
        Assert.Equal(whole.Split('\n').Order(), lines.Order());
    }
}
