using System.Diagnostics;
using System.Runtime.InteropServices;
using Weir.Clock;
using Weir.Ring;

namespace Weir.Tests.Ring;

/// <summary>
/// Threads that share a few CPUs commit records through the section, into one log for each CPU, while signals rain on them. Then every
/// record must be there once, whole, in its thread's order; and the times of a log must not fall. Throws at the first that is not so.
/// <code>
/// log      0 guard's pair: end u64 | time u64   64 floor u64: moved by some records, first   128 records
/// record   sequence u32 | thread u16 | payload bytes u16   payload: time u64 | sequence % 64 known bytes
/// </code>
/// </summary>
internal sealed unsafe class SectionStorm
{
    private const int FloorOffset = 64;
    private const int RecordsOffset = 128;
    private const int HeadBytes = 8;
    private const int MaxRecordBytes = HeadBytes + sizeof(ulong) + 63;
    private const int TailBytes = 8;

    private readonly byte*[] _logs = new byte*[Cpus.PossibleCount];
    private readonly int[] _cpus;
    private readonly int _recordsPerThread;
    private readonly bool _isPair;
    private long _aborted;
    private long _stale;

    private SectionStorm(int[] cpus, int recordsPerThread, bool isPair)
    {
        _cpus = cpus;
        _recordsPerThread = recordsPerThread;
        _isPair = isPair;
    }

    internal readonly record struct Result(long Records, long Aborted, long Stale)
    {
        public override string ToString() => $"{Records} records, {Aborted} attempts aborted, {Stale} stale";
    }

    /// <summary>Runs until every thread has committed its records; the calling thread sends the signals.</summary>
    public static Result Run(int[] cpus, int threads, int recordsPerThread, bool isPair)
    {
        Native.EnsureSignalIsHarmless();
        var storm = new SectionStorm(cpus, recordsPerThread, isPair);
        nuint logBytes = RecordsOffset + ((nuint)threads * (nuint)recordsPerThread * MaxRecordBytes) + TailBytes;
        try
        {
            foreach (int cpu in cpus)
            {
                storm._logs[cpu] = (byte*)NativeMemory.AlignedAlloc(logBytes, 64);
                new Span<byte>(storm._logs[cpu], RecordsOffset).Clear();
                *(ulong*)storm._logs[cpu] = RecordsOffset;
            }
            storm.Write(threads);
            storm.Verify(threads);
            return new Result((long)threads * recordsPerThread, storm._aborted, storm._stale);
        }
        finally
        {
            foreach (byte* log in storm._logs)
                NativeMemory.AlignedFree(log);
        }
    }

    private void Write(int threads)
    {
        var threadIds = new int[threads];
        var failures = new Exception?[threads];
        int running = threads;
        var writers = Enumerable.Range(0, threads).Select(number => new Thread(() =>
        {
            try
            {
                Native.Pin(_cpus);
                Volatile.Write(ref threadIds[number], Native.ThreadId());
                WriteRecords((ushort)number);
            }
            catch (Exception e)
            {
                failures[number] = e;
            }
            finally
            {
                Volatile.Write(ref threadIds[number], 0);
                Interlocked.Decrement(ref running);
            }
        })
        {
            IsBackground = true,
        }).ToArray();
        foreach (var writer in writers)
            writer.Start();
        while (Volatile.Read(ref running) > 0)
        {
            for (int number = 0; number < threads; number++)
            {
                int threadId = Volatile.Read(ref threadIds[number]);
                if (threadId != 0)
                    _ = Native.SendSignal(Environment.ProcessId, threadId, Native.Signal);
            }
        }
        foreach (var writer in writers)
            writer.Join();
        if (failures.FirstOrDefault(f => f != null) is { } failure)
            throw new InvalidOperationException("a writer failed", failure);
    }

