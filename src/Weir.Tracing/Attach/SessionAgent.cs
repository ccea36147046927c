namespace Weir.Tracing;

/// <summary>
/// Keeps this process's tracepoints in step with the sessions that want them: looks when a provider registers, and again whenever a
/// home's doorbell rings. Everything happens under one lock and outside the program's own paths; nothing here ever throws into the
/// program.
/// </summary>
internal static class SessionAgent
{
    private static readonly Lock s_lock = new();
    private static readonly List<TracepointProvider> s_providers = [];
    private static readonly Dictionary<string, SessionAttachment?> s_attachments = [];
    private static readonly bool s_isVerbose = Environment.GetEnvironmentVariable("WEIR_LOG") is { Length: > 0 };
    private static HomeWatch? s_watch;
    private static bool s_isWatching;

    /// <summary>Adds a provider; sessions that want its events have them from now on.</summary>
    public static void Register(TracepointProvider provider)
    {
        // Sessions are a matter of Linux; elsewhere a program's tracepoints stay disabled.
        if (!OperatingSystem.IsLinux())
            return;
        try
        {
            lock (s_lock)
            {
                s_providers.Add(provider);
                // Watch before looking: a session made in between rings a doorbell that is heard.
                if (!s_isWatching)
                    StartWatch();
                Synchronize();
            }
        }
        catch (Exception e)
        {
            // Whatever it is, threads and memory that cannot be had included: a program does not fail because it is traced.
            Log($"provider {provider.Name} is not recorded: {e.Message}");
        }
    }

    private static void StartWatch()
    {
        s_isWatching = true;
        string home = SessionHome.Path;
        MakeHome(home);
        var homes = new HashSet<string>(SessionHome.Searched);
        foreach (string session in NamedSessions())
            homes.Add(Path.GetDirectoryName(session) ?? session);
        s_watch = HomeWatch.TryCreate(homes);
        if (s_watch is not { } watch)
        {
            Log($"{home}: cannot be watched; sessions that start later are not seen");
            return;
        }
        new Thread(() => Listen(watch, home)) { IsBackground = true, Name = "Weir session watch" }.Start();
    }

    /// <summary>Makes the home, so that there is something to watch before the first session is made.</summary>
    private static void MakeHome(string home)
    {
        try
        {
            SessionHome.Create(home);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log($"{home}: {e.Message}");
        }
    }

    private static void Listen(HomeWatch watch, string home)
    {
        while (watch.Wait())
        {
            try
            {
                // Somebody may have removed the home, and the watch with it.
                MakeHome(home);
                watch.Renew();
                lock (s_lock)
                    Synchronize();
            }
            catch (Exception e)
            {
                Log(e.Message);
            }
        }
    }

    /// <summary>Looks at every session and gives each tracepoint its sinks.</summary>
    private static void Synchronize()
    {
        var live = new List<(SessionAttachment Attachment, SessionDescription Session)>();
        var found = new HashSet<string>();
        foreach (var (directory, session) in FindSessions())
        {
            found.Add(directory);
            if (!session.IsStarted)
                continue;
            if (!s_attachments.TryGetValue(directory, out var attachment))
            {
                // A program that no rule concerns gets no buffers.
                if (!IsWanted(session))
                    continue;
                s_attachments[directory] = attachment = TryAttach(directory, session);
                s_watch?.WatchOwner(directory);
            }
            if (attachment != null)
                live.Add((attachment, session));
        }
        foreach (var provider in s_providers)
        {
            foreach (var tracepoint in provider.Tracepoints)
            {
                var sinks = new List<TracepointSink>();
                foreach (var (attachment, session) in live)
                {
                    if (TryBind(attachment, tracepoint, session) is { } sink)
                        sinks.Add(sink);
                }
                tracepoint.SetSinks([.. sinks]);
            }
        }
        foreach (var (attachment, session) in live)
            attachment.Remark(s_providers, session.Rules);
        foreach (string gone in s_attachments.Keys.Where(directory => !found.Contains(directory)).ToList())
        {
            if (s_attachments.Remove(gone, out var attachment))
                attachment?.Dispose();
        }
    }

    /// <summary>A session that is broken costs the others nothing.</summary>
    private static TracepointSink? TryBind(SessionAttachment attachment, Tracepoint tracepoint, SessionDescription session)
    {
        try
        {
            return attachment.Bind(tracepoint, session.Rules);
        }
        catch (Exception e)
        {
            Log($"{tracepoint.Provider.Name}:{tracepoint.Name} is not recorded: {e.Message}");
            return null;
        }
    }

    private static bool IsWanted(SessionDescription session) =>
        s_providers.Any(provider => provider.Tracepoints.Any(tracepoint => session.Rules.Any(rule => rule.Matches(tracepoint))));

    private static SessionAttachment? TryAttach(string directory, SessionDescription session)
    {
        try
        {
            return SessionAttachment.Create(directory, session);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            Log($"session {directory}: not attached: {e.Message}");
            RefusedProcesses.Add(directory);
            return null;
        }
    }

    private static IEnumerable<(string Directory, SessionDescription Session)> FindSessions()
    {
        var named = NamedSessions();
        var directories = new HashSet<string>(named);
        foreach (string home in SessionHome.Searched)
        {
            try
            {
                directories.UnionWith(Directory.EnumerateDirectories(home));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // No home, no sessions but the others and the named ones.
            }
        }
        foreach (string directory in directories)
        {
            if (!File.Exists(Path.Combine(directory, SessionDescription.FileName)))
                continue;
            // In a home that others may write to, anybody could ask for our events.
            if (!SessionHome.IsOurs(directory))
                Log($"{directory}: belongs to somebody else");
            else if (!SessionDescription.TryRead(directory, out var session, out string? error))
                Log(error);
            else if ((session.Scope == SessionScope.All || named.Contains(directory)) && session.IsOwnerAlive(directory))
                yield return (directory, session);
        }
    }

    private static string[] NamedSessions() =>
        Environment.GetEnvironmentVariable(SessionHome.SessionVariable)?
            .Split(':', StringSplitOptions.RemoveEmptyEntries).Select(Path.GetFullPath).ToArray() ?? [];

    private static void Log(string message)
    {
        if (s_isVerbose)
            Console.Error.WriteLine($"weir: {message}");
    }
}
