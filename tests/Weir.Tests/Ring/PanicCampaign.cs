using System.Globalization;
using Weir.Ring;

namespace Weir.Tests.Ring;

/// <summary>
/// Not a process dies but its kernel, and the rings' files lie where that does not matter. Run by tests/vm/kernel-panic in a virtual machine,
/// once to write and once to read.
/// </summary>
internal static unsafe class PanicCampaign
{
    private const int EnoughRecords = 500;

    private static CtfRing[] Kinds => CtfRing.Possible(64 << 10);

    /// <summary>Writes into one ring of each kind until the kernel has died, which is asked for once each thread has written some.</summary>
    internal static int WriteUntilPanic(string[] args)
    {
        var progress = new List<(CtfRing Kind, nint Lines)>();
        foreach (var kind in Kinds)
            progress.Add((kind, (nint)NumberedWriters.Start(kind, Directory.CreateDirectory(Path.Combine(args[0], kind.ToString())).FullName)));
        // A thread that finds a ring full in discard mode waits for ever.
        while (!progress.TrueForAll(ring => Enumerable.Range(0, NumberedWriters.Threads).All(t => Told(ring.Lines, t) > 0)
            && Enumerable.Range(0, NumberedWriters.Threads).Sum(t => (long)Told(ring.Lines, t)) > EnoughRecords))
        {
            Thread.Sleep(10);
        }
        foreach (var (kind, lines) in progress)
            Console.WriteLine($"committed {kind} {Line(t => Told(lines, t))}");
        Console.Out.Flush();
        // So that the lines are out; the threads go on.
        Thread.Sleep(500);
        File.WriteAllText("/proc/sysrq-trigger", "c");
        return 1;
    }

    /// <summary>Recovers and checks them all.</summary>
    internal static int RecoverAll(string[] args)
    {
        foreach (var kind in Kinds)
        {
            string directory = Path.Combine(args[0], kind.ToString());
            var campaign = new KillCampaign(0);
            campaign.Recover(directory, kind);
            byte[] told = File.ReadAllBytes(Path.Combine(directory, NumberedWriters.ProgressFile));
            Console.WriteLine(
                $"recovered {kind} {Line(t => BitConverter.ToUInt64(told, t * NumberedWriters.LineBytes))} "
                + $"({campaign.Records} records in the ring, {campaign.Untold} not told, {campaign.Holes} holes)");
        }
        return 0;
    }

    private static ulong Told(nint lines, int thread) => Volatile.Read(ref *(ulong*)(lines + (thread * NumberedWriters.LineBytes)));

    private static string Line(Func<int, ulong> told) =>
        string.Join(' ', Enumerable.Range(0, NumberedWriters.Threads).Select(t => told(t).ToString(CultureInfo.InvariantCulture)));
}
