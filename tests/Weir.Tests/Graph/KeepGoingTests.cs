using CsCheck;
using Xunit;

namespace Weir.Tests.Graph;

/// <summary>Bad packets, with and without keep-going.</summary>
public class KeepGoingTests
{
    [Fact]
    public void An_error_names_file_packet_and_bit()
    {
        using var trace = RandomTrace.Create(new Random(1), 1, 10, 6);
        Spoil(trace, 0, 4, 0);
        var error = Assert.Single(Conversion.Run(trace.Directory).Errors);
        Assert.Equal(trace.FilePath(0), error.Path);
        Assert.Equal(trace.Packets[0][4], error.OffsetBytes);
        Assert.Equal(4, error.PacketNumber);
        Assert.Equal(0, error.PacketOffsetBits);
        Assert.Contains("(packet 4, bit 0)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_bad_head_ends_its_file_and_no_other()
    {
        using var trace = RandomTrace.Create(new Random(2), 3, 10, 6);
        string whole = Conversion.Run(trace.Directory).Text;
        Spoil(trace, 1, 4, 0);
        var stopped = Conversion.Run(trace.Directory);
        var kept = Conversion.Run(trace.Directory, keepGoing: true);
        Assert.Single(stopped.Errors);
        Assert.Equal(stopped.Errors[0].Message, Assert.Single(kept.Errors).Message);
        Assert.True(kept.Text.Length > stopped.Text.Length);
        Assert.Equal(Count(whole, "cpu_id = 0"), Count(kept.Text, "cpu_id = 0"));
        Assert.Equal(Count(whole, "cpu_id = 2"), Count(kept.Text, "cpu_id = 2"));
    }

    [Fact]
    public void With_an_index_only_the_packet_with_the_bad_head_is_missing()
    {
        using var trace = RandomTrace.Create(new Random(3), 1, 10, 6);
        trace.WriteIndex(0);
        int whole = Count(Conversion.Run(trace.Directory).Text, "\n");
        Spoil(trace, 0, 4, 0);
        int before = Count(Conversion.Run(trace.Directory).Text, "\n");
        var kept = Conversion.Run(trace.Directory, keepGoing: true);
        Assert.Single(kept.Errors);
        Assert.InRange(Count(kept.Text, "\n"), Math.Max(before + 1, whole - 6), whole);
    }

    [Fact]
    public void With_an_index_a_stream_is_known_though_its_first_packet_is_bad()
    {
        using var trace = RandomTrace.Create(new Random(5), 2, 10, 6);
        trace.WriteIndex(1);
        string whole = Conversion.Run(trace.Directory).Text;
        Spoil(trace, 1, 0, 0);
        var kept = Conversion.Run(trace.Directory, keepGoing: true);
        Assert.Equal(0, Assert.Single(kept.Errors).OffsetBytes);
        Assert.Equal(Count(whole, "cpu_id = 0"), Count(kept.Text, "cpu_id = 0"));
        Assert.InRange(Count(kept.Text, "cpu_id = 1"), Count(whole, "cpu_id = 1") - 6, Count(whole, "cpu_id = 1"));
    }

    [Fact]
    public void A_bad_event_ends_its_packet_only()
    {
        using var trace = RandomTrace.Create(new Random(4), 1, 10, 6);
        int whole = Count(Conversion.Run(trace.Directory).Text, "\n");
        // The first event's header: an ID that nobody declared.
        Spoil(trace, 0, 4, Weir.Ctf.LttngLayout.PacketHeaderBytes + 52, 17);
        var kept = Conversion.Run(trace.Directory, keepGoing: true);
        Assert.Equal(4, Assert.Single(kept.Errors).PacketNumber);
        Assert.InRange(Count(kept.Text, "\n"), whole - 6, whole - 1);
    }

    [Fact]
    public void Changed_bytes_always_come_to_an_end_and_give_the_same_with_one_job_and_several()
    {
        Gen.Select(Gen.Int, Gen.Int[1, 5], Gen.Bool, Gen.Bool).Sample((seed, changes, isIndexed, keepGoing) =>
        {
            var random = new Random(seed);
            using var trace = RandomTrace.Create(random, 3, 8, 6);
            if (isIndexed)
                trace.WriteIndex(1);
            byte[] bytes = File.ReadAllBytes(trace.FilePath(1));
            for (int i = 0; i < changes; i++)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            File.WriteAllBytes(trace.FilePath(1), bytes);
            var one = Conversion.Run(trace.Directory, keepGoing: keepGoing);
            Assert.Equal(one.ToString(), Conversion.Run(trace.Directory, jobs: 3, keepGoing: keepGoing).ToString());
        }, iter: 300);
    }

    private static void Spoil(RandomTrace trace, int file, int packet, int offset, byte? value = null)
    {
        byte[] bytes = File.ReadAllBytes(trace.FilePath(file));
        ref byte place = ref bytes[trace.Packets[file][packet] + offset];
        place = value ?? (byte)~place;
        File.WriteAllBytes(trace.FilePath(file), bytes);
    }

    private static int Count(string text, string part) => text.Split(part).Length - 1;
}
