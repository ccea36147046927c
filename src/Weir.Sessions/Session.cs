using System.Globalization;
using Weir.Clock;
using Weir.Ring;
using Weir.Tracing;

namespace Weir.Sessions;

/// <summary>What a session is to be.</summary>
public sealed record SessionOptions
{
    /// <summary>Default bytes of a packet.</summary>
    public const int DefaultPacketBytes = 512 * 1024;

    /// <summary>Default packets of each CPU.</summary>
    public const int DefaultPacketCount = 8;

    /// <summary>The session's name, a file name.</summary>
    public required string Name { get; init; }

    /// <summary>What it records.</summary>
    public required IReadOnlyList<EventRule> Rules { get; init; }

    /// <summary>Which processes it records.</summary>
    public SessionScope Scope { get; init; }

    /// <summary>Bytes of a packet, a power of two.</summary>
    public int PacketBytes { get; init; } = DefaultPacketBytes;

    /// <summary>Packets of each CPU, a power of two.</summary>
    public int PacketCount { get; init; } = DefaultPacketCount;

    /// <summary>The skew of the CPUs' counters where it was measured, by which the clock is chosen.</summary>
    public CounterSkew? Skew { get; init; }

    /// <summary>Says which clock the session gets instead of the one that would be chosen; null where nothing else has a say.</summary>
    public Func<ClockKind, ClockKind>? ConstrainClock { get; init; }
}

/// <summary>
/// A session on this machine: its directory, which applications find by themselves. Made, changed and removed by one process at a time.
/// <code>
/// HOME/.changed        replaced whenever any session changes: what applications watch
/// HOME/NAME/session    rules and state, see <see cref="SessionDescription"/>
/// HOME/NAME/alive      locked by the owner while it lives, see <see cref="LifeLock"/>
/// HOME/NAME/refused    how many processes could not be recorded
/// HOME/NAME/buffers/   a directory for each process: ring, stream_CPU, metadata; a link to /dev/shm where HOME is on a disk or /run/weir
/// </code>
/// Of root's sessions all but the count may be read by everybody, and everybody may make a directory of their own in the buffers.
/// </summary>
public sealed class Session : IDisposable
{
    /// <summary>Long enough between two clock samples for a frequency that is right to some parts in a million.</summary>
    private const int FirstMeasureMs = 10;

    private readonly string _home;
    private string? _sharedBuffers;
    private LifeLock? _life;
    private bool _isDisposed;

    private Session(string home, string directory, ClockSample firstSample, SessionDescription description)
    {
        _home = home;
        Directory = directory;
        FirstSample = firstSample;
        Description = description;
    }

    /// <summary>The session's directory.</summary>
    public string Directory { get; }

    /// <summary>Where processes make their buffers: the directory itself, never a link to it, whose times would say nothing.</summary>
    public string BuffersDirectory => _sharedBuffers ?? Path.Combine(Directory, SessionDescription.BuffersName);

    /// <summary>What applications know of it.</summary>
    public SessionDescription Description { get; private set; }

    /// <summary>The clock before any application knew of the session.</summary>
    public ClockSample FirstSample { get; }

    /// <summary>Why it runs on the clock that it runs on, as a sentence's end.</summary>
    public string ClockReason { get; private init; } = "";

    /// <summary>What the session's consumer sleeps on; processes that cannot map it wake nobody.</summary>
    internal SharedDoorbell Wake { get; private set; } = null!;

    /// <summary>Sessions whose owners had been killed, removed to make room; what they had not written to a trace went with them.</summary>
    public IReadOnlyList<string> Removed { get; private init; } = [];

    /// <summary>Processes that wanted to be recorded and could not be.</summary>
    public long RefusedCount => RefusedProcesses.Count(Directory);

