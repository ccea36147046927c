using Weir.Tests.Sessions;
using Weir.Tracing;
using Xunit;

namespace Weir.Tests.Tracing.Attach;

public class ProcessDirectoryTests
{
    [Fact]
    public void A_name_tells_its_process()
    {
        Assert.Equal(Environment.ProcessId, ProcessDirectory.ProcessIdOf(ProcessDirectory.NameNow()));
        Assert.Equal(Environment.ProcessId, ProcessDirectory.ProcessIdOf(ProcessDirectory.NameNow(3)));
        Assert.NotEqual(ProcessDirectory.NameNow(1), ProcessDirectory.NameNow(2));
        Assert.Equal(12, ProcessDirectory.ProcessIdOf("my-shop-12-20250101-000000"));
        Assert.Null(ProcessDirectory.ProcessIdOf("shop"));
        Assert.Null(ProcessDirectory.ProcessIdOf("shop-x-20250101-000000"));
    }

    [Fact]
    public void What_was_removed_is_not_made_again()
    {
        using var place = new Place();
        Assert.Throws<IOException>(() => SessionHome.TryCreateNew(place.In("gone/new")));
        Assert.False(Directory.Exists(place.In("gone")));
        Assert.True(SessionHome.TryCreateNew(place.In("new")));
        Assert.False(SessionHome.TryCreateNew(place.In("new")));
        Assert.Equal("700\n", place.Run(["stat", "-c", "%a", place.In("new")]).Output);
    }
}
