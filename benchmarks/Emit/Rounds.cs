using System.Diagnostics;
using System.Runtime;

namespace Weir.Bench.Emit;

/// <summary>
/// The rhythm of every measurement. A ring that is full discards, and discarding is cheaper than recording; so a round emits far fewer
/// events than the buffers hold, and a pause lets the consumer take them before the next.
/// </summary>
internal static class Rounds
{
    // With 100,000 events of 12 bytes a round, one lap of two CPUs' 32 MiB each: after it no page of the buffers is new.
    private const int MinWarmUpRounds = 60;
    private const int MaxWarmUpRounds = 1000;
    private const int JitQuietMs = 300;
    private const int PauseMs = 10;

    /// <summary>
    /// Runs rounds until the JIT has compiled nothing for a while, then <paramref name="rounds"/> more that count.
    /// </summary>
    /// <param name="rounds">How many rounds count.</param>
    /// <param name="round">One round; its argument is the round's number, negative in the warm-up.</param>
    /// <returns>All rounds, those of the warm-up included.</returns>
    public static int Run(int rounds, Action<int> round)
    {
        int warmUp = 0;
        long compiled = -1;
        var quiet = Stopwatch.StartNew();
        while (warmUp < MinWarmUpRounds || (quiet.ElapsedMilliseconds < JitQuietMs && warmUp < MaxWarmUpRounds))
        {
            if (JitInfo.GetCompiledMethodCount() != compiled)
            {
                compiled = JitInfo.GetCompiledMethodCount();
                quiet.Restart();
            }
            round(-1 - warmUp++);
            Thread.Sleep(PauseMs);
        }
        for (int i = 0; i < rounds; i++)
        {
            round(i);
            Thread.Sleep(PauseMs);
        }
        return warmUp + rounds;
    }
}