    /// <summary>Makes and starts a session.</summary>
    /// <exception cref="SessionException">The home cannot be used, or has no room for the buffers of one process.</exception>
    public static Session Start(SessionOptions options)
    {
        if (!StreamLayout.IsValidGeometry(options.PacketBytes, options.PacketCount))
        {
            throw new SessionException(
                $"{options.PacketCount} sub-buffers of {options.PacketBytes} bytes cannot be had: both must be powers of two, "
                + $"{StreamLayout.MinPacketCount} to {StreamLayout.MaxPacketCount} of {StreamLayout.MinPacketBytes} to {StreamLayout.MaxPacketBytes} bytes");
        }
        string home = SessionHome.Path;
        string directory = Path.Combine(home, options.Name);
        var clock = TraceClock.Choose(options.Skew, out string clockReason);
        if (options.ConstrainClock?.Invoke(clock) is { } constrained && constrained != clock)
            (clock, clockReason) = (constrained, "the kernel cannot stamp its events with the CPU's counter here");
        var first = ClockSample.Take(clock);
        try
        {
            PrepareHome(home);
            var removed = AbandonedSessions.Remove(home);
            if (!SessionHome.TryCreateNew(directory))
                throw new SessionException($"{directory}: exists already; a session of this name is there, or was left behind");
            var description = new SessionDescription
            {
                Scope = options.Scope,
                OwnerProcessId = Environment.ProcessId,
                Clock = clock,
                PacketBytes = options.PacketBytes,
                PacketCount = options.PacketCount,
                Rules = options.Rules,
            };
            var session = new Session(home, directory, first, description) { Removed = removed, ClockReason = clockReason };
            try
            {
                // Before the session's file: whoever finds that finds its owner alive.
                if (SessionHome.IsForEveryone)
                    SessionHome.SetMode(directory, SessionHome.EnterableDirectory);
                session._life = LifeLock.TryTake(directory, SessionHome.IsForEveryone);
                session.PrepareBuffers(options);
                session.Wake = SharedDoorbell.Create(directory, SessionDescription.WakeName);
                Thread.Sleep(FirstMeasureMs);
                session.Publish(description with { Correlation = session.MeasureClock() });
                return session;
            }
            catch
            {
                session.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SessionException($"{directory}: the session cannot be made: {e.Message}; {SessionHome.Variable} names another place", e);
        }
    }

    /// <summary>The clock class, measured from the session's start until now: the longer, the more exact.</summary>
    public ClockCorrelation MeasureClock() =>
        ClockCorrelation.Between(Description.Clock, FirstSample, ClockSample.Take(Description.Clock));

    /// <summary>Changes what applications know; they see it within 100 ms.</summary>
    public void Publish(SessionDescription description)
    {
        description.Write(Directory);
        Description = description;
        SessionHome.Ring(_home);
    }

    /// <summary>
    /// Tells applications to stop recording. What they have committed stays until <see cref="Dispose"/>. Never throws: a recording ends
    /// though its home is full or gone.
    /// </summary>
    public void Stop()
    {
        Description = Description with { IsStarted = false };
        try
        {
            Publish(Description);
            return;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // No room for another file, so there will be one less. A session without a file is none.
        }
        try
        {
            File.Delete(Path.Combine(Directory, SessionDescription.FileName));
            File.Delete(Path.Combine(_home, SessionHome.DoorbellName));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The home is gone, and with it what applications look at.
        }
    }

    /// <summary>Removes the session and its buffers.</summary>
    public void Dispose()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        AbandonedSessions.Delete(Directory, _sharedBuffers);
        _life?.Dispose();
        try
        {
            SessionHome.Ring(_home);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Applications find out at the next change.
        }
    }

    private static void PrepareHome(string home)
    {
        if (File.Exists(home))
            throw new SessionException($"{home}: not a directory; {SessionHome.Variable} must name one");
        SessionHome.Create(home);
        // Whoever owns the home could put another session's files under our feet.
        if (SessionHome.OwnerOf(home) is { } owner && !SessionHome.IsOurs(home))
            throw new SessionException($"{home}: belongs to user {owner}; {SessionHome.Variable} must name a directory of your own");
    }

    private void PrepareBuffers(SessionOptions options)
    {
        RefusedProcesses.Create(Directory);
        if (SessionHome.IsForEveryone)
            SessionHome.SetMode(Path.Combine(Directory, RefusedProcesses.FileName), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        string place = Directory;
        // Buffers on a disk would be written to it all the time. Where the home is on one, they go to shared memory; so they do where it is in
        // /run, which nobody who fills it may take from the system.
        bool isPlaceForBuffers = new DriveInfo(Directory).DriveFormat is "tmpfs" or "ramfs" && _home != SessionHome.OfRoot;
        if (!isPlaceForBuffers && TryMakeShared() is { } shared)
            place = shared;
        else
            SessionHome.CreatePrivate(BuffersDirectory);
        if (SessionHome.IsForEveryone)
            SessionHome.SetMode(BuffersDirectory, SessionHome.SharedDirectory);

        // One process on all CPUs that it may use, and a page for its metadata.
        long needed = (Cpus.Allowed().Count * (StreamLayout.HeadBytes + ((long)options.PacketBytes * options.PacketCount))) + 65536;
        long free = new DriveInfo(place).AvailableFreeSpace;
        if (free < needed)
        {
            throw new SessionException(string.Create(
                CultureInfo.InvariantCulture,
                $"{place}: no room for the buffers of a process: {needed / 1024} KiB are needed and {free / 1024} KiB are free; "
                + $"make room, name another place in {SessionHome.Variable}, or ask for smaller buffers (--subbuf-size, --num-subbuf)"));
        }
    }

    private string? TryMakeShared()
    {
        try
        {
            // Anybody may write in there, so the name is one that nobody can have taken.
            string path = SharedBuffers.NewPath();
            // The link first: a session that is left behind then says where its buffers are.
            File.CreateSymbolicLink(BuffersDirectory, path);
            if (SessionHome.TryCreateNew(path))
                return _sharedBuffers = path;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Then they go to the home.
        }
        File.Delete(BuffersDirectory);
        return null;
    }
}
