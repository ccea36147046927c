using System.Diagnostics;
using Weir.Tests.Sessions;
using Weir.Tracing;
using Xunit;

namespace Weir.Tests.Tracing.Attach;

public class LifeLockTests
{
    [Fact]
    public void It_is_held_until_its_holder_ends_however_that_comes()
    {
        using var place = new Place();
        Assert.Null(LifeLock.IsHeld(place.Directory));
        using var holder = place.Start(Place.Role(Hold, place.Directory));
        holder.WaitForOutput("held");
        Assert.True(LifeLock.IsHeld(place.Directory));
        // Asking takes nothing away.
        Assert.True(LifeLock.IsHeld(place.Directory));
        holder.Signal(9);
        holder.WaitForEnd();
        Assert.False(LifeLock.IsHeld(place.Directory));
        Assert.Throws<IOException>(() => { using var second = LifeLock.TryTake(place.Directory + "/missing"); });
    }

    [Fact]
    public void A_child_does_not_inherit_it()
    {
        using var place = new Place();
        using (LifeLock.TryTake(place.Directory))
        {
            using var child = Process.Start("sleep", "3");
            Assert.True(LifeLock.IsHeld(place.Directory));
        }
        Assert.False(LifeLock.IsHeld(place.Directory));
    }

    private static int Hold(string[] arguments)
    {
        using var life = LifeLock.TryTake(arguments[0]);
        Console.WriteLine("held");
        Thread.Sleep(Timeout.Infinite);
        return 0;
    }
}
