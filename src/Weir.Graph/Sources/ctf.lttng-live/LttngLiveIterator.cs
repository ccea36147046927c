using Weir.Ctf;

namespace Weir.Graph;

/// <summary>What to do while a session is not there.</summary>
internal enum LiveSessionMissing
{
    /// <summary>Wait for it.</summary>
    Continue,

    /// <summary>End with an error.</summary>
    Fail,

    /// <summary>End as if it had had no events.</summary>
    End,
}

/// <summary>
/// The events of a live session in order of time. A stream that has nothing to give holds all others back, until it has something or the
/// daemon says up to which time it was inactive: only then it is known what comes next.
/// </summary>
internal sealed class LttngLiveIterator(LiveUrl url, LiveSessionMissing missing, TimeSpan retry, ClockAdjustment clocks, Action? beforeWait) : MessageIterator
{
    private readonly Dictionary<ulong, LiveTrace> _traces = [];
    private readonly List<LiveStream> _streams = [];
    private readonly Message[] _inactivity = new Message[1];
    private ViewerConnection? _connection;
    private ViewerSession? _session;
    private LiveStream? _given;
    private bool _hasClosed;

    public override ArraySegment<Message> Next()
    {
        if (_given is { } given && given.Next == given.End)
            given.Forget();
        _given = null;
        if (_session is null && !Attach())
            return ArraySegment<Message>.Empty;
        while (true)
        {
            bool isComplete = PollAll();
            if (_streams.Count == 0 && _hasClosed)
                return ArraySegment<Message>.Empty;
            if (isComplete && _streams.Count > 0)
            {
                var batch = TakeFirst();
                if (batch.Count > 0)
                    return batch;
                continue;
            }
            Wait();
            if (_streams.Count == 0)
                AskForStreams();
        }
    }

    protected override void Dispose(bool disposing)
    {
        foreach (var stream in _streams)
            stream.Dispose();
        _connection?.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>Attaches to the session; false where it is not there and that is the end.</summary>
    private bool Attach()
    {
        _connection ??= ViewerConnection.Open(url);
        while (true)
        {
            foreach (var session in _connection.ListSessions())
            {
                if (session.Name != url.Session || session.HostName != url.TargetHost || _connection.Attach(session.Id) is not { } streams)
                    continue;
                _session = session;
                Add(streams);
                return true;
            }
            if (missing == LiveSessionMissing.End)
                return false;
            if (missing == LiveSessionMissing.Fail)
                throw _connection.Fail($"the relay daemon has no live session '{url.Session}' of host '{url.TargetHost}'");
            Wait();
        }
    }

    private void Add(List<ViewerStream> streams)
    {
        foreach (var stream in streams)
        {
            if (!_traces.TryGetValue(stream.TraceId, out var trace))
                _traces.Add(stream.TraceId, trace = new LiveTrace($"{_session!.HostName}/{_session.Name}/{stream.TraceId}", clocks));
            if (stream.IsMetadata)
                trace.MetadataStreamId = stream.Id;
            else
                _streams.Add(new LiveStream(stream, trace));
        }
    }

    private void AskForStreams()
    {
        if (_connection!.GetNewStreams(_session!.Id) is { } streams)
            Add(streams);
        else
            _hasClosed = true;
    }

    /// <summary>Asks each stream that has nothing; true when it is known of all what they have next.</summary>
    private bool PollAll()
    {
        bool isComplete = true;
        for (int i = 0; i < _streams.Count; i++)
        {
            var stream = _streams[i];
            if (stream.State == LiveState.Unknown && (stream.Poll(_connection!) & ViewerFlags.NewStream) != 0)
                AskForStreams();
            isComplete &= stream.State != LiveState.Unknown;
        }
        for (int i = _streams.Count - 1; i >= 0; i--)
        {
            if (_streams[i].State != LiveState.Ended)
                continue;
            _streams[i].Dispose();
            _streams.RemoveAt(i);
            // When the last stream has been closed the session may have been, too, or there are others, which have not been asked yet.
            if (_streams.Count == 0)
            {
                AskForStreams();
                isComplete = false;
                break;
            }
        }
        return isComplete;
    }

    /// <summary>Messages of the stream that comes first, up to what the others have next.</summary>
    private ArraySegment<Message> TakeFirst()
    {
        LiveStream first = _streams[0];
        for (int i = 1; i < _streams.Count; i++)
        {
            if (Compare(_streams[i], first) < 0)
                first = _streams[i];
        }
        if (first.State == LiveState.Inactive)
        {
            first.Forget();
            if (first.Stream is null)
                return ArraySegment<Message>.Empty;
            _inactivity[0] = new Message { Kind = MessageKind.Inactivity, Stream = first.Stream, HasTime = true, TimeNs = first.InactiveUntilNs };
            return _inactivity;
        }
        int from = first.Next++;
        while (first.Next < first.End && IsFirst(first))
            first.Next++;
        _given = first;
        return new ArraySegment<Message>(first.Messages, from, first.Next - from);
    }

    private bool IsFirst(LiveStream stream)
    {
        foreach (var other in _streams)
        {
            if (other != stream && Compare(stream, other) > 0)
                return false;
        }
        return true;
    }

    /// <summary>A stream that was inactive up to a time comes behind what others have at that time: it may have an event just then.</summary>
    private static int Compare(LiveStream left, LiveStream right)
    {
        if (left.State == LiveState.Ready && right.State == LiveState.Ready)
            return MessageOrder.Compare(in left.Messages[left.Next], in right.Messages[right.Next]);
        int byTime = TimeOf(left).CompareTo(TimeOf(right));
        return byTime != 0 ? byTime : left.State.CompareTo(right.State);
    }

    private static long TimeOf(LiveStream stream)
    {
        if (stream.State == LiveState.Inactive)
            return stream.InactiveUntilNs;
        ref readonly var next = ref stream.Messages[stream.Next];
        return next.HasTime ? next.TimeNs : long.MinValue;
    }

    private void Wait()
    {
        beforeWait?.Invoke();
        Thread.Sleep(retry);
    }
}
