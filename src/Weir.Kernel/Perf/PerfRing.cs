using System.Globalization;
using System.Runtime.InteropServices;

namespace Weir.Kernel;

/// <summary>
/// The buffer that the kernel writes the records of one CPU's counters into, shared with it:
/// <code>
///  page 0     40 capabilities u64 | 48 width u16 | 50 time_shift u16 | 52 time_mult u32 | 56 time_offset u64 | 64 time_zero u64
///           1024 data_head u64, the kernel's | 1032 data_tail u64, ours
///  pages 1-N  records, one after the other, around the end; head 0 type u32 | 4 misc u16 | 6 bytes u16
/// </code>
/// Source: linux, include/uapi/linux/perf_event.h. Not thread-safe.
/// </summary>
internal sealed unsafe class PerfRing : IDisposable
{
    private const int HeadOffset = 1024;
    private const int TailOffset = 1032;
    private const int HeaderBytes = 8;
    private const int MaxRecordBytes = 1 << 16;
    private const int ReadWrite = 3;
    private const int Shared = 1;
    private const int LeastBytes = 32 << 10;
    private const ulong CanConvertTime = 1 << 4;

    private readonly List<int> _files = [];
    private readonly byte* _page;
    private readonly byte* _data;
    private readonly ulong _dataBytes;
    private readonly byte[] _wrapped = GC.AllocateUninitializedArray<byte>(MaxRecordBytes);
    private ulong _position;
    private ulong _head;

    /// <summary>Maps the buffer of a counter, which is the ring's from then on.</summary>
    /// <param name="cpu">Its CPU.</param>
    /// <param name="file">The counter.</param>
    /// <param name="dataBytes">Bytes of records, a power of two; fewer where there may not be so much locked memory.</param>
    /// <exception cref="KernelException">There is no memory for it.</exception>
    public PerfRing(int cpu, int file, int dataBytes)
    {
        Cpu = cpu;
        _files.Add(file);
        int error = 0;
        for (int bytes = dataBytes; bytes >= LeastBytes; bytes /= 2)
        {
            nint mapped = LibC.Map(0, (nuint)(bytes + Environment.SystemPageSize), ReadWrite, Shared, file, 0);
            if (mapped == -1)
            {
                error = Marshal.GetLastPInvokeError();
                continue;
            }
            _page = (byte*)mapped;
            _data = _page + Environment.SystemPageSize;
            _dataBytes = (ulong)bytes;
            return;
        }
        _ = LibC.Close(file);
        throw new KernelException(string.Create(
            CultureInfo.InvariantCulture,
            $"no buffer for the counters of CPU {cpu}: {Marshal.GetPInvokeErrorMessage(error)}; kernel.perf_event_mlock_kb and 'ulimit -l' say how much memory may be locked"));
    }

    /// <summary>The CPU.</summary>
    public int Cpu { get; }

    /// <summary>What is readable when the kernel wakes us.</summary>
    public int Descriptor => _files[0];

    /// <summary>All its counters, that with the buffer first.</summary>
    public IReadOnlyList<int> Files => _files;

    /// <summary>How the kernel's own clock of its counters follows the CPU's counter; null where it does not say it.</summary>
    public PerfTimeScale? TimeScale =>
        (*(ulong*)(_page + 40) & CanConvertTime) == 0 ? null : new PerfTimeScale(*(ulong*)(_page + 64), *(uint*)(_page + 52), *(ushort*)(_page + 50));

    /// <summary>Adds a counter that writes into the buffer too; it is the ring's from then on.</summary>
    /// <exception cref="KernelException">The kernel refuses it.</exception>
    public void Add(int file)
    {
        _files.Add(file);
        if (!PerfEventFile.TrySetOutput(file, _files[0]))
            throw new KernelException(string.Create(CultureInfo.InvariantCulture, $"the counters of CPU {Cpu} cannot have one buffer: {Marshal.GetLastPInvokeErrorMessage()}"));
    }

    /// <summary>Begins to read what is there now.</summary>
    public void BeginRead()
    {
        // The kernel's records before its head: its barrier stands before the store of the head.
        _head = Volatile.Read(ref *(ulong*)(_page + HeadOffset));
        _position = *(ulong*)(_page + TailOffset);
    }

    /// <summary>The next record without its head; false at the end. Valid until the next call.</summary>
    public bool TryRead(out PerfRecord record)
    {
        record = default;
        if (_head - _position < HeaderBytes)
            return false;
        // Records are of whole 8 bytes, so that a head never lies around the end.
        byte* head = _data + (_position & (_dataBytes - 1));
        int length = *(ushort*)(head + 6);
        if (length < HeaderBytes || (ulong)length > _head - _position)
        {
            // The kernel does not write such; whoever maps the buffer too might.
            _position = _head;
            return false;
        }
        ulong start = (_position + HeaderBytes) & (_dataBytes - 1);
        int bytes = length - HeaderBytes;
        int straight = (int)Math.Min((ulong)bytes, _dataBytes - start);
        var body = new ReadOnlySpan<byte>(_data + start, straight);
        if (straight < bytes)
        {
            body.CopyTo(_wrapped);
            new ReadOnlySpan<byte>(_data, bytes - straight).CopyTo(_wrapped.AsSpan(straight));
            body = _wrapped.AsSpan(0, bytes);
        }
        record = new PerfRecord(*(uint*)head, *(ushort*)(head + 4), body);
        _position += (ulong)length;
        return true;
    }

    /// <summary>Gives the room of what was read back.</summary>
    public void EndRead() =>
        // After all loads of the records: the kernel writes over them once it sees it.
        Volatile.Write(ref *(ulong*)(_page + TailOffset), _position);

    /// <inheritdoc/>
    public void Dispose()
    {
        _ = LibC.Unmap((nint)_page, (nuint)_dataBytes + (nuint)Environment.SystemPageSize);
        foreach (int file in _files)
            _ = LibC.Close(file);
    }
}

/// <summary>A record of the kernel's.</summary>
/// <param name="type">What it is.</param>
/// <param name="misc">Some bits about it.</param>
/// <param name="body">What follows its head.</param>
internal readonly ref struct PerfRecord(uint type, ushort misc, ReadOnlySpan<byte> body)
{
    public uint Type { get; } = type;

    public ushort Misc { get; } = misc;

    public ReadOnlySpan<byte> Body { get; } = body;
}
