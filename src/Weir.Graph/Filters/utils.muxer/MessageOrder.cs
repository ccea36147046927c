using System.Runtime.CompilerServices;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// Which of two messages of different streams comes first: the earlier one; at the same time it is decided by what the messages
/// belong to, in the order that babeltrace2 has, so that the same trace gives the same text every time.
/// </summary>
internal static class MessageOrder
{
    /// <summary>Negative when <paramref name="left"/> comes first, positive when <paramref name="right"/> does.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Compare(in Message left, in Message right)
    {
        if (left.HasTime && right.HasTime && left.TimeNs != right.TimeNs)
            return left.TimeNs < right.TimeNs ? -1 : 1;
        return CompareOthers(in left, in right);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int CompareOthers(in Message left, in Message right)
    {
        // Without a time there is nothing to wait for.
        if (left.HasTime != right.HasTime)
            return left.HasTime ? 1 : -1;
        return CompareOrigin(in left, in right);
    }

    private static int CompareOrigin(in Message left, in Message right)
    {
        var leftTrace = left.Stream.Trace;
        var rightTrace = right.Stream.Trace;
        if (leftTrace != rightTrace)
        {
            int order = ComparePresence(leftTrace.Class.Namespace, rightTrace.Class.Namespace);
            if (order == 0)
                order = string.CompareOrdinal(leftTrace.Name, rightTrace.Name);
            if (order == 0)
                order = ComparePresence(leftTrace.Class.Uid, rightTrace.Class.Uid);
            if (order != 0)
                return order;
        }
        int byClass = left.Stream.Decoder.Class.Id.CompareTo(right.Stream.Decoder.Class.Id);
        if (byClass != 0)
            return byClass;
        int byStream = left.Stream.Id.CompareTo(right.Stream.Id);
        if (byStream != 0)
            return byStream;
        if (left.Kind != right.Kind)
            return left.Kind.CompareTo(right.Kind);
        return left.Kind == MessageKind.Event ? CompareEvents(left.Record.Decoder.Class, right.Record.Decoder.Class) : 0;
    }

    /// <summary>Texts in the order of their characters; one that is there comes before one that is not.</summary>
    private static int ComparePresence(string? left, string? right) =>
        left is null || right is null ? (left is null ? 1 : 0) - (right is null ? 1 : 0) : string.CompareOrdinal(left, right);

    private static int CompareEvents(EventRecordClass left, EventRecordClass right)
    {
        int byId = left.Id.CompareTo(right.Id);
        if (byId != 0)
            return byId;
        int byName = string.CompareOrdinal(left.Name, right.Name);
        if (byName != 0)
            return byName;
        int byLevel = Nullable.Compare(left.LogLevel, right.LogLevel);
        return byLevel != 0 ? byLevel : string.CompareOrdinal(left.EmfUri, right.EmfUri);
    }
}
