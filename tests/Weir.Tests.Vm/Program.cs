using System.Diagnostics;
using System.Runtime.InteropServices;
using Weir.Clock;
using Weir.Ring;
using Weir.Tests.Ring;

namespace Weir.Tests.Vm;

/// <summary>Runs its checks one after the other and says a line about each; the status is the number of those that failed.</summary>
internal static class Program
{
    private const int Threads = 4;
    private const int RecordsPerThread = 10_000;
    private const int EnoughAborts = 20;

    private static int s_failures;

    private static int Main()
    {
        Console.WriteLine($"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}, {Environment.ProcessorCount} CPUs");
        Check("the counter rises, at one rate, on every CPU", CounterRises);
        Check("restartable sequences are registered", AreaIsKnown);
        Check("the section can run", () => Expect(RseqSection.IsAvailable, RseqSection.Verdict));
        foreach (bool isPair in (ReadOnlySpan<bool>)[false, true])
        {
            string commit = isPair ? "a pair's commit" : "a word's commit";
            Check($"{commit}: every size is copied exactly", () => ExactCopies.CheckRecords(isPair) + ExactCopies.CheckPatches(isPair) + " blocks");
            Check($"{commit}: left at any instruction, no trace", () => AttemptsAreLeft(isPair));
            Check($"{commit}: records survive the kernel's aborts", () => RecordsSurvive(isPair));
        }
        Check("a ring is read while it is written, by the restartable sequence", RingStorm.Drain<PerCpu<Rseq>>);
        Check("a ring is read while it is written, by the atomic one", RingStorm.Drain<PerCpu<Atomic>>);
        Check("a ring for all CPUs is read while it is written", RingStorm.Drain<Global>);
        Check("snapshots of a flight recorder, by the restartable sequence", RingStorm.Snapshot<PerCpu<Rseq>>);
        Check("snapshots of a flight recorder, by the atomic one", RingStorm.Snapshot<PerCpu<Atomic>>);
        return s_failures;
    }

    private static string CounterRises()
    {
        Expect(CpuCounter.IsTrusted, CpuCounter.Verdict);
        var cpus = Cpus.Allowed();
        ulong last = 0;
        long begun = Stopwatch.GetTimestamp();
        ulong first = CpuCounter.ReadOrdered();
        Native.OnPinnedThread([.. cpus], () =>
        {
            for (int i = 0; i < 100; i++)
            {
                Native.Pin(cpus[i % cpus.Count]);
                for (int k = 0; k < 100; k++)
                {
                    ulong now = CpuCounter.ReadOrdered();
                    Expect(now >= last, "it goes back");
                    Expect(CpuCounter.Read() >= now, "its two readings differ");
                    last = now;
                }
            }
        });
        Thread.Sleep(200);
        double seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        return $"{CpuCounter.Verdict}; {(CpuCounter.ReadOrdered() - first) / seconds / 1e6:f1} MHz";
    }

    private static unsafe string AreaIsKnown()
    {
        Expect(RseqArea.IsRegistered, RseqArea.Verdict);
        foreach (int cpu in Cpus.Allowed())
        {
            Native.OnPinnedThread([cpu], () =>
            {
                uint current = RseqArea.CurrentCpu(RseqArea.OfThisThread());
                Expect(current == cpu, $"on CPU {cpu} it says {current}");
            });
        }
        return $"{RseqArea.Verdict}; a number within the process: {(RseqArea.HasConcurrencyId ? "yes" : "no")}";
    }

    private static string AttemptsAreLeft(bool isPair)
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.Arm64)
            return "skipped: only the code for Arm64 can be changed in place";
        int count = 0;
        Native.OnPinnedThread([Cpus.Allowed()[0]], () => count = AbortedAttempts.Check(
            InterruptedSection.Offsets, offset => InterruptedSection.LeftAt(offset, isPair), InterruptedSection.Left, isPair));
        return $"{count} instructions";
    }

    private static string RecordsSurvive(bool isPair)
    {
        var all = default(SectionStorm.Result);
        while (all.Aborted < EnoughAborts)
        {
            var one = SectionStorm.Run([.. Cpus.Allowed().Take(2)], Threads, RecordsPerThread, isPair);
            all = new(all.Records + one.Records, all.Aborted + one.Aborted, all.Stale + one.Stale);
        }
        return all.ToString();
    }

    private static void Check(string what, Func<string> check)
    {
        var clock = Stopwatch.StartNew();
        try
        {
            string found = check();
            Console.WriteLine($"ok      {what} ({found}; {clock.Elapsed.TotalSeconds:f1} s)");
        }
        catch (Exception e)
        {
            s_failures++;
            Console.WriteLine($"FAILED  {what}: {e.Message}");
        }
    }

    private static string Expect(bool isTrue, string otherwise) => isTrue ? otherwise : throw new InvalidOperationException(otherwise);
}
