using System.Collections.Concurrent;

namespace Weir.Kernel;

/// <summary>The kernel's addresses that a recording's events have. Thread-safe.</summary>
internal sealed class KernelAddresses
{
    /// <summary>A power of two.</summary>
    private const int RecentCount = 4096;

    private readonly ConcurrentDictionary<ulong, bool> _all = new();
    private readonly ulong[] _recent = new ulong[RecentCount];

    /// <summary>All of them, in no order.</summary>
    public ICollection<ulong> All => _all.Keys;

    /// <summary>Adds an address.</summary>
    public void Add(ulong address)
    {
        // The same few functions are called again and again. The place is a hint: whoever else writes it meanwhile has added his, too.
        ref ulong recent = ref _recent[(address * 0x9E3779B97F4A7C15) >> (64 - 12)];
        if (Volatile.Read(ref recent) == address)
            return;
        _all.TryAdd(address, true);
        Volatile.Write(ref recent, address);
    }
}