    private void WriteRecords(ushort thread)
    {
        byte* area = RseqArea.OfThisThread();
        CommitBlock* block = (CommitBlock*)NativeMemory.AlignedAlloc(CommitBlock.SizeBytes, 64);
        byte* payload = (byte*)NativeMemory.Alloc(MaxRecordBytes);
        *block = default;
        long aborted = 0;
        long stale = 0;
        for (uint sequence = 0; sequence < (uint)_recordsPerThread;)
        {
            Stage(block, payload, RseqArea.CurrentCpu(area), thread, sequence);
            int result = RawSection.Commit(_isPair, block);
            sequence += result == RseqSection.Committed ? 1U : 0;
            aborted += result == RseqSection.Aborted ? 1 : 0;
            stale += result == RseqSection.Stale ? 1 : 0;
        }
        Interlocked.Add(ref _aborted, aborted);
        Interlocked.Add(ref _stale, stale);
        NativeMemory.AlignedFree(block);
        NativeMemory.Free(payload);
    }

    private void Stage(CommitBlock* block, byte* payload, uint cpu, ushort thread, uint sequence)
    {
        byte* log = _logs[cpu];
        // Acquire: the time is that of this position's record or of a later one, and with a later one the section refuses.
        ulong position = Volatile.Read(ref *(ulong*)log);
        ulong last = Volatile.Read(ref *(ulong*)(log + 8));
        ulong now = Math.Max(Now(), last);
        int tailing = (int)(sequence % 64);
        block->Guard = log;
        block->Expected = position;
        block->First = position + HeadBytes + sizeof(ulong) + (ulong)tailing;
        block->Second = now;
        block->Target = log + position;
        block->Cpu = cpu;
        block->CpuOffset = RseqArea.CpuId;
        block->HeadBytes = HeadBytes;
        block->PayloadBytes = (uint)(sizeof(ulong) + tailing);
        block->Payload = payload;
        *(ulong*)block->Head = sequence | (ulong)thread << 32 | (ulong)block->PayloadBytes << 48;
        *(ulong*)payload = now;
        for (int i = 0; i < tailing; i++)
            payload[sizeof(ulong) + i] = (byte)(sequence + i);
        block->Extras = 0;
        if (sequence % 8 == 0)
        {
            block->PatchCount = 1;
            block->HasTail = 1;
            block->Tail = log + block->First;
            *(ulong*)block->Scratch = position;
            block->Patches[0] = (ulong)(log + FloorOffset);
            block->Patches[1] = (ulong)block->Scratch;
            block->Patches[2] = sizeof(ulong);
        }
    }

    private void Verify(int threads)
    {
        var seen = new bool[threads, _recordsPerThread];
        foreach (int cpu in _cpus)
        {
            byte* log = _logs[cpu];
            var next = new uint[threads];
            ulong lastTime = 0;
            ulong end = *(ulong*)log;
            ulong at = RecordsOffset;
            while (at < end)
            {
                ulong head = *(ulong*)(log + at);
                uint sequence = (uint)head;
                int thread = (ushort)(head >> 32);
                int payloadBytes = (int)(head >> 48);
                ulong time = *(ulong*)(log + at + HeadBytes);
                Require(thread < threads && sequence < (uint)_recordsPerThread && payloadBytes == sizeof(ulong) + (int)(sequence % 64), "a torn head");
                Require(sequence >= next[thread] && !seen[thread, sequence], "a record stands twice, or behind a later one of its thread");
                Require(!_isPair || time >= lastTime, "the time goes back");
                for (int i = 0; i < payloadBytes - sizeof(ulong); i++)
                    Require(log[at + HeadBytes + sizeof(ulong) + (ulong)i] == (byte)(sequence + i), "a torn payload");
                seen[thread, sequence] = true;
                next[thread] = sequence + 1;
                lastTime = time;
                at += HeadBytes + (ulong)payloadBytes;
            }
            Require(at == end, "the last record ends behind the position");
            Require(!_isPair || end == RecordsOffset || *(ulong*)(log + 8) == lastTime, "the time is not that of the last record");
            Require(*(ulong*)(log + FloorOffset) <= end, "the floor is behind the position");
        }
        foreach (bool isThere in seen)
            Require(isThere, "a record is missing");
    }

    private static ulong Now() => CpuCounter.IsTrusted ? CpuCounter.Read() : (ulong)Stopwatch.GetTimestamp();

    private static void Require(bool isTrue, string otherwise)
    {
        if (!isTrue)
            throw new InvalidOperationException(otherwise);
    }
}
