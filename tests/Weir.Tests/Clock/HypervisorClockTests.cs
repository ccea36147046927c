using CsCheck;
using Weir.Clock;
using Xunit;

namespace Weir.Tests.Clock;

public sealed class HypervisorClockTests
{
    [Fact]
    public void A_guests_counter_is_the_hosts_scaled_and_shifted()
    {
        // 3/2 with 48 fraction bits.
        var clock = new HypervisorClock(-1000, 3UL << 47, 48);
        Assert.Equal(2000UL, clock.ToGuest(2000));
        Assert.Equal(2001UL, clock.ToGuest(2001));
        Assert.Equal((2000UL, 2000UL), clock.ToHost(2000));
        Assert.Equal(5UL, new HypervisorClock(-10).ToGuest(15));
        // A guest that was started anew: its counter was zero then.
        Assert.Equal(unchecked((ulong)-5L), new HypervisorClock(-10).ToGuest(5));
    }

    [Fact]
    public void The_way_back_leads_to_where_it_began()
    {
        Gen.Select(Gen.Long, Gen.ULong[1UL << 40, 1UL << 56], Gen.ULong[0, 1UL << 55]).Sample((offset, ratio, host) =>
        {
            var clock = new HypervisorClock(offset, ratio, 48);
            var (earliest, latest) = clock.ToHost(clock.ToGuest(host));
            Assert.InRange(host, earliest, latest);
            Assert.Equal(clock.ToGuest(host), clock.ToGuest(earliest));
            Assert.Equal(clock.ToGuest(host), clock.ToGuest(latest));
        });
    }

    [Theory]
    [InlineData("-123456789", -123456789L, 1UL, 0)]
    [InlineData("0", 0L, 1UL, 0)]
    [InlineData("17,281474976710656,48", 17L, 281474976710656UL, 48)]
    public void A_person_may_say_it(string text, long offset, ulong ratio, int bits)
    {
        Assert.True(HypervisorClock.TryParse(text, out var clock));
        Assert.Equal(new HypervisorClock(offset, ratio, bits), clock);
    }

    [Theory]
    [InlineData("")]
    [InlineData("near")]
    [InlineData("1,2")]
    [InlineData("1,0,48")]
    [InlineData("1,1,48")]
    [InlineData("1,281474976710656,64")]
    [InlineData("1,281474976710656,-1")]
    [InlineData("1,18446744073709551615,0")]
    [InlineData("99999999999999999999")]
    public void What_cannot_be_is_refused(string text) => Assert.False(HypervisorClock.TryParse(text, out _));

    [Fact]
    public void Guests_are_read_where_KVM_shows_them()
    {
        string root = Directory.CreateTempSubdirectory("weir-kvm").FullName;
        try
        {
            Assert.Empty(HypervisorClock.ReadGuests(root, out string? refusal));
            Assert.Contains("no guest", refusal, StringComparison.Ordinal);
            Write(root, "4711-12/vcpu0/tsc-offset", "-98765\n");
            Write(root, "4711-12/vcpu0/tsc-scaling-ratio", "562949953421312\n");
            Write(root, "4711-12/vcpu0/tsc-scaling-ratio-frac-bits", "48\n");
            Write(root, "4711-12/vcpu1/tsc-offset", "-98764\n");
            Assert.Equal(
                [("4711-12", "vcpu0", new HypervisorClock(-98765, 2UL << 48, 48)), ("4711-12", "vcpu1", new HypervisorClock(-98764))],
                HypervisorClock.ReadGuests(root, out refusal));
            Assert.Null(refusal);
            Write(root, "4711-12/vcpu1/tsc-offset", "garbage");
            HypervisorClock.ReadGuests(root, out refusal);
            Assert.Contains("'garbage' is no offset", refusal, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
        Assert.Empty(HypervisorClock.ReadGuests(root, out string? missing));
        Assert.Contains("is not there", missing, StringComparison.Ordinal);
    }

    private static void Write(string root, string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(root, path))!);
        File.WriteAllText(Path.Combine(root, path), text);
    }
}
