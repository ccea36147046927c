using System.Globalization;
using System.IO.Enumeration;
using Weir.Graph;

namespace Weir.Kernel;

/// <summary>
/// Probes that the authors of programs and libraries have left in them: <c>usdt:/usr/lib/libfoo.so:provider:name</c>, with <c>*</c> and
/// <c>?</c>. Their arguments are <c>arg1</c>, <c>arg2</c> ... or what the rule calls them.
/// </summary>
internal sealed class UsdtKind : InstrumentationKind
{
    private const string FileName = "uprobe_events";
    private const int MaxNearest = 5;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Prefixes => ["usdt"];

    /// <inheritdoc/>
    public override string Help => "usdt:FILE:PROVIDER:NAME[(ARGUMENTS)]   probes that a program's author left in it, with * and ?";

    /// <inheritdoc/>
    public override string? Refusal(TracefsMount tracefs) => DynamicEvents.Refusal(tracefs, FileName, "CONFIG_UPROBE_EVENTS");

    /// <inheritdoc/>
    public override Instrumentation Prepare(KernelRule rule, InstrumentationContext context)
    {
        Require(rule, context);
        var target = ProbeTarget.Parse(rule, hasFile: true);
        int colon = target.File.LastIndexOf(':');
        if (colon <= 0 || target.Symbol.Length == 0 || target.Offset != 0)
            throw new KernelException($"kernel rule '{rule.Text}': '{rule.Target}' is not FILE:PROVIDER:NAME (such as libc.so.6:libc:setjmp)");
        string provider = target.File[(colon + 1)..];
        return Probes.Create(rule, context, FileName, events =>
        {
            using var file = ProbedFile.Open(target.File[..colon]);
            var unfetched = new SortedSet<string>(StringComparer.Ordinal);
            foreach (var probe in Find(file, provider, target.Symbol).GroupBy(note => (note.Provider, note.Name)))
            {
                string name = $"{probe.Key.Provider}:{probe.Key.Name}";
                events.Define('p', target.Name ?? name, [.. probe.Select(note => file.Reading(() => Write(file, note, target.Arguments, unfetched)))]);
            }
            context.Problems.AddRange(unfetched);
        });
    }

    private static List<StapsdtNote> Find(ProbedFile file, string provider, string name)
    {
        var notes = file.Reading(() => StapsdtNotes.Read(file.Elf));
        var found = notes.Where(note => FileSystemName.MatchesSimpleExpression(provider, note.Provider, ignoreCase: false)
            && FileSystemName.MatchesSimpleExpression(name, note.Name, ignoreCase: false)).ToList();
        if (found.Count > 0)
            return found;
        if (notes.Count == 0)
            throw new KernelException($"{file.Path}: it has no probes of this kind (no section .note.stapsdt)");
        var nearest = NearestNames.Find($"{provider}:{name}", notes.Select(note => $"{note.Provider}:{note.Name}"), MaxNearest);
        string providers = string.Join(", ", notes.Select(note => note.Provider).Distinct().Order(StringComparer.Ordinal).Take(MaxNearest));
        throw new KernelException($"{file.Path}: no probe '{provider}:{name}'; {(nearest.Count > 0 ? $"the nearest are {string.Join(", ", nearest)}" : $"it has probes of {providers}")}");
    }

    /// <summary>The place and the arguments as the kernel takes them: <c>path:0x1234(0x5678) arg1=%di:s32</c>.</summary>
    private static string Write(ProbedFile file, StapsdtNote note, IReadOnlyList<ProbeArgument>? wanted, SortedSet<string> unfetched)
    {
        ulong offset = OffsetOf(note.Address);
        string counter = note.SemaphoreAddress == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"(0x{OffsetOf(note.SemaphoreAddress):x})");
        var arguments = StapsdtArgument.ParseList(note.Arguments, AddressOf);
        // What the kernel cannot fetch is left out, and its position with it.
        wanted ??= [.. arguments.Select((argument, i) => new ProbeArgument(argument.Place is null ? "_" : string.Create(CultureInfo.InvariantCulture, $"arg{i + 1}"), null, null))];
        foreach (var argument in arguments.Where(argument => argument.Place is null))
            unfetched.Add($"usdt {note.Provider}:{note.Name}: the kernel cannot fetch the argument '{argument.Text}', which is left out");
        string text = ProbeArgument.Write(wanted, position => position >= arguments.Count
            ? throw new KernelException($"probe {note.Provider}:{note.Name} has {arguments.Count} arguments")
            : (arguments[position].Place ?? throw new KernelException($"the kernel cannot fetch the argument '{arguments[position].Text}'; _ in its place leaves it out"), arguments[position].Type));
        return string.Create(CultureInfo.InvariantCulture, $"{file.KernelPath}:0x{offset:x}{counter}{text}");

        ulong OffsetOf(ulong address) => file.Elf.FindFileOffset(address)
            ?? throw new BadElfException(string.Create(CultureInfo.InvariantCulture, $"probe {note.Provider}:{note.Name}: nothing in the file is loaded at address 0x{address:x}"));

        // The kernel adds to the place of the probe in memory what the two offsets differ by, so the offset is the variable's as if it lay in the same segment.
        string? AddressOf(string variable) => file.Elf.ReadSymbols().FirstOrDefault(symbol => symbol.Name == variable) is { Name: not null } symbol
            ? string.Create(CultureInfo.InvariantCulture, $"@+0x{unchecked(symbol.Address - note.Address + offset):x}")
            : null;
    }
}
