using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Weir.Kernel;

/// <summary>
/// Makes events of the kernel's records:
/// <code>
///  sample    0 id u64 | 8 ip u64 | 16 pid u32, tid u32 | 24 time u64 | 32 addr u64 | 40 cpu u32, 0 | 48 period u64, if not fixed | count u64 | addresses
///  mmap2     0 pid u32, tid u32 | 8 start u64 | 16 length u64 | 24 offset u64 | 32 file, or build ID's length u8 and 36 ID | 56 prot, flags | 64 path
///  comm      0 pid u32, tid u32 | 8 name
///  fork, exit  0 pid u32, ppid u32 | 8 tid u32, ptid u32 | 16 time u64
///  lost      0 id u64 | 8 count u64            lost samples  0 count u64
///  behind each but a sample  -32 pid u32, tid u32 | -24 time u64 | -16 cpu u32, 0 | -8 id u64
/// </code>
/// In a stack's addresses numbers near 2^64 say whose the next ones are. Source: linux, include/uapi/linux/perf_event.h. Not thread-safe.
/// </summary>
internal sealed class PerfRecords(PerfEvents events, PerfClock clock, AddressSpaces spaces)
{
    private const uint LostType = 2;
    private const uint CommType = 3;
    private const uint ExitType = 4;
    private const uint ThrottleType = 5;
    private const uint ForkType = 7;
    private const uint SampleType = 9;
    private const uint Mmap2Type = 10;
    private const uint LostSamplesType = 13;

    private const int TrailerBytes = 32;
    private const int SampleBytes = 56;
    private const int MapBytes = 64;
    private const int TaskBytes = 24;
    private const int MostBuildIdBytes = 20;
    private const uint Executable = 4;
    private const ushort IsExec = 1 << 13;
    private const ushort HasBuildId = 1 << 14;

    private const ulong FirstContext = unchecked((ulong)-4095);
    private const ulong KernelContext = unchecked((ulong)-128);
    private const ulong UserContext = unchecked((ulong)-512);

    private readonly Dictionary<ulong, (byte Number, ulong FixedPeriod)> _counters = [];

    /// <summary>Records that the buffers had no room for.</summary>
    public ulong Lost { get; private set; }

    /// <summary>How often the kernel has paused a counter.</summary>
    public ulong ThrottledCount { get; private set; }

    /// <summary>Tells which counter the kernel calls by a number.</summary>
    public void Name(ulong id, PerfRequest request)
    {
        for (byte i = 0; i < PerfCounters.All.Count; i++)
        {
            if (PerfCounters.All[i] == request.Counter)
                _counters[id] = (i, request.IsFrequency ? 0 : request.Rate);
        }
    }

    /// <summary>Called before the buffers are read one after the other.</summary>
    public void BeginRound() => spaces.BeginRound();

    /// <summary>Writes the event that a record becomes; what is too short or not known is passed over.</summary>
    public void Write(KernelStream stream, in PerfRecord record)
    {
        var body = record.Body;
        switch (record.Type)
        {
            case SampleType when body.Length >= SampleBytes:
                WriteSample(stream, body);
                break;
            case Mmap2Type when body.Length >= MapBytes + TrailerBytes:
                WriteMap(stream, body, (record.Misc & HasBuildId) != 0);
                break;
            case CommType when body.Length >= 8 + TrailerBytes:
                WriteName(stream, body, (record.Misc & IsExec) != 0);
                break;
            case ForkType or ExitType when body.Length >= TaskBytes:
                WriteTask(stream, body, record.Type == ForkType);
                break;
            case LostType when body.Length >= 16:
                AddLost(stream, UInt64(body, 8));
                break;
            case LostSamplesType when body.Length >= 8:
                AddLost(stream, UInt64(body, 0));
                break;
            case ThrottleType:
                ThrottledCount++;
                break;
        }
    }

