using System.Globalization;
using Weir.Clock;
using Weir.Ring;

namespace Weir.Tests.Ring;

/// <summary>A kind of ring with CTF's compact heads, by the choices that campaigns cross.</summary>
internal readonly record struct CtfRing(bool IsOverwrite, bool IsGlobal, SequenceKind Sequence, int PacketBytes)
{
    /// <summary>All that this machine can run: a global ring is always atomic.</summary>
    public static CtfRing[] Possible(params ReadOnlySpan<int> packetBytes)
    {
        var all = new List<CtfRing>();
        foreach (int bytes in packetBytes)
        {
            foreach (bool isOverwrite in (ReadOnlySpan<bool>)[false, true])
            {
                if (RseqSection.IsAvailable)
                    all.Add(new(isOverwrite, false, SequenceKind.Rseq, bytes));
                all.Add(new(isOverwrite, false, SequenceKind.Atomic, bytes));
                all.Add(new(isOverwrite, true, SequenceKind.Atomic, bytes));
            }
        }
        return [.. all];
    }

    public static ClockKind Clock => CpuCounter.IsTrusted ? ClockKind.Counter : ClockKind.Monotonic;

    /// <summary>The time now by the ring's clock.</summary>
    public static ulong Now() => Clock == ClockKind.Counter ? CpuCounter.ReadOrdered() : MonotonicClock.ReadOrdered();

    public static CtfRing Parse(string text)
    {
        string[] parts = text.Split(',');
        return new(parts[0] == "overwrite", parts[1] == "global", Enum.Parse<SequenceKind>(parts[2]), int.Parse(parts[3], CultureInfo.InvariantCulture));
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{(IsOverwrite ? "overwrite" : "discard")},{(IsGlobal ? "global" : "per-cpu")},{Sequence},{PacketBytes}");

    /// <summary>Makes the ring in a directory.</summary>
    public RingBuffer Create(string directory)
    {
        // Many small packets, and of large ones few: touching memory takes longer than all else.
        var options = TestRing.Options(directory, PacketBytes, PacketBytes > 64 << 10 ? 2 : 16);
        return Clock == ClockKind.Counter ? Create<CounterClock>(options) : Create<MonotonicClock>(options);
    }

    private RingBuffer Create<TClock>(RingOptions options)
        where TClock : struct, ITraceClock => (IsGlobal, Sequence) switch
        {
            (true, _) => Create<TClock, Global>(options),
            (_, SequenceKind.Rseq) => Create<TClock, PerCpu<Rseq>>(options),
            _ => Create<TClock, PerCpu<Atomic>>(options),
        };

    private RingBuffer Create<TClock, TPlacement>(RingOptions options)
        where TClock : struct, ITraceClock
        where TPlacement : struct, IPlacement => IsOverwrite
            ? RingBuffer<PacketClient<TPlacement, Overwrite, CtfCompact<TClock>, NoHooks>>.Create(options)
            : RingBuffer<PacketClient<TPlacement, Discard<WakeOnPacket>, CtfCompact<TClock>, NoHooks>>.Create(options);
}
