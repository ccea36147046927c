using System.Runtime.CompilerServices;
using Weir.Clock;

namespace Weir.Ring;

/// <summary>
/// Samples as <c>perf_event_open</c> gives them out: a control page that is a <c>perf_event_mmap_page</c>, and records behind one another
/// over the ring's end, each with a <c>perf_event_header</c>. Whoever reads perf's buffers reads these: map the file from the control
/// page on, take what lies between <c>data_tail</c> and <c>data_head</c>, store <c>data_tail</c>.
/// <code>
///  control  0 version u32 | 4 compat version u32 | 72 size u32 | 1024 data_head u64 | 1032 data_tail u64
///           1040 data_offset u64 | 1048 data_size u64 | 2048 lost for want of room u64 | 2056 lost for size u64 (ours: perf has no field)
///  record   0 type u32 = 9 (PERF_RECORD_SAMPLE) | 4 misc u16 = 2 (user) | 6 size u16 | 8 identifier u64 | 16 pid u32 | 20 tid u32 | 24 time u64
///           32 cpu u32 | 36 0 u32 | 40 raw size u32 | 44 raw: the payload, zeros up to a multiple of 8
/// </code>
/// The sample type is <c>IDENTIFIER | TID | TIME | CPU | RAW</c> (<see cref="SampleType"/>); the raw size counts the zeros, as the kernel's
/// does. Source: linux, include/uapi/linux/perf_event.h.
/// </summary>
public readonly unsafe struct PerfRecords<TClock> : IContinuousFormat
    where TClock : struct, ITraceClock
{
    /// <summary>What perf's attribute would say of these samples.</summary>
    public const ulong SampleType = (1 << 16) | (1 << 1) | (1 << 2) | (1 << 7) | (1 << 10);

    /// <summary>Bytes before the payload.</summary>
    public const int RecordHeadBytes = 44;

    private const uint Sample = 9;
    private const uint MiscUser = 2;

    /// <inheritdoc/>
    public static StreamFormat Format => StreamFormat.Perf;

    /// <inheritdoc/>
    public static ClockKind? Clock => TClock.Kind;

    /// <inheritdoc/>
    public static int MaxRecordBytes => ushort.MaxValue & ~7;

    /// <inheritdoc/>
    public static int PositionOffset => 1024;

    /// <inheritdoc/>
    public static int ConsumedOffset => 1032;

    /// <inheritdoc/>
    public static int LostOffset => 2048;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Now() => TClock.Read();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong NowOrdered() => TClock.ReadOrdered();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int WriteHead(byte* head, uint id, ulong now, ulong last, int lengthBytes, uint cpu, WriterThread* thread)
    {
        uint size = (RecordHeadBytes + (uint)lengthBytes + 7) & ~7U;
        *(ulong*)head = Sample | ((ulong)MiscUser << 32) | ((ulong)(ushort)size << 48);
        *(ulong*)(head + 8) = id;
        *(ulong*)(head + 16) = ((ulong)(uint)thread->ThreadId << 32) | (uint)Environment.ProcessId;
        *(ulong*)(head + 24) = now;
        *(ulong*)(head + 32) = cpu;
        *(uint*)(head + 40) = size - RecordHeadBytes;
        return RecordHeadBytes;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int TailBytes(int headBytes, int lengthBytes) => -(headBytes + lengthBytes) & 7;

    /// <inheritdoc/>
    public static void Begin(byte* control, ulong ringBytes)
    {
        *(uint*)(control + 72) = 1056;
        *(ulong*)(control + 1040) = StreamLayout.Data;
        *(ulong*)(control + 1048) = ringBytes;
    }
}
