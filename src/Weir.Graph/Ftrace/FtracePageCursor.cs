using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// Goes through the events of one page of the kernel's ring buffer, as <c>per_cpu/cpuN/trace_pipe_raw</c> gives it out and trace-cmd keeps it.
/// <code>
///  page     0 time of the page's beginning u64 | 8 commit long | events                   offsets from FtracePageLayout
///  commit   bits 0-26 bytes of events | 30 the number of lost events stands behind the events | 31 events were lost before this page
///  event    32-bit word: type or length 5 bits, time since the event before it 27 bits    little-endian: type in the low bits,
///             1 to 28   data of 4 times that many bytes follows                           big-endian: in the high bits
///             0         length u32 follows, which counts itself, then the data
///             29        padding; with time 0 up to the page's end, else length u32 follows, which counts itself
///             30        time extend: the next word, shifted by 27, and the time of this one are the time since the event before it
///             31        time stamp: the same is the time itself, its low 59 bits
/// </code>
/// Source: linux, include/linux/ring_buffer.h, kernel/trace/ring_buffer.c.
/// </summary>
public unsafe struct FtracePageCursor
{
    private const int TimeBits = 27;
    private const uint TimeMask = (1u << TimeBits) - 1;
    private const uint CommitMask = (1u << 27) - 1;
    private const uint LostFlag = 1u << 31;
    private const uint LostCountFlag = 1u << 30;
    private const int MaxShortLength = 28;
    private const uint Padding = 29;
    private const uint TimeExtend = 30;
    private const int StampBits = 59;

    private readonly bool _isBigEndian;
    private readonly bool _isSwapped;
    private readonly byte* _page;
    private readonly int _end;
    private int _at;

    /// <summary>Begins with a page.</summary>
    /// <param name="layout">Where things lie in it.</param>
    /// <param name="page">Its first byte; the memory stays as long as the cursor is used.</param>
    /// <param name="lengthBytes">Bytes that may be read.</param>
    /// <param name="problem">What is wrong with the page's header, or null; the cursor then has no events.</param>
    public FtracePageCursor(FtracePageLayout layout, byte* page, int lengthBytes, out string? problem)
    {
        ArgumentNullException.ThrowIfNull(layout);
        _page = page;
        _isBigEndian = layout.ByteOrder == ByteOrder.BigEndian;
        _isSwapped = _isBigEndian == BitConverter.IsLittleEndian;
        problem = null;
        if (lengthBytes < layout.DataOffset)
        {
            problem = $"a page's header has {layout.DataOffset} bytes, and here are {lengthBytes}";
            return;
        }
        Time = BeginTime = Read64(layout.TimeOffset);
        uint commit = layout.CommitBytes == 8 ? (uint)Read64(layout.CommitOffset) : Read32(layout.CommitOffset);
        DataBytes = (int)(commit & CommitMask);
        _at = layout.DataOffset;
        if (DataBytes > lengthBytes - _at)
        {
            problem = $"a page of {lengthBytes} bytes cannot have {DataBytes} bytes of events";
            DataBytes = 0;
        }
        _end = _at + DataBytes;
        HasLost = (commit & LostFlag) != 0;
        if (HasLost && (commit & LostCountFlag) != 0 && _end + layout.CommitBytes <= lengthBytes)
            LostCount = layout.CommitBytes == 8 ? Read64(_end) : Read32(_end);
    }

    /// <summary>The page's time: that of its first event, or before.</summary>
    public ulong BeginTime { get; }

    /// <summary>Bytes of events in the page.</summary>
    public int DataBytes { get; }

    /// <summary>Whether the kernel overwrote events between the page before and this one.</summary>
    public bool HasLost { get; }

    /// <summary>How many; null when unknown.</summary>
    public ulong? LostCount { get; }

    /// <summary>The event's time.</summary>
    public ulong Time { get; private set; }

    /// <summary>Offset of the event's data in the page.</summary>
    public int DataOffset { get; private set; }

    /// <summary>Length of the event's data: a multiple of 4, so up to 3 bytes more than were written.</summary>
    public int DataLength { get; private set; }

    /// <summary>Offset in the page at which reading goes on, or at which it went wrong.</summary>
    public readonly int Offset => _at;

    /// <summary>Goes to the next event. False at the end, or where the page is bad; <paramref name="problem"/> then says so.</summary>
    public bool MoveNext(out string? problem)
    {
        problem = null;
        while (_at <= _end - 4)
        {
            uint word = Read32(_at);
            uint type = _isBigEndian ? word >> TimeBits : word & 31;
            uint time = _isBigEndian ? word & TimeMask : word >> 5;
            if (type - 1 < MaxShortLength)
            {
                Time += time;
                if (Take(4, (int)type * 4))
                    return true;
                break;
            }
            if (type == Padding && time == 0)
                return false;
            if (_at > _end - 8)
                break;
            uint next = Read32(_at + 4);
            if (type == 0)
            {
                Time += time;
                if (next is >= 4 and <= CommitMask && Take(8, ((int)next - 4 + 3) & ~3))
                    return true;
                break;
            }
            if (type == Padding)
            {
                if (next > CommitMask || next < 4 || next + 4 > (uint)(_end - _at))
                    break;
                _at += (int)next + 4;
                continue;
            }
            ulong whole = ((ulong)next << TimeBits) | time;
            if (type == TimeExtend)
                Time += whole;
            else
                Time = Complete(whole);
            _at += 8;
        }
        if (_at != _end)
            problem = $"the event at byte {_at} of the page goes on behind the page's {DataBytes} bytes of events";
        return false;
    }

    private bool Take(int headBytes, int lengthBytes)
    {
        if (lengthBytes > _end - _at - headBytes)
            return false;
        DataOffset = _at + headBytes;
        DataLength = lengthBytes;
        _at = DataOffset + lengthBytes;
        return true;
    }

    /// <summary>A stamp has no room for the highest bits; they are those of the time so far, or one more where it would go back.</summary>
    private readonly ulong Complete(ulong stamp)
    {
        ulong low = stamp & ((1UL << StampBits) - 1);
        ulong high = Time >> StampBits << StampBits;
        if (high == 0)
            return low;
        ulong whole = high | low;
        return whole < Time ? whole + (1UL << StampBits) : whole;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly uint Read32(int offset)
    {
        uint value = Unsafe.ReadUnaligned<uint>(_page + offset);
        return _isSwapped ? BinaryPrimitives.ReverseEndianness(value) : value;
    }

    private readonly ulong Read64(int offset)
    {
        ulong value = Unsafe.ReadUnaligned<ulong>(_page + offset);
        return _isSwapped ? BinaryPrimitives.ReverseEndianness(value) : value;
    }
}
