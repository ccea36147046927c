using System.Globalization;

namespace Weir.Kernel;

/// <summary>The kernel's functions by address and by name, of the file <c>/proc/kallsyms</c>. Immutable.</summary>
internal sealed class KernelFunctions
{
    /// <summary>What the functions of the kernel itself belong to; a module's stand in brackets, too.</summary>
    public const string KernelModule = "[kernel]";

    /// <summary>Where the kernel tells them.</summary>
    public const string FilePath = "/proc/kallsyms";

    private readonly SymbolTable _symbols;
    private readonly HashSet<string> _names;

    private KernelFunctions(SymbolTable symbols, HashSet<string> names)
    {
        _symbols = symbols;
        _names = names;
    }

    /// <summary>How many there are; 0 where the kernel shows none.</summary>
    public int Count => _symbols.Count;

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
            return new KernelFunctions(new SymbolTable([], goesOn: true), []);
        }
    }

    /// <summary>Reads lines such as <c>ffffffff81000000 T _stext</c>, a module's with <c>[name]</c> behind a tabulator.</summary>
    internal static KernelFunctions Parse(IEnumerable<string> lines)
    {
        var found = new List<SymbolTable.Entry>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (string line in lines)
        {
            string[] parts = line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            // Code only: t and T, w and W for what another may replace.
            if (parts.Length < 3 || parts[1] is not ("t" or "T" or "w" or "W") || !ulong.TryParse(parts[0], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong address))
                continue;
            names.Add(parts[2]);
            if (address != 0)
                found.Add(new SymbolTable.Entry(address, 0, parts[2], parts.Length > 3 ? parts[3] : KernelModule));
        }
        // Of several names for one address the last that the kernel lists: marks such as _stext stand before functions.
        found.Reverse();
        return new KernelFunctions(new SymbolTable(found, goesOn: true), names);
    }

    /// <summary>Whether there is a function of this name.</summary>
    public bool Contains(string name) => _names.Contains(name);

    /// <summary>The function that an address lies in; null where it lies before all of them.</summary>
    public SymbolTable.Entry? Find(ulong address) => _symbols.Find(address);
}
