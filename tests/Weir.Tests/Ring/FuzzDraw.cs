using System.Runtime.CompilerServices;
using Weir.Ring;

namespace Weir.Tests.Ring;

/// <summary>Random choices; a few instructions each.</summary>
internal unsafe struct FuzzDraw(ulong state)
{
    private static readonly int[] s_heads =
    [
        0, StreamLayout.VersionOffset, StreamLayout.Sequence, StreamLayout.PacketBytes, StreamLayout.PacketCount, StreamLayout.Cpu, StreamLayout.Format,
        StreamLayout.PacketHeadBytes, StreamLayout.IsOverwrite, StreamLayout.PositionOffset, StreamLayout.ConsumedOffset, StreamLayout.LostOffset,
    ];

    private static readonly int[] s_controls =
    [
        StreamLayout.Position, StreamLayout.LastTime, StreamLayout.LostFull, StreamLayout.LostTooLarge, StreamLayout.Consumed, StreamLayout.Floor,
        StreamLayout.CommitCounts, StreamLayout.CommitCounts + StreamLayout.CommitCountStride, StreamLayout.CommitCounts + (2 * StreamLayout.CommitCountStride),
        StreamLayout.CommitCounts + (3 * StreamLayout.CommitCountStride), 1024, 1032, 1040, 1048, 2048,
    ];

    private ulong _state = state;

    public int Next(int bound) => (int)(Next() % (uint)bound);

    /// <summary>Where a word of the stream's head page begins.</summary>
    public int HeadWord() => s_heads[Next(s_heads.Length)];

    /// <summary>Where a word of the stream's control page, or a commit count, begins.</summary>
    public int ControlWord() => StreamLayout.Control + s_controls[Next(s_controls.Length)];

    /// <summary>Where a word of the ring's file begins: of its head, or of an intent.</summary>
    public int RingWord(FuzzTarget target)
    {
        int words = (target.Original.Ring.Length - RingControl.IntentsOffset) / sizeof(ulong);
        return words == 0 || Next(4) == 0 ? Next(40) * sizeof(uint) : RingControl.IntentsOffset + (Next(words) * sizeof(ulong));
    }

    /// <summary>A value that somebody may not have thought of, for a word that has one now.</summary>
    public ulong Value(byte* word, FuzzTarget target)
    {
        ulong now = Unsafe.ReadUnaligned<ulong>(word);
        ulong few = (ulong)Next(20);
        ulong position = Unsafe.ReadUnaligned<ulong>(target.Stream + StreamLayout.Control) & StreamLayout.PositionMask;
        return Next(16) switch
        {
            0 => few,
            1 => 0 - few,
            2 => now + few,
            3 => now - few,
            4 => now + (few * StreamCorpus.PacketBytes),
            5 => now - (few * StreamCorpus.PacketBytes),
            6 => 1UL << Next(64),
            7 => (1UL << Next(64)) - 1,
            8 => now ^ (1UL << Next(64)),
            9 => position + few,
            10 => position + (few * StreamCorpus.PacketBytes),
            11 => (position & ~(ulong)(StreamCorpus.PacketBytes - 1)) + (few * StreamCorpus.PacketBytes),
            12 => 0 - (few * StreamCorpus.PacketBytes),
            13 => position << 1,
            14 => Unsafe.ReadUnaligned<ulong>(target.Stream + (Next(3) == 0 ? 0 : StreamLayout.Control) + (Next(40) * sizeof(uint))),
            _ => Next(),
        };
    }

    // SplitMix64, by Steele, Lea and Flood.
    private ulong Next()
    {
        ulong z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
