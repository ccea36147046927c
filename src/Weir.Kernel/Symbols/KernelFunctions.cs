using System.Globalization;

namespace Weir.Kernel;

/// <summary>A function of the kernel.</summary>
/// <param name="Address">Where it begins.</param>
/// <param name="SizeBytes">Bytes up to what follows it.</param>
/// <param name="Name">Its name.</param>
/// <param name="Module">The module that it belongs to; empty for the kernel itself.</param>
internal readonly record struct KernelSymbol(ulong Address, ulong SizeBytes, string Name, string Module);

/// <summary>The kernel's functions by address and by name, of the file <c>/proc/kallsyms</c>. Immutable.</summary>
internal sealed class KernelFunctions
{
    private const string FilePath = "/proc/kallsyms";

    private readonly KernelSymbol[] _symbols;
    private readonly HashSet<string> _names;

    private KernelFunctions(KernelSymbol[] symbols, HashSet<string> names)
    {
        _symbols = symbols;
        _names = names;
    }

    /// <summary>How many there are; 0 where the kernel shows none.</summary>
    public int Count => _symbols.Length;

    /// <summary>All names.</summary>
    public IEnumerable<string> Names => _names;

    /// <summary>Reads what the kernel has now; none where it shows none, or hides the addresses.</summary>
    public static KernelFunctions Read()
    {
        try
        {
            return Parse(File.ReadLines(FilePath));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new KernelFunctions([], []);
        }
    }

    /// <summary>Reads lines such as <c>ffffffff81000000 T _stext</c>, a module's with <c>[name]</c> behind a tabulator.</summary>
    internal static KernelFunctions Parse(IEnumerable<string> lines)
    {
        var found = new List<KernelSymbol>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (string line in lines)
        {
            string[] parts = line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            // Code only: t and T, w and W for what another may replace.
            if (parts.Length < 3 || parts[1] is not ("t" or "T" or "w" or "W") || !ulong.TryParse(parts[0], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong address))
                continue;
            names.Add(parts[2]);
            if (address != 0)
                found.Add(new KernelSymbol(address, 0, parts[2], parts.Length > 3 ? parts[3].Trim('[', ']') : ""));
        }
        // Of several names for one address the last that the kernel lists: marks such as _stext stand before functions.
        var symbols = found.Select((symbol, index) => (symbol, index)).GroupBy(item => item.symbol.Address, (_, items) => items.MaxBy(item => item.index).symbol)
            .OrderBy(symbol => symbol.Address).ToArray();
        for (int i = 0; i + 1 < symbols.Length; i++)
            symbols[i] = symbols[i] with { SizeBytes = symbols[i + 1].Address - symbols[i].Address };
        return new KernelFunctions(symbols, names);
    }

    /// <summary>Whether there is a function of this name.</summary>
    public bool Contains(string name) => _names.Contains(name);

    /// <summary>The function that an address lies in; null where it lies before all of them.</summary>
    public KernelSymbol? Find(ulong address)
    {
        int low = 0;
        int high = _symbols.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_symbols[middle].Address <= address)
                low = middle + 1;
            else
                high = middle;
        }
        return low > 0 ? _symbols[low - 1] : null;
    }
}
