namespace Shop;

/// <summary>Works out what an order costs.</summary>
internal sealed class Pricing(Stage next) : Stage("pricing", workers: 2, next)
{
    protected override void Handle(Order order)
    {
        int discountPercent = order.Quantity >= 3 ? 10 : 0;
        order.Total = Math.Round(order.Quantity * order.UnitPrice * (100 - discountPercent) / 100, 2);
        ShopEvents.OrderPriced(order.Id, order.Total, discountPercent);
    }
}

/// <summary>Picks the items from the shelves and packs them, two to a parcel.</summary>
internal sealed class Warehouse(Stage next) : Stage("warehouse", workers: 2, next)
{
    private const int ItemsPerParcel = 2;

    protected override void Handle(Order order)
    {
        Span<int> parcelGrams = stackalloc int[(order.Quantity + ItemsPerParcel - 1) / ItemsPerParcel];
        for (int item = 0; item < order.Quantity; item++)
        {
            int shelf = order.Symbol.Length * 10 + item;
            ShopEvents.ItemPicked(order.Id, order.Symbol, shelf);
            Thread.SpinWait(20);
            parcelGrams[item / ItemsPerParcel] += 250 + shelf;
        }
        ShopEvents.OrderPacked(order.Id, parcelGrams);
    }
}

/// <summary>Asks for the money, up to three times.</summary>
internal sealed class Payment(Stage next) : Stage("payment", workers: 2, next)
{
    private const int MaxAttempts = 3;

    protected override void Handle(Order order)
    {
        while (!order.IsPaid && order.PaymentAttempts < MaxAttempts)
        {
            int attempt = ++order.PaymentAttempts;
            ShopEvents.PaymentRequested(order.Id, order.Method, order.Total, attempt);
            Thread.SpinWait(50);
            order.IsPaid = !order.WillBeDeclined(attempt);
            if (!order.IsPaid)
                ShopEvents.PaymentDeclined(order.Id, order.Method, attempt == 1 ? "bank is busy" : "no cover");
        }
    }
}

/// <summary>Sends the parcels, or gives the order up.</summary>
internal sealed class Dispatch(Ledger ledger) : Stage("dispatch", workers: 1, next: null)
{
    protected override void Handle(Order order)
    {
        if (order.IsPaid)
            ShopEvents.OrderShipped(order.Id, order.Note, order.SincePlaced);
        else
            ShopEvents.OrderCancelled(order.Id, "not paid");
        ledger.Enter(order);
    }
}
