using System.Diagnostics;
using Shop;

// A shop that is busy for a while: orders arrive at a steady rate, are priced, packed, paid and dispatched by threads of their own,
// and each step says so with a tracepoint. It runs the same whether somebody records it or not.
if (Options.Parse(args) is not { } options)
{
    Console.Error.WriteLine("usage: Shop [--orders N] [--seconds S]");
    return 2;
}

var started = Stopwatch.StartNew();
var ledger = new Ledger();
using var dispatch = new Dispatch(ledger);
using var payment = new Payment(dispatch);
using var warehouse = new Warehouse(payment);
using var pricing = new Pricing(warehouse);
Stage[] stages = [pricing, warehouse, payment, dispatch];

Array.ForEach(stages, stage => stage.Start());
long placed = 0;
while (placed < options.Orders)
{
    double share = Math.Min(1, started.Elapsed.TotalSeconds / options.Seconds);
    for (long due = (long)(share * options.Orders); placed < due;)
    {
        var order = new Order(++placed);
        ShopEvents.OrderPlaced(order.Id, order.Quantity, order.Symbol, order.Channel);
        pricing.Take(order);
    }
    Thread.Sleep(1);
}
Array.ForEach(stages, stage => stage.Finish());
ledger.EnterWorkers(stages.Sum(stage => stage.Workers));

Console.WriteLine($"orders: {placed} in {started.Elapsed.TotalSeconds:F1} s, {ledger.Shipped} shipped, {ledger.Cancelled} cancelled");
Console.WriteLine($"events: {ledger}");
return 0;
