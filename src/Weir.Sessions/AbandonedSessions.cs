using Weir.Tracing;

namespace Weir.Sessions;

/// <summary>
/// Removes what sessions leave behind whose owner was killed. Only what is certain to be that: a directory of this user with a
/// session's file that can be read, that names an owner, and whose owner is dead; and its buffers in shared memory under the name that
/// only sessions give.
/// </summary>
internal static class AbandonedSessions
{
    private const int DeleteAttempts = 5;
    private const int DeleteRetryMs = 10;

    /// <summary>Removes the abandoned sessions of a home and says which; what it cannot read or delete stays.</summary>
    public static IReadOnlyList<string> Remove(string home)
    {
        var removed = new List<string>();
        try
        {
            foreach (var directory in new DirectoryInfo(home).EnumerateDirectories())
                Try(() => RemoveIfAbandoned(directory, removed));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What lies about is no reason not to record.
        }
        return removed;
    }

    private static void RemoveIfAbandoned(DirectoryInfo directory, List<string> removed)
    {
        if (directory.LinkTarget != null || !IsThisUsers(directory.FullName)
            || !SessionDescription.TryRead(directory.FullName, out var session, out _) || session.OwnerProcessId == 0
            || session.IsOwnerAlive(directory.FullName))
            return;
        string? shared = new DirectoryInfo(Path.Combine(directory.FullName, SessionDescription.BuffersName)).LinkTarget;
        Delete(directory.FullName, shared != null && SharedBuffers.IsOne(shared) && IsThisUsers(shared) ? shared : null);
        removed.Add(directory.Name);
    }

    /// <summary>Deletes a session's directory and its buffers elsewhere, if they are; what cannot be deleted stays.</summary>
    public static void Delete(string directory, string? sharedBuffers)
    {
        // First the file that makes it a session, so that nobody attaches any more.
        Try(() => File.Delete(Path.Combine(directory, SessionDescription.FileName)));
        if (sharedBuffers != null)
            DeleteTree(sharedBuffers);
        DeleteTree(directory);
    }

    private static void DeleteTree(string directory)
    {
        // A program may be making its buffers at this moment.
        for (int i = 0; i < DeleteAttempts && !DirectoryRemoval.TryRemove(directory); i++)
            Thread.Sleep(DeleteRetryMs);
    }

    private static void Try(Action delete)
    {
        try
        {
            delete();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It stays.
        }
    }

    private static bool IsThisUsers(string path) => SessionHome.OwnerOf(path) == SessionHome.EffectiveUserId();
}
