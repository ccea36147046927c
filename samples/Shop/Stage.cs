using System.Collections.Concurrent;

namespace Shop;

/// <summary>One step that orders go through: a queue, and threads that work it off and hand each order on.</summary>
internal abstract class Stage : IDisposable
{
    private readonly BlockingCollection<Order> _queue = [];
    private readonly Stage? _next;
    private readonly Thread[] _workers;

    protected Stage(string name, int workers, Stage? next)
    {
        Name = name;
        _next = next;
        _workers = [.. Enumerable.Range(1, workers).Select(number => new Thread(() => Work(number)) { Name = $"{name} {number}" })];
    }

    public string Name { get; }

    public int Workers => _workers.Length;

    public void Start() => Array.ForEach(_workers, worker => worker.Start());

    public void Take(Order order) => _queue.Add(order);

    /// <summary>Returns when the last order that was taken is handed on.</summary>
    public void Finish()
    {
        _queue.CompleteAdding();
        Array.ForEach(_workers, worker => worker.Join());
    }

    public void Dispose() => _queue.Dispose();

    protected abstract void Handle(Order order);

    private void Work(int worker)
    {
        ShopEvents.WorkerStarted(Name, worker);
        long orders = 0;
        foreach (var order in _queue.GetConsumingEnumerable())
        {
            Handle(order);
            _next?.Take(order);
            orders++;
        }
        ShopEvents.WorkerStopped(Name, worker, orders);
    }
}
