namespace Weir.Kernel;

/// <summary>What of the kernel is recorded, and how.</summary>
public sealed record KernelRecordingOptions
{
    /// <summary>Default bytes of the kernel's buffer of each CPU.</summary>
    public const int DefaultBufferBytes = 8 << 20;

    /// <summary>What is recorded; at least one rule.</summary>
    public required IReadOnlyList<KernelRule> Rules { get; init; }

    /// <summary>Bytes of the kernel's buffer of each CPU, rounded up to whole pages.</summary>
    public int BufferBytes { get; init; } = DefaultBufferBytes;

    /// <summary>Bytes of the trace's packets.</summary>
    public int PacketBytes { get; init; } = 512 << 10;

    /// <summary>Whether every thread is recorded, and not only the command and its descendants.</summary>
    public bool IsWholeMachine { get; init; }

    /// <summary>Whether a full buffer loses the newest events instead of the oldest.</summary>
    public bool IsDiscarding { get; init; }

    /// <summary>Whether the kernel's pages are kept as they are, in a trace.dat, instead of being made CTF.</summary>
    public bool IsRaw { get; init; }

    /// <summary>Whether that trace.dat is packed when the recording ends, as trace-cmd packs it.</summary>
    public bool IsPacked { get; init; }

    /// <summary>Whether the trace says what the machine was like when the recording began: its processes, files, modules, interfaces.</summary>
    public bool HasStateDump { get; init; } = true;
}
