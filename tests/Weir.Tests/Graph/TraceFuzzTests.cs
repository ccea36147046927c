using Xunit;

namespace Weir.Tests.Graph;

/// <summary>The short form of <see cref="TraceFuzzCampaign"/>.</summary>
public class TraceFuzzTests
{
    [Fact]
    public void Changed_traces_are_converted_or_refused()
    {
        int seed = Environment.TickCount & 0xffffff;
        Change(seed, TraceFuzzCampaign.FindOriginals(seed, []));
    }

    [Fact]
    public void Changed_files_of_other_formats_are_converted_or_refused() => Change(Environment.TickCount & 0xffffff, TraceFuzzCampaign.CreateFiles());

    private static void Change(int seed, List<TraceFuzzCampaign.Original> originals)
    {
        string directory = Directory.CreateTempSubdirectory("weir-fuzz-").FullName;
        var campaign = new TraceFuzzCampaign(seed, directory, originals);
        for (int i = 0; i < 2000; i++)
            campaign.Mutate(i);
        Assert.NotEqual(0, campaign.Converted);
        Assert.NotEqual(0, campaign.Refused);
        Directory.Delete(directory, recursive: true);
    }
}
