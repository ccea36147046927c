using Weir.Tracing;

namespace Shop;

/// <summary>
/// Everything that the shop says about itself. The bodies are generated; while nobody records, a call costs a load and a branch.
/// </summary>
[TracepointProvider("shop")]
internal static partial class ShopEvents
{
    [Tracepoint(Level = TracepointLevel.Notice)]
    public static partial void WorkerStarted(string stage, int worker);

    [Tracepoint]
    public static partial void OrderPlaced(long id, int quantity, string symbol, SalesChannel channel);

    [Tracepoint]
    public static partial void OrderPriced(long id, double total, int discountPercent);

    [Tracepoint(Level = TracepointLevel.Debug)]
    public static partial void ItemPicked(long id, string symbol, int shelf);

    [Tracepoint]
    public static partial void OrderPacked(long id, ReadOnlySpan<int> parcelGrams);

    [Tracepoint]
    public static partial void PaymentRequested(long id, PaymentMethod method, double amount, int attempt);

    [Tracepoint(Level = TracepointLevel.Warning)]
    public static partial void PaymentDeclined(long id, PaymentMethod method, string reason);

    [Tracepoint]
    public static partial void OrderShipped(long id, string? note, TimeSpan sincePlaced);

    [Tracepoint(Level = TracepointLevel.Warning)]
    public static partial void OrderCancelled(long id, string reason);

    [Tracepoint(Level = TracepointLevel.Notice)]
    public static partial void WorkerStopped(string stage, int worker, long orders);
}
