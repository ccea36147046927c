namespace Weir.Graph;

/// <summary>A line program of <c>.debug_line</c>, versions 2 to 5: which addresses begin which lines. It is run anew for each question; no table is kept.</summary>
internal sealed class DwarfLineProgram
{
    private readonly DwarfSections _sections;
    private readonly DwarfUnit _unit;
    // Names are resolved when they are asked for: many entries may share one text.
    private readonly List<DwarfValue> _directories = [];
    private readonly List<(DwarfValue Name, ulong Directory)> _files = [];
    private readonly byte[] _operandCounts;
    private readonly int _start;
    private readonly int _end;
    private readonly int _version;
    private readonly byte _instructionBytes;
    private readonly byte _operations = 1;
    private readonly sbyte _lineBase;
    private readonly byte _lineRange;
    private readonly byte _opcodeBase;

    /// <summary>Reads the header of a unit's program.</summary>
    /// <exception cref="BadElfException">It is bad.</exception>
    public DwarfLineProgram(DwarfSections sections, DwarfUnit unit, ulong offset)
    {
        (_sections, _unit) = (sections, unit);
        var reader = new ElfReader(sections.Lines, sections.IsBigEndian, offset);
        ulong length = reader.UInt32();
        bool is64 = length == 0xFFFFFFFF;
        if (is64)
            length = reader.UInt64();
        if (length > (ulong)reader.Rest || is64 != unit.Is64)
            throw new BadElfException("a line program does not fit its section or its unit");
        _end = reader.Position + (int)length;
        reader = new ElfReader(sections.Lines.AsSpan(0, _end), sections.IsBigEndian, (ulong)reader.Position);
        _version = reader.UInt16();
        if (_version is < 2 or > 5)
            throw new BadElfException($"a line program has the unknown version {_version}");
        if (_version == 5)
            reader.UInt16();
        ulong headerLength = reader.Word(is64);
        if (headerLength > (ulong)reader.Rest)
            throw new BadElfException("a line program's header is longer than the program");
        _start = reader.Position + (int)headerLength;
        _instructionBytes = reader.Byte();
        if (_version >= 4)
            _operations = reader.Byte();
        reader.Byte();
        _lineBase = (sbyte)reader.Byte();
        _lineRange = reader.Byte();
        _opcodeBase = reader.Byte();
        if (_lineRange == 0 || _opcodeBase == 0 || _operations == 0)
            throw new BadElfException("a line program divides by zero");
        _operandCounts = reader.Take((ulong)_opcodeBase - 1).ToArray();
        if (_version == 5)
            ReadTables(ref reader);
        else
            ReadOldTables(ref reader);
    }

    /// <summary>The path of a file of the program: its directory and its name; null where there is none of the number.</summary>
    public string? FindFile(ulong number)
    {
        // Before version 5 files are counted from 1.
        ulong index = _version == 5 ? number : number - 1;
        if (index >= (ulong)_files.Count)
            return null;
        var (value, directory) = _files[(int)index];
        string name = TextOf(value) ?? throw new BadElfException("a file has no name");
        return name.StartsWith('/') || FindDirectory(directory) is not { } path ? name : $"{path}/{name}";
    }

    /// <summary>The line that begins at exactly this address, by the last row that says so; null where none does.</summary>
    public (ulong File, long Line)? FindLine(ulong address)
    {
        (ulong File, long Line)? found = null;
        var reader = new ElfReader(_sections.Lines.AsSpan(0, _end), _sections.IsBigEndian, (ulong)_start);
        var row = Row.First;
        while (reader.Rest > 0)
        {
            if (RunNext(ref reader, ref row) && row.Address == address)
                found = (row.File, row.Line);
        }
        return found;
    }

