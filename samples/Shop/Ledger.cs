using System.Globalization;

namespace Shop;

/// <summary>
/// Knows from the finished orders how many events of each kind were emitted, without asking the tracer: a complete recording has
/// as many.
/// </summary>
internal sealed class Ledger
{
    private readonly SortedDictionary<string, long> _events = new(StringComparer.Ordinal);

    public long Shipped { get; private set; }

    public long Cancelled { get; private set; }

    public void Enter(Order order)
    {
        Shipped += order.IsPaid ? 1 : 0;
        Cancelled += order.IsPaid ? 0 : 1;
        Count("order_placed", 1);
        Count("order_priced", 1);
        Count("item_picked", order.Quantity);
        Count("order_packed", 1);
        Count("payment_requested", order.PaymentAttempts);
        Count("payment_declined", order.PaymentAttempts - (order.IsPaid ? 1 : 0));
        Count(order.IsPaid ? "order_shipped" : "order_cancelled", 1);
    }

    public void EnterWorkers(int workers)
    {
        Count("worker_started", workers);
        Count("worker_stopped", workers);
    }

    public override string ToString()
    {
        var counts = _events.Select(e => string.Create(CultureInfo.InvariantCulture, $"{e.Key}={e.Value}"));
        return string.Create(CultureInfo.InvariantCulture, $"{_events.Values.Sum()} ({string.Join(' ', counts)})");
    }

    private void Count(string name, long more) => _events[name] = _events.GetValueOrDefault(name) + more;
}
