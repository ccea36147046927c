namespace Weir.Ring;

/// <summary>What becomes of a record that finds the ring full, and who is told of one that does not.</summary>
public interface IMode
{
    /// <summary>Whether the oldest packet makes room.</summary>
    static abstract bool IsOverwrite { get; }

    /// <summary>When a reader is woken.</summary>
    static abstract WakeUp WakeUp { get; }
}

/// <summary>A record that finds no room is lost and counted; what a reader has not given back stays.</summary>
public readonly struct Discard<TWakeUp> : IMode
    where TWakeUp : struct, IWakeUp
{
    /// <inheritdoc/>
    public static bool IsOverwrite => false;

    /// <inheritdoc/>
    public static WakeUp WakeUp => TWakeUp.Kind;
}

/// <summary>A flight recorder: the oldest packet makes room. Nobody consumes, so nobody is woken.</summary>
public readonly struct Overwrite : IMode
{
    /// <inheritdoc/>
    public static bool IsOverwrite => true;

    /// <inheritdoc/>
    public static WakeUp WakeUp => WakeUp.None;
}

/// <summary>When a writer wakes a waiting reader.</summary>
public enum WakeUp
{
    /// <summary>Never: the reader looks when it likes, and no writer makes a system call.</summary>
    None,

    /// <summary>When a packet is complete.</summary>
    OnPacket,

    /// <summary>When the position passes a multiple of <see cref="RingOptions.WatermarkBytes"/>.</summary>
    AtWatermark,
}

/// <summary>When a reader is woken.</summary>
public interface IWakeUp
{
    /// <summary>When.</summary>
    static abstract WakeUp Kind { get; }
}

/// <summary>A wake-up that needs no packets.</summary>
public interface IContinuousWakeUp : IWakeUp;

/// <summary>Nobody is woken.</summary>
public readonly struct NoWakeUp : IContinuousWakeUp
{
    /// <inheritdoc/>
    public static WakeUp Kind => WakeUp.None;
}

/// <summary>A reader is woken when a packet is complete.</summary>
public readonly struct WakeOnPacket : IWakeUp
{
    /// <inheritdoc/>
    public static WakeUp Kind => WakeUp.OnPacket;
}

/// <summary>A reader is woken each time another watermark's bytes are committed.</summary>
public readonly struct WakeAtWatermark : IContinuousWakeUp
{
    /// <inheritdoc/>
    public static WakeUp Kind => WakeUp.AtWatermark;
}
