using System.Globalization;
using System.Text.RegularExpressions;

namespace Weir.Kernel;

/// <summary>
/// One argument of a probe that a program's author has left: its size and where it is, in the assembler's words, such as <c>-4@%edi</c>,
/// <c>8@-8(%rbp)</c>, <c>4@$5</c>, <c>8@[sp, 16]</c>. A size with a minus is a signed number.
/// </summary>
/// <param name="Text">As it was written.</param>
/// <param name="Place">The kernel's words for it; null for what the kernel cannot fetch.</param>
/// <param name="Type">The kernel's type.</param>
internal sealed partial record StapsdtArgument(string Text, string? Place, string Type)
{
    private static readonly Dictionary<string, string> s_x64 = CreateX64();

    /// <summary>Reads the arguments of a probe.</summary>
    /// <param name="text">As the note has them.</param>
    /// <param name="addressOf">The kernel's words for the variable of a name, or null where there is none.</param>
    public static IReadOnlyList<StapsdtArgument> ParseList(string text, Func<string, string?> addressOf)
    {
        var arguments = new List<StapsdtArgument>();
        // Operands of Arm64 have spaces in them: an argument goes on to the next that begins with a size.
        foreach (Match match in Argument().Matches(text))
        {
            bool isSigned = match.Groups[1].Length > 0;
            bool isFloat = match.Groups[3].Length > 0;
            string type = match.Groups[2].Value switch { "1" => "8", "2" => "16", "4" => "32", "8" => "64", _ => "" };
            string? place = isFloat || type.Length == 0 ? null : PlaceOf(match.Groups[4].Value, addressOf);
            arguments.Add(new StapsdtArgument(match.Value.Trim(), place, (isSigned ? "s" : "u") + type));
        }
        return arguments;
    }

    private static string? PlaceOf(string operand, Func<string, string?> addressOf)
    {
        if (Constant().Match(operand) is { Success: true } constant)
            return "\\" + constant.Groups[1].Value;
        if (Register(operand) is { } register)
            return register;
        if (Memory().Match(operand) is { Success: true } memory)
        {
            string symbol = memory.Groups[1].Value;
            string offset = memory.Groups[2].Value;
            if (symbol.Length > 0)
                return memory.Groups[3].Value == "%rip" && offset.Length == 0 ? addressOf(symbol) : null;
            return Register(memory.Groups[3].Value) is { } place ? $"{Signed(offset)}({place})" : null;
        }
        if (Arm64Memory().Match(operand) is { Success: true } indirect && Register(indirect.Groups[1].Value) is { } pointer)
            return $"{Signed(indirect.Groups[2].Value)}({pointer})";
        return null;
    }

    private static string Signed(string offset) => offset.Length == 0 ? "+0" : offset[0] is '+' or '-' ? offset : $"+{offset}";

    /// <summary>The kernel's name of a register: the whole one of which another is a part.</summary>
    private static string? Register(string name)
    {
        if (name.StartsWith('%'))
            return s_x64.TryGetValue(name[1..], out string? whole) ? $"%{whole}" : null;
        if (name is "sp")
            return "%sp";
        return name.Length is 2 or 3 && name[0] is 'x' or 'w' && int.TryParse(name.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number <= 30
            ? string.Create(CultureInfo.InvariantCulture, $"%x{number}")
            : null;
    }

    private static Dictionary<string, string> CreateX64()
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string name in (ReadOnlySpan<string>)["ax", "bx", "cx", "dx"])
        {
            foreach (string part in (ReadOnlySpan<string>)[$"r{name}", $"e{name}", name, $"{name[0]}l"])
                names[part] = name;
        }
        foreach (string name in (ReadOnlySpan<string>)["si", "di", "bp", "sp"])
        {
            foreach (string part in (ReadOnlySpan<string>)[$"r{name}", $"e{name}", name, $"{name}l"])
                names[part] = name;
        }
        for (int i = 8; i < 16; i++)
        {
            foreach (string size in (ReadOnlySpan<string>)["", "d", "w", "b"])
                names[string.Create(CultureInfo.InvariantCulture, $"r{i}{size}")] = string.Create(CultureInfo.InvariantCulture, $"r{i}");
        }
        return names;
    }

    [GeneratedRegex(@"(-?)(\d+)(f?)@(.+?)(?=\s+-?\d+f?@|\s*$)", RegexOptions.CultureInvariant)]
    private static partial Regex Argument();

    [GeneratedRegex(@"^\$?(-?(?:0x[0-9a-fA-F]+|\d+))$", RegexOptions.CultureInvariant)]
    private static partial Regex Constant();

    [GeneratedRegex(@"^([A-Za-z_.][\w.$]*)?([+-]?\d+)?\((%\w+)\)$", RegexOptions.CultureInvariant)]
    private static partial Regex Memory();

    [GeneratedRegex(@"^\[(\w+)(?:,\s*#?(-?\d+))?\]$", RegexOptions.CultureInvariant)]
    private static partial Regex Arm64Memory();
}
