using System.Globalization;
using Weir.Graph;

namespace Weir.Kernel;

/// <summary>What an address means.</summary>
/// <param name="Pid">The process in which it means that; -1 for the kernel.</param>
/// <param name="Address">The address.</param>
/// <param name="OffsetBytes">How far in its function it lies, or in its module's file where the function is not known.</param>
/// <param name="SizeBytes">Length of the function; 0 where it is not known.</param>
/// <param name="Name">The function.</param>
/// <param name="Module">The file, <c>[kernel]</c>, or a module of the kernel's.</param>
internal readonly record struct ResolvedSymbol(int Pid, ulong Address, ulong OffsetBytes, ulong SizeBytes, string Name, string Module)
{
    /// <summary>What stands for a name that is not known, as perf prints it.</summary>
    public const string Unknown = "[unknown]";
}

/// <summary>
/// Names addresses: of the kernel by /proc/kallsyms, of programs by the symbols of the files that they have mapped, and of code that a runtime
/// has made by the map that it leaves in /tmp/perf-PID.map (.NET with DOTNET_PerfMapEnabled=1).
/// </summary>
internal sealed class SymbolResolver(AddressSpaces spaces, List<string> problems)
{
    private readonly Dictionary<string, Module?> _modules = [];
    private readonly Dictionary<int, SymbolTable?> _runtimeMaps = [];

    /// <summary>All addresses that were seen, each once in each process.</summary>
    public IEnumerable<ResolvedSymbol> Resolve()
    {
        foreach (var space in spaces.All)
        {
            var kernel = space.Pid == AddressSpaces.Kernel ? ReadKernel() : null;
            foreach (var (address, seen) in space.Addresses)
            {
                // A call that never returns may be the last of its function; the address behind it is another's.
                ulong inside = seen.IsReturn ? address - 1 : address;
                var symbol = space.Pid == AddressSpaces.Kernel ? Of(kernel?.Find(inside), inside) : Resolve(space, inside);
                ulong offset = symbol.Module == ResolvedSymbol.Unknown ? 0 : symbol.OffsetBytes + (address - inside);
                yield return symbol with { Pid = space.Pid, Address = address, OffsetBytes = offset };
            }
        }
    }

    private KernelFunctions ReadKernel()
    {
        var functions = KernelFunctions.Read();
        if (functions.Count == 0)
            problems.Add($"{KernelFunctions.FilePath}: the kernel hides its addresses, so its functions have no names; kernel.kptr_restrict=0 shows them to root");
        return functions;
    }

    private static ResolvedSymbol Of(SymbolTable.Entry? found, ulong address) =>
        found is { } entry ? new ResolvedSymbol(0, address, address - entry.Address, entry.SizeBytes, entry.Name, entry.Module) : new ResolvedSymbol(0, address, 0, 0, ResolvedSymbol.Unknown, ResolvedSymbol.Unknown);

    private ResolvedSymbol Resolve(AddressSpace space, ulong address)
    {
        var mapping = space.Find(address);
        if (mapping is not null && FindModule(space.Pid, mapping.Path) is { } module)
        {
            ulong offset = mapping.Offset + (address - mapping.Start);
            if (module.Find(offset) is { } found)
                return found with { Module = mapping.Path };
            return new ResolvedSymbol(0, address, offset, 0, ResolvedSymbol.Unknown, mapping.Path);
        }
        if (FindRuntimeMap(space.Pid)?.Find(address) is { } made)
            return Of(made, address);
        return mapping is null ? Of(null, address) : new ResolvedSymbol(0, address, mapping.Offset + (address - mapping.Start), 0, ResolvedSymbol.Unknown, mapping.Path);
    }

    private Module? FindModule(int pid, string path)
    {
        if (!path.StartsWith('/'))
            return null;
        if (!_modules.TryGetValue(path, out var module))
            _modules.Add(path, module = Module.Open(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/root{path}")) ?? Module.Open(path));
        return module;
    }

    private SymbolTable? FindRuntimeMap(int pid)
    {
        if (!_runtimeMaps.TryGetValue(pid, out var map))
            _runtimeMaps.Add(pid, map = RuntimeMap.Read(pid));
        return map;
    }

    /// <summary>The functions of a file.</summary>
    private sealed class Module
    {
        private readonly IReadOnlyList<ElfSegment> _segments;
        private readonly SymbolTable _functions;

        private Module(IReadOnlyList<ElfSegment> segments, IReadOnlyList<ElfFunction> functions)
        {
            _segments = segments;
            _functions = new SymbolTable(functions.Select(item => new SymbolTable.Entry(item.Address, item.SizeBytes, item.Name, "")), goesOn: false);
        }

        public static Module? Open(string path)
        {
            try
            {
                using var file = ElfFile.Open(path);
                return new Module(file.ReadLoadedSegments(), ReadDebugFunctions(file.FindBuildId()) ?? file.ReadFunctions());
            }
            catch (BadElfException)
            {
                return null;
            }
        }

        /// <summary>The functions of a stripped file, where its symbols are installed; null where they are not.</summary>
        private static IReadOnlyList<ElfFunction>? ReadDebugFunctions(byte[]? buildId)
        {
            if (buildId is not { Length: > 1 })
                return null;
            string name = Convert.ToHexStringLower(buildId);
            try
            {
                using var file = ElfFile.Open($"/usr/lib/debug/.build-id/{name[..2]}/{name[2..]}.debug");
                return file.ReadFunctions() is { Count: > 0 } functions ? functions : null;
            }
            catch (BadElfException)
            {
                return null;
            }
        }

        public ResolvedSymbol? Find(ulong fileOffset)
        {
            foreach (var segment in _segments)
            {
                if (fileOffset < segment.Offset || fileOffset - segment.Offset >= segment.SizeBytes)
                    continue;
                ulong address = unchecked(segment.Address + (fileOffset - segment.Offset));
                return _functions.Find(address) is { } found ? Of(found, address) : null;
            }
            return null;
        }
    }
}
