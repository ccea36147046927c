using System.Diagnostics.CodeAnalysis;
using Weir.Tracing;

namespace Weir.Sessions;

/// <summary>
/// Finds the processes that have buffers in a session, each once, and decides which are taken in: other users may have put anything there.
/// Not thread-safe.
/// </summary>
internal sealed class ProcessFinder(string buffersDirectory, string outputDirectory, SessionDescription session)
{
    /// <summary>Entries of the buffers that are looked at, and those of them that are remembered as none of a program.</summary>
    private const int MaxEntries = 100_000;
    private const int MaxPassedOver = 1000;

    private readonly Dictionary<uint, UserQuota> _quotas = [];
    private readonly HashSet<string> _passedOver = [];
    private readonly HashSet<string> _problems = [];

    // Also of processes that have ended: a directory that could not be removed is not begun again.
    private readonly HashSet<string> _known = [];

    /// <summary>Processes of other users that could not be recorded.</summary>
    public long RefusedCount { get; private set; }

    /// <summary>What was not taken in; a sentence each.</summary>
    public IEnumerable<string> Problems
    {
        get
        {
            string count = _passedOver.Count < MaxPassedOver ? $"{_passedOver.Count}" : $"{MaxPassedOver} or more";
            return _passedOver.Count == 0 ? _problems : _problems.Append($"{buffersDirectory}: {count} things that no traced program makes were passed over");
        }
    }

    /// <summary>The processes that have come since the last call, by the names of their directories.</summary>
    public IEnumerable<(string Name, ProcessDrain Process)> FindNew()
    {
        foreach (string name in Names())
        {
            if (!_known.Contains(name) && !_passedOver.Contains(name) && TryTakeIn(name) is { } process)
                yield return (name, process);
        }
    }

    private ProcessDrain? TryTakeIn(string name)
    {
        var buffers = ProcessBuffers.TryOpen(buffersDirectory, name);
        if (buffers == null || (buffers.IsForeign && !IsAcceptable(name)))
        {
            // What has a program's name and cannot be opened may be gone by now, and come again.
            if (_passedOver.Count < MaxPassedOver && (buffers != null || !ProcessDirectory.IsName(name)))
                _passedOver.Add(name);
            buffers?.Dispose();
            return null;
        }
        if (name.EndsWith(RefusedProcesses.MarkSuffix, StringComparison.Ordinal))
        {
            Refuse(name, buffers);
            return null;
        }
        if (!buffers.IsForeign || (TryGetQuota(buffers.User, out var quota) && quota.TryBegin()))
        {
            _known.Add(name);
            return new ProcessDrain(buffers, Path.Combine(outputDirectory, "ust", "pid", name), session, buffers.IsForeign ? _quotas[buffers.User] : null);
        }
        if (_problems.Count < UserQuota.MaxUsers)
            _problems.Add($"user {buffers.User} has more processes than are recorded of another user, {UserQuota.MaxProcesses} at a time; some are not in the trace");
        Refuse(name, buffers);
        return null;
    }

    /// <summary>Counts a process that is not recorded, as long as there is room to remember that it was.</summary>
    private void Refuse(string name, ProcessBuffers buffers)
    {
        const int MaxRefused = 100_000;
        if (RefusedCount < MaxRefused && _known.Add(name))
            RefusedCount++;
        buffers.Dispose();
    }

    private static bool IsAcceptable(string name) => ProcessDirectory.IsName(
        name.EndsWith(RefusedProcesses.MarkSuffix, StringComparison.Ordinal) ? name[..^RefusedProcesses.MarkSuffix.Length] : name);

    private bool TryGetQuota(uint user, [NotNullWhen(true)] out UserQuota? quota)
    {
        if (!_quotas.TryGetValue(user, out quota) && _quotas.Count < UserQuota.MaxUsers)
            _quotas.Add(user, quota = new UserQuota());
        return quota != null;
    }

    private string[] Names()
    {
        try
        {
            using var directory = DirectoryEntries.Open(buffersDirectory);
            return DirectoryEntries.Names(directory, MaxEntries);
        }
        catch (IOException)
        {
            return [];
        }
    }
}
