namespace Weir.Sessions;

/// <summary>
/// Tells whether a directory may have got new entries since the last question, for the price of one stat: it is asked hundreds of times
/// a second.
/// </summary>
/// <param name="lastWrite">When the directory was written last; a time long ago of one that is gone.</param>
internal sealed class DirectoryChange(Func<DateTime> lastWrite)
{
    // File times move in steps of the kernel's tick: what came in the same step as the last look would be missed.
    private static readonly TimeSpan s_recent = TimeSpan.FromMilliseconds(100);

    private DateTime _seen;

    /// <summary>Whether to look; errs on the side of looking.</summary>
    public bool HasChanged()
    {
        var now = DateTime.UtcNow;
        var written = lastWrite();
        if (written == _seen && now - written > s_recent)
            return false;
        _seen = written;
        return true;
    }
}