    private void WriteSample(KernelStream stream, ReadOnlySpan<byte> body)
    {
        int pid = Int32(body, 16);
        ulong time = clock.ToCycles(UInt64(body, 24));
        var (counter, period) = _counters.GetValueOrDefault(UInt64(body, 0));
        var rest = MemoryMarshal.Cast<byte, ulong>(body[48..]);
        if (period == 0)
        {
            period = rest[0];
            rest = rest[1..];
        }
        ulong count = rest.Length > 0 ? rest[0] : 0;
        var addresses = rest.Length > 0 ? rest[1..] : [];
        if (count < (ulong)addresses.Length)
            addresses = addresses[..(int)count];
        var kernel = Part(addresses, KernelContext);
        var user = Part(addresses, UserContext);
        spaces.See(AddressSpaces.Kernel, time, kernel);
        spaces.See(pid, time, user);
        var event_ = stream.BeginEvent(events.Sample, time);
        event_.Write(counter, 8);
        event_.Write((uint)pid, 32);
        event_.Write((uint)Int32(body, 20), 32);
        event_.Write((uint)Int32(body, 40), 32);
        event_.Write(period, 64);
        event_.Write(UInt64(body, 8), 64);
        event_.Write(UInt64(body, 32), 64);
        event_.Write((uint)kernel.Length, 32);
        event_.WriteBytes(MemoryMarshal.AsBytes(kernel));
        event_.Write((uint)user.Length, 32);
        event_.WriteBytes(MemoryMarshal.AsBytes(user));
        stream.EndEvent();
    }

    /// <summary>The addresses between the number that names a part of the stack and the next such number.</summary>
    internal static ReadOnlySpan<ulong> Part(ReadOnlySpan<ulong> addresses, ulong context)
    {
        int start = addresses.IndexOf(context);
        if (start < 0)
            return [];
        var part = addresses[(start + 1)..];
        int end = part.IndexOfAnyInRange(FirstContext, ulong.MaxValue);
        return end < 0 ? part : part[..end];
    }

    private void WriteMap(KernelStream stream, ReadOnlySpan<byte> body, bool hasBuildId)
    {
        var (pid, start, length, offset) = (Int32(body, 0), UInt64(body, 8), UInt64(body, 16), UInt64(body, 24));
        var buildId = hasBuildId ? body.Slice(36, Math.Min((int)body[32], MostBuildIdBytes)) : [];
        var path = Text(body[MapBytes..^TrailerBytes]);
        ulong time = TrailerTime(body);
        if (((uint)Int32(body, 56) & Executable) != 0)
            spaces.Map(pid, time, start, start + length, offset, Encoding.UTF8.GetString(path));
        var event_ = stream.BeginEvent(events.Map, time);
        event_.Write((uint)pid, 32);
        event_.Write((uint)Int32(body, 4), 32);
        event_.Write(start, 64);
        event_.Write(start + length, 64);
        event_.Write(offset, 64);
        event_.Write((uint)buildId.Length, 32);
        event_.WriteBytes(buildId);
        event_.WriteString(path);
        stream.EndEvent();
    }

    private void WriteName(KernelStream stream, ReadOnlySpan<byte> body, bool isExec)
    {
        ulong time = TrailerTime(body);
        if (isExec)
            spaces.Exec(Int32(body, 0), time);
        var event_ = stream.BeginEvent(events.Name, time);
        event_.Write((uint)Int32(body, 0), 32);
        event_.Write((uint)Int32(body, 4), 32);
        event_.Write(isExec ? 1u : 0, 8);
        event_.WriteString(Text(body[8..^TrailerBytes]));
        stream.EndEvent();
    }

    private void WriteTask(KernelStream stream, ReadOnlySpan<byte> body, bool isFork)
    {
        var (pid, parent, tid) = (Int32(body, 0), Int32(body, 4), Int32(body, 8));
        ulong time = clock.ToCycles(UInt64(body, 16));
        if (isFork && pid != parent)
            spaces.Fork(pid, parent, time);
        else if (!isFork && pid == tid)
            spaces.Exit(pid);
        var event_ = stream.BeginEvent(isFork ? events.Fork : events.Exit, time);
        event_.WriteBytes(body[..16]);
        stream.EndEvent();
    }

    private void AddLost(KernelStream stream, ulong count)
    {
        Lost += count;
        stream.AddLost(count);
    }

    private ulong TrailerTime(ReadOnlySpan<byte> body) => clock.ToCycles(UInt64(body[^TrailerBytes..], 8));

    private static ReadOnlySpan<byte> Text(ReadOnlySpan<byte> padded)
    {
        int end = padded.IndexOf((byte)0);
        return end < 0 ? padded : padded[..end];
    }

    private static int Int32(ReadOnlySpan<byte> body, int offset) => BinaryPrimitives.ReadInt32LittleEndian(body[offset..]);

    private static ulong UInt64(ReadOnlySpan<byte> body, int offset) => BinaryPrimitives.ReadUInt64LittleEndian(body[offset..]);
}
