namespace Weir.Kernel;

/// <summary>Functions in the order of their addresses. Immutable.</summary>
internal sealed class SymbolTable
{
    private readonly Entry[] _entries;

    /// <summary>Makes a table.</summary>
    /// <param name="entries">The functions, in any order; of several of one address the first stays.</param>
    /// <param name="goesOn">Whether a function whose length is not known goes on to the next.</param>
    public SymbolTable(IEnumerable<Entry> entries, bool goesOn)
    {
        _entries = [.. entries.DistinctBy(entry => entry.Address).OrderBy(entry => entry.Address)];
        if (!goesOn)
            return;
        for (int i = 0; i + 1 < _entries.Length; i++)
        {
            if (_entries[i].SizeBytes == 0)
                _entries[i] = _entries[i] with { SizeBytes = _entries[i + 1].Address - _entries[i].Address };
        }
    }

    /// <summary>How many there are.</summary>
    public int Count => _entries.Length;

    /// <summary>The function that an address lies in; null where it lies in none.</summary>
    public Entry? Find(ulong address)
    {
        int low = 0;
        int high = _entries.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_entries[middle].Address <= address)
                low = middle + 1;
            else
                high = middle;
        }
        if (low == 0)
            return null;
        var found = _entries[low - 1];
        return found.SizeBytes == 0 || address - found.Address < found.SizeBytes ? found : null;
    }

    /// <summary>A function.</summary>
    /// <param name="Address">Its first byte's.</param>
    /// <param name="SizeBytes">Its length; 0 where it is not known.</param>
    /// <param name="Name">Its name.</param>
    /// <param name="Module">What it belongs to.</param>
    internal readonly record struct Entry(ulong Address, ulong SizeBytes, string Name, string Module);
}
