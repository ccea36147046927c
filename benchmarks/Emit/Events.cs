using System.Diagnostics.Tracing;
using Weir.Tracing;

namespace Weir.Bench.Emit;

/// <summary>The events that the session records (rule <c>bench:*</c>).</summary>
[TracepointProvider("bench")]
internal static partial class BenchEvents
{
    [Tracepoint]
    public static partial void U64(ulong value);

    [Tracepoint]
    public static partial void IntStr16(int n, string s);
}

/// <summary>An event that no rule of the benchmark asks for.</summary>
[TracepointProvider("unrecorded")]
internal static partial class UnrecordedEvents
{
    [Tracepoint]
    public static partial void U64(ulong value);
}

/// <summary>The same event as an EventSource, for EventPipe.</summary>
[EventSource(Name = "WeirBenchPeer")]
internal sealed class PeerSource : EventSource
{
    public static readonly PeerSource Log = new();

    [Event(1)]
    public void U64(long value)
    {
        if (IsEnabled())
            WriteEvent(1, value);
    }
}
