using System.Globalization;

namespace Weir.Kernel;

/// <summary>The functions of the kernel and its modules, by lines <c>ffffffff81000000 T _stext [module]</c> of /proc/kallsyms.</summary>
internal static class KernelSymbols
{
    /// <summary>Reads them; null, with a sentence, where the kernel does not tell them.</summary>
    public static SymbolTable? Read(List<string> problems)
    {
        const string Path = "/proc/kallsyms";
        try
        {
            var table = new List<SymbolTable.Entry>();
            foreach (string line in File.ReadLines(Path))
            {
                if (TryParse(line, out var entry))
                    table.Add(entry);
            }
            if (table.Exists(entry => entry.Address != 0))
                return new SymbolTable(table, goesOn: true);
            problems.Add($"{Path}: the kernel hides its addresses, so its functions have no names; kernel.kptr_restrict=0 shows them to root");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problems.Add($"{Path}: cannot be read, so the kernel's functions have no names: {e.Message}");
        }
        return null;
    }

    internal static bool TryParse(string line, out SymbolTable.Entry entry)
    {
        entry = default;
        string[] words = line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        if (words is not [var address, ['t' or 'T' or 'w' or 'W'], var name, ..] || !ulong.TryParse(address, NumberStyles.AllowHexSpecifier, null, out ulong value))
            return false;
        entry = new SymbolTable.Entry(value, 0, name, words.Length > 3 ? words[3] : "[kernel]");
        return true;
    }
}