    /// <summary>Runs one operation; returns whether it appends a row that is no end of a sequence.</summary>
    private bool RunNext(ref ElfReader reader, ref Row row)
    {
        int opcode = reader.Byte();
        if (opcode >= _opcodeBase)
        {
            int adjusted = opcode - _opcodeBase;
            Advance(ref row, (ulong)(adjusted / _lineRange));
            row.Line += _lineBase + (adjusted % _lineRange);
            return true;
        }
        switch (opcode)
        {
            case 0:
                RunExtended(ref reader, ref row);
                break;
            case 1:
                return true;
            case 2:
                Advance(ref row, reader.Uleb());
                break;
            case 3:
                row.Line = unchecked(row.Line + reader.Sleb());
                break;
            case 4:
                row.File = reader.Uleb();
                break;
            case 8:
                Advance(ref row, (ulong)((255 - _opcodeBase) / _lineRange));
                break;
            case 9:
                row.Address = unchecked(row.Address + reader.UInt16());
                row.Operation = 0;
                break;
            default:
                for (int i = _operandCounts[opcode - 1]; i > 0; i--)
                    reader.Uleb();
                break;
        }
        return false;
    }

    private void RunExtended(ref ElfReader reader, ref Row row)
    {
        ulong length = reader.Uleb();
        if (length == 0)
            return;
        var operands = new ElfReader(reader.Take(length), _sections.IsBigEndian);
        switch (operands.Byte())
        {
            case 1:
                row = Row.First;
                break;
            case 2 when operands.Rest is > 0 and <= 8:
                row.Address = operands.Unsigned(operands.Rest);
                row.Operation = 0;
                break;
            case 3:
                var name = new DwarfValue(DwarfForms.String, (ulong)(reader.Position - (int)length + operands.Position));
                operands.Text();
                _files.Add((name, operands.Uleb()));
                break;
        }
    }

    private void Advance(ref Row row, ulong count)
    {
        ulong operation = unchecked(row.Operation + count);
        row.Address = unchecked(row.Address + (_instructionBytes * (operation / _operations)));
        row.Operation = operation % _operations;
    }

    private void ReadOldTables(ref ElfReader reader)
    {
        while (ReadName(ref reader) is { IsThere: true } name)
            _directories.Add(name);
        while (ReadName(ref reader) is { IsThere: true } name)
        {
            _files.Add((name, reader.Uleb()));
            reader.Uleb();
            reader.Uleb();
        }
    }

    /// <summary>A name of the program's own; none where it is empty, which ends a table.</summary>
    private static DwarfValue ReadName(ref ElfReader reader)
    {
        var name = new DwarfValue(DwarfForms.String, (ulong)reader.Position);
        return reader.Text().Length == 0 ? default : name;
    }

    private string? TextOf(DwarfValue value) => _sections.Text(_unit, value, _sections.Lines);

    private string? FindDirectory(ulong number)
    {
        // Before version 5 the unit says what number 0 is.
        if (_version < 5 && number == 0)
            return _sections.Text(_unit, _unit.CompilationDirectory, _sections.Info);
        ulong index = _version == 5 ? number : number - 1;
        return index < (ulong)_directories.Count ? TextOf(_directories[(int)index]) : null;
    }

    private void ReadTables(ref ElfReader reader)
    {
        foreach (bool isFiles in new[] { false, true })
        {
            var format = new (ulong Content, ulong Form)[reader.Byte()];
            foreach (ref var item in format.AsSpan())
                item = (reader.Uleb(), reader.Uleb());
            ulong count = reader.Uleb();
            // Each entry takes a byte at least; else their number would be bounded by nothing.
            if (count > (ulong)reader.Rest || (count > 0 && !format.Any(item => item.Content == 1)))
                throw new BadElfException("a line program's table is longer than the program");
            for (; count > 0; count--)
            {
                (DwarfValue Name, ulong Directory) entry = default;
                foreach (var (content, form) in format)
                {
                    var value = DwarfForms.Read(ref reader, _unit, form, 0);
                    if (content == 1)
                        entry.Name = value;
                    else if (content == 2)
                        entry.Directory = value.Bits;
                }
                if (isFiles)
                    _files.Add(entry);
                else
                    _directories.Add(entry.Name);
            }
        }
    }

    private struct Row
    {
        public ulong Address;
        public ulong Operation;
        public ulong File;
        public long Line;

        public static Row First => new() { File = 1, Line = 1 };
    }
}
