using System.Diagnostics;

namespace Shop;

internal enum SalesChannel
{
    Web,
    Phone,
    Partner = 10,
}

internal enum PaymentMethod : byte
{
    Card = 1,
    Invoice,
    Voucher,
}

/// <summary>
/// One order on its way through the shop. What it consists of follows from its number alone, so that two runs do the same work,
/// however their threads take turns.
/// </summary>
internal sealed class Order(long id)
{
    private static readonly string[] s_symbols = ["TEA-GREEN", "TEA-BLACK", "CUP", "TEAPOT", "KETTLE", "HONEY", "CAFÉ-CRÈME"];
    private static readonly double[] s_prices = [4.20, 3.80, 9.50, 34.00, 59.90, 6.75, 5.10];

    // Neighbouring numbers shall have little in common: the multiplier of a 64-bit congruential generator, the upper half of the result.
    private readonly uint _dice = (uint)((ulong)id * 6364136223846793005 >> 32);
    private readonly long _placedAt = Stopwatch.GetTimestamp();

    public long Id { get; } = id;

    public string Symbol => s_symbols[_dice % s_symbols.Length];

    public int Quantity => 1 + (int)(_dice / 8 % 3);

    public double UnitPrice => s_prices[_dice % s_symbols.Length];

    public SalesChannel Channel => (_dice / 32 % 10) switch
    {
        < 7 => SalesChannel.Web,
        7 => SalesChannel.Phone,
        _ => SalesChannel.Partner,
    };

    public PaymentMethod Method => (PaymentMethod)(1 + (_dice / 512 % 3));

    public string? Note => Id % 20 == 0 ? "a present: wrap it" : null;

    public double Total { get; set; }

    public int PaymentAttempts { get; set; }

    public bool IsPaid { get; set; }

    /// <summary>Every 25th order is declined once, every 500th each time.</summary>
    public bool WillBeDeclined(int attempt) => Id % 500 == 0 || (Id % 25 == 0 && attempt == 1);

    public TimeSpan SincePlaced => Stopwatch.GetElapsedTime(_placedAt);
}
