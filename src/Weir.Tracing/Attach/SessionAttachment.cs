using System.Globalization;
using System.Text;
using Weir.Ctf;
using Weir.Ring;

namespace Weir.Tracing;

/// <summary>
/// This process in one session: its ring, its metadata and the ids of its events. Used by the agent's lock holder only; writers see
/// nothing but the sinks that it hands out.
/// </summary>
internal sealed class SessionAttachment : IDisposable
{
    /// <summary>In a process's buffers: a line for each rule that cannot choose any of its events.</summary>
    public const string RemarksName = "remarks";

    private const string MetadataName = "metadata";

    /// <summary>A program that another replaced in the same process and second has the name already, or one of another container.</summary>
    private const int MaxNames = 100;

    private readonly string _directory;
    private readonly TraceClass _trace;
    private readonly DataStreamClass _stream;
    private readonly Dictionary<Tracepoint, uint> _ids = [];
    private readonly RingBuffer _ring;
    private readonly SharedDoorbell? _doorbell;
    private readonly LifeLock? _life;

    private SessionAttachment(string directory, TraceClass trace, RingBuffer ring, SharedDoorbell? doorbell, LifeLock? life)
    {
        _directory = directory;
        _trace = trace;
        _stream = trace.DataStreamClasses[0];
        _ring = ring;
        _doorbell = doorbell;
        _life = life;
        File.WriteAllText(Path.Combine(directory, MetadataName), TsdlWriter.Write(trace));
    }

    /// <summary>Attaches this process to a session.</summary>
    /// <exception cref="IOException">The buffers cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">Nor may they be.</exception>
    /// <exception cref="ArgumentException">The session asks for a ring that cannot run in this process.</exception>
    public static SessionAttachment Create(string sessionDirectory, SessionDescription session)
    {
        var uuid = Guid.NewGuid();
        string directory = MakeDirectory(Path.Combine(sessionDirectory, SessionDescription.BuffersName));
        LifeLock? life = null;
        try
        {
            life = LifeLock.TryTake(directory);
            var options = new RingOptions
            {
                Backing = RingBacking.Files(directory),
                Uuid = uuid,
                PacketBytes = session.PacketBytes,
                PacketCount = session.PacketCount,
                Doorbell = SharedDoorbell.TryOpen(Path.Combine(sessionDirectory, SessionDescription.WakeName)),
            };
            var ring = RingBuffer.CreateCtf(options, session.Clock, RingBuffer.ChooseSequence(out _));
            return new SessionAttachment(directory, TraceMetadata.Create(uuid, session), ring, options.Doorbell, life);
        }
        catch
        {
            life?.Dispose();
            // Half a ring would look like a process that recorded nothing.
            Directory.Delete(directory, recursive: true);
            throw;
        }
    }

    /// <summary>The sink for a tracepoint under the session's rules, or null where no rule chooses it.</summary>
    public TracepointSink? Bind(Tracepoint tracepoint, IReadOnlyList<EventRule> rules)
    {
        var filters = new List<EventFilter>();
        foreach (var rule in rules)
        {
            if (!rule.Matches(tracepoint))
                continue;
            if (rule.Filter == null)
                return MakeSink(tracepoint, null);
            // A filter on fields that this event does not have chooses none of it.
            if (EventFilter.Bind(rule.Filter, tracepoint.Fields, out _) is { } filter)
                filters.Add(filter);
        }
        return filters.Count > 0 ? MakeSink(tracepoint, EventFilter.Any(filters)) : null;
    }

    /// <summary>Gives the buffers back and says that this process writes no more into the session, once the session is gone.</summary>
    public void Dispose()
    {
        _ring.Retire();
        _doorbell?.Retire();
        _life?.Dispose();
    }

    private static string MakeDirectory(string buffers)
    {
        for (int attempt = 0; attempt < MaxNames; attempt++)
        {
            // At last by chance: in a directory that others may write to, somebody could have taken all that can be foreseen.
            string directory = Path.Combine(buffers, ProcessDirectory.NameNow(attempt < MaxNames / 2 ? attempt : Random.Shared.Next()));
            if (SessionHome.TryCreateNew(directory))
                return directory;
        }
        throw new IOException($"{buffers}: every name for this process is taken");
    }

    /// <summary>
    /// Tells the session's owner which rules choose events by a filter that fits none of them: a field's name that is wrong would else look
    /// like a program where nothing happens. Replaces what was said before.
    /// </summary>
    public void Remark(IReadOnlyList<TracepointProvider> providers, IReadOnlyList<EventRule> rules)
    {
        var text = new StringBuilder();
        foreach (var rule in rules)
        {
            if (rule.Filter == null)
                continue;
            string? reason = null;
            bool fits = false;
            foreach (var tracepoint in providers.SelectMany(provider => provider.Tracepoints).Where(rule.Matches))
            {
                fits |= EventFilter.Bind(rule.Filter, tracepoint.Fields, out string? wrong) != null;
                reason ??= $"of {tracepoint.Provider.Name}:{tracepoint.Name}, {wrong} (it has {string.Join(", ", tracepoint.Fields.Select(field => field.Name))})";
            }
            if (!fits && reason != null)
                text.Append(CultureInfo.InvariantCulture, $"rule '{rule.Text}' chooses nothing: {reason}\n");
        }
        try
        {
            string path = Path.Combine(_directory, RemarksName);
            if (text.Length > 0 || File.Exists(path))
                File.WriteAllText(path, text.ToString());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It was advice only.
        }
    }

    private TracepointSink MakeSink(Tracepoint tracepoint, EventFilter? filter) =>
        TryDeclare(tracepoint) is { } id
            ? new TracepointSink(_ring, id, filter)
            : new TracepointSink(_ring, RecordLayout.FirstId, new LosingFilter(_ring.Control, filter));

    /// <summary>
    /// The event's id, declared in the metadata before the first record that uses it can be written; null where there is no room for
    /// the declaration.
    /// </summary>
    private uint? TryDeclare(Tracepoint tracepoint)
    {
        if (_ids.TryGetValue(tracepoint, out uint id))
            return id;
        id = RecordLayout.FirstId + (uint)_ids.Count;
        var declaration = TraceMetadata.Declare(tracepoint, id);
        var text = new StringBuilder();
        new TsdlWriter(_trace, text).WriteEvent(_stream, declaration);
        if (!TryAppendMetadata(Encoding.UTF8.GetBytes(text.ToString())))
            return null;
        _stream.Add(declaration);
        _ids.Add(tracepoint, id);
        return id;
    }

    /// <summary>Appends to the metadata, all of it or nothing: half a declaration would spoil what stands before it.</summary>
    private bool TryAppendMetadata(ReadOnlySpan<byte> text)
    {
        try
        {
            using var file = File.OpenHandle(Path.Combine(_directory, MetadataName), FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            long end = RandomAccess.GetLength(file);
            try
            {
                RandomAccess.Write(file, text, end);
                return true;
            }
            catch (IOException)
            {
                RandomAccess.SetLength(file, end);
                return false;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Lets nothing through and counts what a filter would have let through: there was no room to declare the event.</summary>
    private sealed class LosingFilter(RingControl control, EventFilter? inner) : EventFilter
    {
        public override bool Matches(ReadOnlySpan<byte> payload)
        {
            if (inner == null || inner.Matches(payload))
                control.CountNoStream();
            return false;
        }
    }
}
