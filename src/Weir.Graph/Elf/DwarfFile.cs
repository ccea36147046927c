namespace Weir.Graph;

/// <summary>
/// The DWARF of a file: the function that an address lies in, and where its source is. At the first question all units' functions are
/// listed (as far as they are good); everything else is read again for each question.
/// </summary>
internal sealed class DwarfFile
{
    /// <summary>Most functions that are listed, 32 bytes each.</summary>
    private const int MaxFunctions = 1 << 22;

    /// <summary>Most bytes of abbreviations that are read for one question; units of a bad file could share a table that is large.</summary>
    private const long MaxAbbreviationBytes = 1 << 28;

    /// <summary>Most ranges that are read for one question; entries of a bad file could share a list that is long.</summary>
    private const long MaxRanges = 1 << 24;

    private readonly DwarfSections _sections;
    private readonly List<DwarfUnit> _units = [];
    private readonly List<Function> _functions = [];
    private readonly List<(ulong Low, ulong High)> _ranges = [];
    private readonly DwarfDie _die = new();
    private readonly DwarfDie _next = new();
    private DwarfAbbreviations? _abbreviations;
    private long _abbreviationBytes;
    private long _rangeCount;

    private DwarfFile(DwarfSections sections) => _sections = sections;

    /// <summary>The debugging information of a file, or null where it has none.</summary>
    /// <exception cref="BadElfException">It is bad from its beginning on.</exception>
    public static DwarfFile? Open(ElfFile file)
    {
        var dwarf = new DwarfFile(new DwarfSections(file));
        if (dwarf._sections.Info.Length == 0)
            return null;
        try
        {
            for (int offset = 0; offset < dwarf._sections.Info.Length; offset = dwarf._units[^1].End)
                dwarf.ListFunctions(new DwarfUnit(dwarf._sections.Info, file.IsBigEndian, offset));
        }
        catch (BadElfException) when (dwarf._units.Count > 0)
        {
            // What comes before what is bad is good.
        }
        return dwarf;
    }

    /// <summary>The name of the function that an address lies in, and where the function begins; null where there is none.</summary>
    /// <exception cref="BadElfException">What is needed is bad.</exception>
    public (string Name, ulong Address)? FindFunction(ulong address)
    {
        (_abbreviationBytes, _rangeCount) = (0, 0);
        if (Find(address) is not { } function)
            return null;
        var unit = _units[function.Unit];
        Read(_die, unit, function.Entry);
        var low = _die[DwarfAttribute.LowPc];
        // A function in pieces says nowhere which of them it begins with.
        if (!low.IsThere || FindName(unit) is not { } name)
            return null;
        return (name, _sections.Address(unit, low));
    }

    /// <summary>
    /// Where the source of an address is: the outermost call that was inlined there, else the line that begins at it. As babeltrace2 finds
    /// it, so that its text is ours: see <see cref="FindCall"/>.
    /// </summary>
    /// <exception cref="BadElfException">What is needed is bad.</exception>
    public (string Path, long Line)? FindSource(ulong address)
    {
        (_abbreviationBytes, _rangeCount) = (0, 0);
        int first = -1;
        if (Find(address) is { } function)
        {
            first = function.Unit;
            if (FindCall(_units[first], function.Entry, address, out var call))
                return call;
            if (FindLine(_units[first], address) is { } line)
                return line;
        }
        for (int i = 0; i < _units.Count; i++)
        {
            if (i != first && Covers(_units[i], address) && FindLine(_units[i], address) is { } line)
                return line;
        }
        return null;
    }

