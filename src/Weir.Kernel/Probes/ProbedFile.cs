using System.Globalization;
using System.IO.Enumeration;
using Weir.Graph;

namespace Weir.Kernel;

/// <summary>A program or library that gets probes. Not thread-safe.</summary>
internal sealed class ProbedFile : IDisposable
{
    private const int MaxNearest = 5;

    private readonly FileStream _file;
    private ElfFile? _elf;

    private ProbedFile(string path, FileStream file)
    {
        Path = path;
        _file = file;
    }

    /// <summary>Its path.</summary>
    public string Path { get; }

    /// <summary>
    /// The path that the kernel is given: it parts its words at spaces, so a path that has some goes by way of the open file.
    /// </summary>
    public string KernelPath => !Path.Any(char.IsWhiteSpace)
        ? Path
        : string.Create(CultureInfo.InvariantCulture, $"/proc/{Environment.ProcessId}/fd/{(int)_file.SafeFileHandle.DangerousGetHandle()}");

    /// <summary>The file's own description of itself.</summary>
    /// <exception cref="KernelException">It has none.</exception>
    public ElfFile Elf
    {
        get
        {
            try
            {
                return _elf ??= ElfFile.Open(Path);
            }
            catch (BadElfException e)
            {
                throw new KernelException($"{Path}: {e.Message}", e);
            }
        }
    }

    /// <summary>Opens a file by its path, a library or a command by its bare name.</summary>
    /// <exception cref="KernelException">There is none.</exception>
    public static ProbedFile Open(string name)
    {
        string path = name.Contains('/', StringComparison.Ordinal)
            ? System.IO.Path.GetFullPath(name)
            : LoaderCache.Find(name) ?? FindCommand(name)
                ?? throw new KernelException($"no library or command '{name}' is found; a path is, as in ./{name} or /usr/bin/{name}");
        try
        {
            return new ProbedFile(path, ElfFile.OpenFile(path));
        }
        catch (BadElfException e)
        {
            // What the system says of a file may name it already.
            throw new KernelException(e.Message.StartsWith(path, StringComparison.Ordinal) ? e.Message : $"{path}: {e.Message}", e);
        }
    }

    /// <summary>Where in the file a place lies: of a name with * and ? every function that matches, of one name every function of that name.</summary>
    /// <exception cref="KernelException">The file has no such place; names the nearest.</exception>
    public IReadOnlyList<(string Symbol, IReadOnlyList<ulong> Offsets)> Find(ProbeTarget target)
    {
        if (target.Symbol.Length == 0)
        {
            if (target.Offset >= (ulong)_file.Length)
                throw new KernelException(string.Create(CultureInfo.InvariantCulture, $"{Path}: it has {_file.Length} bytes, and no offset 0x{target.Offset:x}"));
            return [(string.Create(CultureInfo.InvariantCulture, $"{System.IO.Path.GetFileName(Path)}_0x{target.Offset:x}"), [target.Offset])];
        }
        return Reading(() => FindSymbol(target));
    }

    /// <summary>Reads of the file what may turn out to be no good.</summary>
    /// <exception cref="KernelException">It is no good.</exception>
    public T Reading<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (BadElfException e)
        {
            throw new KernelException($"{Path}: {e.Message}", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _elf?.Dispose();
        _file.Dispose();
    }

    private List<(string Symbol, IReadOnlyList<ulong> Offsets)> FindSymbol(ProbeTarget target)
    {
        var functions = Elf.ReadSymbols().Where(symbol => symbol.Kind is ElfSymbolKind.Function or ElfSymbolKind.IndirectFunction).ToList();
        var matching = functions.Where(symbol => FileSystemName.MatchesSimpleExpression(target.Symbol, symbol.Name, ignoreCase: false)).ToList();
        if (matching.Count == 0)
        {
            var nearest = NearestNames.Find(target.Symbol, functions.Select(symbol => symbol.Name), MaxNearest);
            string hint = nearest.Count > 0 ? $"; the nearest are {string.Join(", ", nearest)}"
                : functions.Count == 0 ? "; it was stripped of its symbols, and takes probes by offset only (0x1234)" : "";
            throw new KernelException($"{Path}: no function '{target.Symbol}'{hint}");
        }
        var probed = matching.Where(symbol => symbol.Kind == ElfSymbolKind.Function).ToList();
        if (probed.Count == 0)
            throw new KernelException($"{Path}: '{target.Symbol}' stands for another function, which is chosen when a program starts (IFUNC); a probe of it would see that choice only");
        string suffix = target.Offset == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"_0x{target.Offset:x}");
        // Names of one function are probed once, by the first of them.
        var seen = new HashSet<ulong>();
        return
        [
            .. probed.Where(symbol => seen.Add(symbol.Address))
                .GroupBy(symbol => symbol.Name, (name, symbols) => (name + suffix, (IReadOnlyList<ulong>)[.. symbols.Select(symbol => OffsetOf(symbol.Address + target.Offset))])),
        ];
    }

    private ulong OffsetOf(ulong address) => Elf.FindFileOffset(address)
        ?? throw new KernelException(string.Create(CultureInfo.InvariantCulture, $"{Path}: nothing in the file is loaded at address 0x{address:x}"));

    private static string? FindCommand(string name) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(':', StringSplitOptions.RemoveEmptyEntries)
        .Select(directory => System.IO.Path.Combine(directory, name))
        .FirstOrDefault(File.Exists);
}
