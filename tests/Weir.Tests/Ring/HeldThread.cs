using Weir.Ring;

namespace Weir.Tests.Ring;

/// <summary>Hooks that hold a writing thread of the test's choice behind the bytes of its record, before anybody knows of them.</summary>
internal readonly struct HeldThread : IRingHooks
{
    [ThreadStatic]
    private static Action? s_atWritten;

    public static void At(RingPoint point)
    {
        if (point == RingPoint.Written)
            s_atWritten?.Invoke();
    }

    /// <summary>Starts a thread that writes, and returns when it is held; what comes back lets it go on and waits for its end.</summary>
    public static Action Hold(Action write)
    {
        using var held = new ManualResetEventSlim();
        var goOn = new ManualResetEventSlim();
        var thread = new Thread(() =>
        {
            s_atWritten = () =>
            {
                held.Set();
                goOn.Wait();
            };
            write();
        });
        thread.Start();
        held.Wait();
        return () =>
        {
            goOn.Set();
            thread.Join();
            goOn.Dispose();
        };
    }
}
