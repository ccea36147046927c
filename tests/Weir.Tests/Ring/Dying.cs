using Weir.Ring;

namespace Weir.Tests.Ring;

/// <summary>Hooks that let a thread's writer die, by an exception, where its thread says.</summary>
internal readonly struct Dying : IRingHooks
{
    /// <summary>Points until then; 0 for never.</summary>
    [ThreadStatic]
    public static int PointsLeft;

    /// <summary>The point where it dies, once.</summary>
    [ThreadStatic]
    public static RingPoint? Point;

    /// <summary>What happens there instead, while the writer is held up.</summary>
    [ThreadStatic]
    public static Action? Meanwhile;

    public static void At(RingPoint point)
    {
        if ((PointsLeft == 0 || --PointsLeft > 0) && point != Point)
            return;
        Point = null;
        var meanwhile = Meanwhile ?? throw new OperationCanceledException();
        Meanwhile = null;
        meanwhile();
    }
}
