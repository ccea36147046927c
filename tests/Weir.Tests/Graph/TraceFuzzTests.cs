using Xunit;

namespace Weir.Tests.Graph;

/// <summary>The short form of <see cref="TraceFuzzCampaign"/>.</summary>
public class TraceFuzzTests
{
    [Fact]
    public void Changed_traces_are_converted_or_refused()
    {
        int seed = Environment.TickCount & 0xffffff;
        string directory = Directory.CreateTempSubdirectory("weir-fuzz-").FullName;
        var campaign = new TraceFuzzCampaign(seed, directory, TraceFuzzCampaign.FindOriginals(seed, []));
        for (int i = 0; i < 2000; i++)
            campaign.Mutate(i);
        Assert.NotEqual(0, campaign.Converted);
        Assert.NotEqual(0, campaign.Refused);
        Directory.Delete(directory, recursive: true);
    }
}
