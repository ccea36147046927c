using System.Runtime.InteropServices;
using Weir.Ring;

namespace Weir.Tests.Ring;

/// <summary>
/// Runs every interleaving of some writers, each with its script of records, from one state of a ring: every step from every state
/// that can be reached. A state is the ring's words and, of each writer, where it stands and what it has read to get there; two ways
/// into the same state have the same ways out of it, so only one of them is followed.
/// </summary>
internal sealed class Interleavings(SteppedRing ring, params uint[][] scripts)
{
    private readonly HashSet<string> _seen = [];
    private readonly List<(int Chosen, List<int> Others)> _path = [];
    private readonly int[] _begun = new int[scripts.Length];
    private readonly List<ulong>[] _read = [.. scripts.Select(_ => new List<ulong>())];
    private readonly List<CommitResult>[] _results = [.. scripts.Select(_ => new List<CommitResult>())];

    /// <summary>What the writes came to, at the end of each.</summary>
    public SortedSet<string> Outcomes { get; } = new(StringComparer.Ordinal);

    public int Runs { get; private set; }

    public int States => _seen.Count;

    public void Explore()
    {
        while (true)
        {
            try
            {
                Run();
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"after {ring.Trace}: {e.Message}", e);
            }
            Runs++;
            while (_path.Count > 0 && _path[^1].Others.Count == 0)
                _path.RemoveAt(_path.Count - 1);
            if (_path.Count == 0)
                return;
            var (_, others) = _path[^1];
            _path[^1] = (others[^1], others);
            others.RemoveAt(others.Count - 1);
        }
    }

    /// <summary>Runs as many interleavings as told, chosen at random.</summary>
    public void Sample(Random random, int runs)
    {
        for (; Runs < runs; Runs++)
        {
            Restart();
            try
            {
                while (Able() is { Count: > 0 } able)
                {
                    Step(able[random.Next(able.Count)]);
                    if (random.Next(4) == 0)
                        ring.Observe();
                }
                End();
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"after {ring.Trace}: {e.Message}", e);
            }
        }
    }

    private void Run()
    {
        Restart();
        foreach (var (chosen, _) in _path)
            Step(chosen);
        while (_seen.Add(State()))
        {
            ring.Observe();
            var able = Able();
            if (able.Count == 0)
            {
                End();
                return;
            }
            _path.Add((able[0], able[1..]));
            Step(able[0]);
        }
    }

    private void Restart()
    {
        ring.Restore();
        for (int i = 0; i < scripts.Length; i++)
        {
            ring.Rename(ring.Writers[i]);
            _begun[i] = 0;
            _read[i].Clear();
            _results[i].Clear();
        }
    }

    private List<int> Able() =>
        [.. Enumerable.Range(0, scripts.Length).Where(i => ring.Writers[i].Point != null || _begun[i] < scripts[i].Length)];

    private void Step(int i)
    {
        var writer = ring.Writers[i];
        bool isBegin = writer.Point == null;
        var point = ring.Step(writer, isBegin ? scripts[i][_begun[i]++] : 0);
        // What it has read, until it has reserved; from then on it only writes.
        if (point is RingPoint.PositionRead or RingPoint.Staged or null)
            _read[i].Clear();
        if (point is null)
            _results[i].Add(writer.Result);
        else if (point < RingPoint.Reserved)
            _read[i].AddRange([ring.Reader.PositionWord, ring.Reader.LastTime, ring.Reader.LostFull + ring.Reader.LostTooLarge]);
    }

    private void End()
    {
        ring.CheckQuiet();
        Outcomes.Add(string.Join(" | ", _results.Select(r => string.Join(' ', r))));
    }

    private string State()
    {
        var words = new List<ulong>();
        ring.AddState(words);
        for (int i = 0; i < scripts.Length; i++)
        {
            var writer = ring.Writers[i];
            words.AddRange([(ulong)_begun[i], (ulong)(writer.Point ?? (RingPoint)99), writer.Time, (ulong)_results[i].Count]);
            words.AddRange(_read[i]);
        }
        return new string(MemoryMarshal.Cast<ulong, char>(CollectionsMarshal.AsSpan(words)));
    }
}
