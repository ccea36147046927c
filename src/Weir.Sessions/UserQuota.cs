namespace Weir.Sessions;

/// <summary>
/// What another user's processes may cost the recorder of a session. What they cost in shared memory is that user's own, and what they
/// write to the trace is what was asked for. Not thread-safe.
/// </summary>
internal sealed class UserQuota
{
    /// <summary>Users of one session, so that nobody has more by having many.</summary>
    public const int MaxUsers = 128;

    /// <summary>Processes at a time.</summary>
    public const int MaxProcesses = 1000;

    /// <summary>Processes in the course of a session.</summary>
    public const int MaxProcessesEver = 65536;

    /// <summary>Bytes of metadata that one process may have.</summary>
    public const int MaxDescriptionBytes = 4 << 20;

    /// <summary>Bytes of a process's remarks.</summary>
    public const int MaxRemarksBytes = 4096;

    private const int MaxAllDescriptionsBytes = 32 << 20;
    private const long MaxFinishMs = 5000;

    private int _processes;
    private int _processesEver;
    private int _descriptionBytes;
    private long _finishMs;

    /// <summary>Whether what remains to be waited for at processes' ends may still be waited for.</summary>
    public bool MayWait => _finishMs < MaxFinishMs;

    /// <summary>Takes a process in; false where there are too many.</summary>
    public bool TryBegin()
    {
        if (_processes >= MaxProcesses || _processesEver >= MaxProcessesEver)
            return false;
        _processes++;
        _processesEver++;
        return true;
    }

    /// <summary>A process has ended, and the recorder has been at its end for a time.</summary>
    public void End(long finishMs)
    {
        _processes--;
        _finishMs += finishMs;
    }

    /// <summary>How large a process's metadata may be that has a size now.</summary>
    public int DescriptionLimit(int nowBytes) => Math.Min(MaxDescriptionBytes, nowBytes + MaxAllDescriptionsBytes - _descriptionBytes);

    /// <summary>A process's metadata has another size.</summary>
    public void ChangeDescription(int fromBytes, int toBytes) => _descriptionBytes += toBytes - fromBytes;
}