    private Function? Find(ulong address)
    {
        foreach (ref readonly var function in System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_functions))
        {
            if (address >= function.Low && address < function.High)
                return function;
        }
        return null;
    }

    private void ListFunctions(DwarfUnit unit)
    {
        Read(_die, unit, unit.FirstEntry);
        unit.StringOffsetsBase = _die[DwarfAttribute.StringOffsetsBase].Bits;
        unit.AddressBase = _die[DwarfAttribute.AddressBase].Bits;
        unit.RangeListsBase = _die[DwarfAttribute.RangeListsBase].Bits;
        unit.CompilationDirectory = _die[DwarfAttribute.CompilationDirectory];
        if (_die[DwarfAttribute.StatementList] is { IsThere: true, Bits: var lines })
            unit.LineProgram = lines;
        if (_die[DwarfAttribute.LowPc] is { IsThere: true } low)
            unit.BaseAddress = _sections.Address(unit, low);
        _units.Add(unit);
        if (!_die.HasChildren)
            return;
        for (int offset = _die.End; ReadSibling(_die, unit, offset); offset = Behind(_die, unit))
        {
            if (_die.Tag != DwarfDie.Subprogram)
                continue;
            ReadRanges(unit, _die);
            foreach (var (from, to) in _ranges)
                _functions.Add(new Function(_units.Count - 1, _die.Offset, from, to));
            if (_functions.Count > MaxFunctions)
                throw new BadElfException("there are too many functions");
        }
    }

    /// <summary>
    /// Looks for the call that was inlined into a function at an address. The entries are visited in babeltrace2's order, with its
    /// oddities: of a block that covers the address the first child is passed over, and where the search ends at such a block, or the
    /// function has no entries at all, there is no source.
    /// </summary>
    /// <returns>Whether the search for the source is over, with or without one.</returns>
    private bool FindCall(DwarfUnit unit, int function, ulong address, out (string Path, long Line)? call)
    {
        call = null;
        Read(_die, unit, function);
        if (!_die.HasChildren || !ReadSibling(_die, unit, _die.End))
            return true;
        while (true)
        {
            bool covers = Covers(unit, _die, address);
            if (covers && _die.Tag == DwarfDie.InlinedSubroutine)
                break;
            if (covers && _die.HasChildren && !ReadSibling(_die, unit, _die.End))
                return true;
            if (ReadSibling(_next, unit, Behind(_die, unit)))
                Read(_die, unit, _next.Offset);
            else if (covers)
                break;
            else
                return false;
        }
        var (file, line) = (_die[DwarfAttribute.CallFile], _die[DwarfAttribute.CallLine]);
        if (file.IsConstant && line.IsConstant && unit.LineProgram is { } program
            && new DwarfLineProgram(_sections, unit, program).FindFile(file.Bits) is { } path)
            call = (path, (long)line.Bits);
        return true;
    }

    private (string Path, long Line)? FindLine(DwarfUnit unit, ulong address)
    {
        if (unit.LineProgram is not { } offset)
            return null;
        var program = new DwarfLineProgram(_sections, unit, offset);
        if (program.FindLine(address) is not var (file, line))
            return null;
        return (program.FindFile(file) ?? throw new BadElfException("a line's file is missing"), line);
    }

    /// <summary>Whether a unit may have the code at an address: it covers it, or does not say what it covers.</summary>
    private bool Covers(DwarfUnit unit, ulong address)
    {
        Read(_die, unit, unit.FirstEntry);
        return (!_die[DwarfAttribute.HighPc].IsThere && !_die[DwarfAttribute.Ranges].IsThere) || Covers(unit, _die, address);
    }

    private bool Covers(DwarfUnit unit, DwarfDie die, ulong address)
    {
        ReadRanges(unit, die);
        foreach (var (low, high) in _ranges)
        {
            if (address >= low && address < high)
                return true;
        }
        return false;
    }

    private void ReadRanges(DwarfUnit unit, DwarfDie die)
    {
        _ranges.Clear();
        DwarfRanges.AddOf(_sections, unit, die, _ranges);
        _rangeCount += _ranges.Count;
        if (_rangeCount > MaxRanges)
            throw new BadElfException("there are too many ranges");
    }

    /// <summary>The name of the entry that was read last, or of the one that it is an instance or the body of.</summary>
    private string? FindName(DwarfUnit unit)
    {
        for (int depth = 0; depth < 16; depth++)
        {
            if (_die[DwarfAttribute.Name] is { IsThere: true } name)
                return _sections.Text(unit, name, _sections.Info);
            var origin = _die[DwarfAttribute.AbstractOrigin].IsThere ? _die[DwarfAttribute.AbstractOrigin] : _die[DwarfAttribute.Specification];
            if (Resolve(unit, origin) is not var (owner, offset))
                return null;
            unit = owner;
            Read(_die, unit, offset);
        }
        return null;
    }

    private (DwarfUnit Unit, int Offset)? Resolve(DwarfUnit unit, DwarfValue reference)
    {
        switch (reference.Form)
        {
            case >= DwarfForms.Reference1 and <= DwarfForms.ReferenceUnsigned when reference.Bits < (ulong)(unit.End - unit.Offset):
                return (unit, unit.Offset + (int)reference.Bits);
            case DwarfForms.ReferenceAddress:
                var owner = _units.Find(other => reference.Bits >= (ulong)other.FirstEntry && reference.Bits < (ulong)other.End);
                return owner is null ? null : (owner, (int)reference.Bits);
            default:
                return null;
        }
    }

    /// <summary>Reads the entry at an offset, unless the list of siblings ends there.</summary>
    private bool ReadSibling(DwarfDie die, DwarfUnit unit, int offset)
    {
        if (offset >= unit.End)
            return false;
        Read(die, unit, offset);
        return die.Tag != 0;
    }

    /// <summary>Where what follows an entry and all its children begins.</summary>
    private int Behind(DwarfDie die, DwarfUnit unit)
    {
        if (!die.HasChildren)
            return die.End;
        if (Resolve(unit, die[DwarfAttribute.Sibling]) is var (owner, sibling) && owner == unit && sibling >= die.End)
            return sibling;
        int offset = die.End;
        for (int depth = 1; depth > 0 && offset < unit.End; offset = _next.End)
        {
            Read(_next, unit, offset);
            depth += _next.Tag == 0 ? -1 : _next.HasChildren ? 1 : 0;
        }
        return offset;
    }

    private void Read(DwarfDie die, DwarfUnit unit, int offset)
    {
        if (_abbreviations?.Offset != unit.AbbreviationsOffset)
        {
            _abbreviations = new DwarfAbbreviations(_sections.Abbreviations, _sections.IsBigEndian, unit.AbbreviationsOffset);
            _abbreviationBytes += _abbreviations.LengthBytes;
            if (_abbreviationBytes > MaxAbbreviationBytes)
                throw new BadElfException("there are too many abbreviations");
        }
        die.Read(unit, _abbreviations, _sections.Info, _sections.IsBigEndian, offset);
    }

    private readonly record struct Function(int Unit, int Entry, ulong Low, ulong High);
}
