using System.Globalization;
using Weir.Ctf;
using Weir.Ring;
using Weir.Tracing;

namespace Weir.Sessions;

/// <summary>A program that runs now and has tracepoints.</summary>
/// <param name="Name">Its name.</param>
/// <param name="ProcessId">Its process.</param>
/// <param name="Events">Its events, by name.</param>
public sealed record RunningProgram(string Name, int ProcessId, IReadOnlyList<EventRecordClass> Events);

/// <summary>
/// Asks the programs of this user that run now which tracepoints they have. Programs say that to sessions only, so there is one for a
/// moment, which wants everything; what the programs write meanwhile nobody reads.
/// </summary>
public static class RunningPrograms
{
    /// <summary>Programs answer in some milliseconds; a busy machine gets more time.</summary>
    private const int AnswerMs = 300;

    /// <summary>The programs, by name and process; none where no program has ever looked for a session.</summary>
    /// <exception cref="SessionException">The home of sessions cannot be used.</exception>
    public static IReadOnlyList<RunningProgram> Ask()
    {
        if (!Directory.Exists(SessionHome.Path) || !EventRule.TryParse("*", out var everything, out _))
            return [];
        using var session = Session.Start(new SessionOptions
        {
            Name = string.Create(CultureInfo.InvariantCulture, $"list-{Environment.ProcessId}"),
            Rules = [everything],
            PacketBytes = StreamLayout.MinPacketBytes,
            PacketCount = StreamLayout.MinPacketCount,
        });
        Thread.Sleep(AnswerMs);
        var programs = new List<RunningProgram>();
        foreach (string directory in Directory.GetDirectories(session.BuffersDirectory))
        {
            if (Read(directory) is { } program)
                programs.Add(program);
        }
        // A program may have the library twice, for plug-ins; each of them has answered.
        return
        [
            .. programs.GroupBy(program => program.ProcessId, (id, answers) =>
                {
                    var first = answers.OrderBy(answer => answer.Name.Length).First();
                    return first with { Events = [.. programs.Where(answer => answer.ProcessId == id).SelectMany(answer => answer.Events).DistinctBy(item => item.Name)] };
                })
                .OrderBy(program => program.Name, StringComparer.Ordinal).ThenBy(program => program.ProcessId),
        ];
    }

    /// <summary>A program by its buffers' metadata, which it may be writing now; null where that says nothing yet.</summary>
    private static RunningProgram? Read(string directory)
    {
        string name = Path.GetFileName(directory);
        if (ProcessDirectory.ProcessIdOf(name) is not { } id)
            return null;
        try
        {
            if (SmallFile.Read(Path.Combine(directory, "metadata"), MetadataReader.MaxMetadataBytes) is not { } bytes)
                return null;
            var trace = MetadataReader.Read(bytes);
            var events = trace.DataStreamClasses.SelectMany(stream => stream.EventRecordClasses).OrderBy(item => item.Name, StringComparer.Ordinal);
            return new RunningProgram(string.Join('-', name.Split('-')[..^3]), id, [.. events]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CtfException)
        {
            return null;
        }
    }
}

/// <summary>A session of this user.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Description">What programs know of it.</param>
/// <param name="Processes">The directories of the processes that write into it.</param>
public sealed record RunningSession(string Name, SessionDescription Description, IReadOnlyList<string> Processes)
{
    /// <summary>The sessions whose owners live, by name.</summary>
    public static IReadOnlyList<RunningSession> List()
    {
        var found = new List<RunningSession>();
        try
        {
            foreach (string directory in Directory.GetDirectories(SessionHome.Path).Order(StringComparer.Ordinal))
            {
                if (!SessionHome.IsOurs(directory) || !SessionDescription.TryRead(directory, out var description, out _) || !description.IsOwnerAlive(directory))
                    continue;
                string buffers = Path.Combine(directory, SessionDescription.BuffersName);
                found.Add(new RunningSession(Path.GetFileName(directory), description, [.. Directory.GetDirectories(buffers).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)]));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // No home, or one that is being removed: then there are no more.
        }
        return found;
    }
}
