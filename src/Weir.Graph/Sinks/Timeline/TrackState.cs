namespace Weir.Graph;

/// <summary>What has begun on a track and not ended, and the name that was last told of it.</summary>
internal sealed class TrackState
{
    /// <summary>Deeper nesting is not kept: its ends come out as instants.</summary>
    public const int MaxDepth = 512;

    private int[] _subjects = [];

    /// <summary>Number of things that have begun and not ended.</summary>
    public int Depth { get; private set; }

    /// <summary>Whether it was described.</summary>
    public bool IsDescribed { get; set; }

    /// <summary>Hash of the name that was last told.</summary>
    public int NameHash { get; set; }

    /// <summary>Begins; false where it is nested too deep.</summary>
    public bool TryBegin(int subject)
    {
        if (Depth == MaxDepth)
            return false;
        if (Depth == _subjects.Length)
            Array.Resize(ref _subjects, Math.Max(4, Depth * 2));
        _subjects[Depth++] = subject;
        return true;
    }

    /// <summary>
    /// Ends the innermost thing of this subject and all inside it, whose own ends are missing; returns how many end, 0 where there is none
    /// such.
    /// </summary>
    public int End(int subject)
    {
        for (int i = Depth - 1; i >= 0; i--)
        {
            if (_subjects[i] != subject)
                continue;
            int count = Depth - i;
            Depth = i;
            return count;
        }
        return 0;
    }
}
