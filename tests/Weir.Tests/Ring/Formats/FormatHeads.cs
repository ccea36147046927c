using Weir.Ring;

namespace Weir.Tests.Ring.Formats;

/// <summary>The bytes that a format writes for one record or packet, from outside any ring.</summary>
internal static unsafe class FormatHeads
{
    /// <summary>A record's head.</summary>
    public static byte[] Record<TFormat>(uint id, ulong now, ulong last, int lengthBytes, bool isLastExact = true, uint cpu = 0)
        where TFormat : struct, IRecordFormat
    {
        var thread = WriterThread.New();
        byte* head = stackalloc byte[IRecordFormat.MaxHeadBytes];
        int bytes = TFormat.WriteHead(head, id, now, last, isLastExact, lengthBytes, cpu, thread);
        WriterThread.Free(thread);
        return new ReadOnlySpan<byte>(head, bytes).ToArray();
    }
}
