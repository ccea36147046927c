using System.Globalization;
using System.Text;
using Weir.Graph;

namespace Weir.Kernel;

/// <summary>
/// The functions that a runtime has made in a process, by lines <c>0x7f1c2a401000 5f void [Shop] Order::Place()</c>: address and length in
/// hexadecimal, and a name. Code that is made anew at the same place has a line of its own, further down.
/// </summary>
internal static class RuntimeMap
{
    private const long MaxBytes = 1L << 28;

    /// <summary>Reads them; null where there are none.</summary>
    public static SymbolTable? Read(int pid)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"perf-{pid}.map");
        // In a container the process has another /tmp, and knows itself by another number.
        var status = new ProcFile().Read(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/status"));
        var inner = new ByteWords(ByteWords.Find(status, "NStgid"u8));
        long number = 0;
        for (var word = inner.Next(); !word.IsEmpty; word = inner.Next())
            number = ByteWords.Decimal(word);
        return Read(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/root/tmp/perf-{number}.map"), "/tmp/" + name) ?? Read("/tmp/" + name, "/tmp/" + name);
    }

    private static SymbolTable? Read(string path, string module)
    {
        try
        {
            using var file = ElfFile.OpenFile(path);
            if (file.Length > MaxBytes)
                return null;
            using var reader = new StreamReader(file, Encoding.UTF8);
            return Parse(reader, module);
        }
        catch (Exception e) when (e is BadElfException or IOException)
        {
            return null;
        }
    }

    internal static SymbolTable Parse(TextReader reader, string module)
    {
        var table = new List<SymbolTable.Entry>();
        while (reader.ReadLine() is { } line)
        {
            string[] words = line.Split(' ', 3);
            if (words.Length == 3 && TryParseHex(words[0], out ulong address) && TryParseHex(words[1], out ulong size))
                table.Add(new SymbolTable.Entry(address, size, words[2], module));
        }
        table.Reverse();
        return new SymbolTable(table, goesOn: false);
    }

    /// <summary>.NET writes a 0x before addresses since 10; others do not.</summary>
    private static bool TryParseHex(ReadOnlySpan<char> digits, out ulong value) =>
        ulong.TryParse(digits.StartsWith("0x", StringComparison.Ordinal) ? digits[2..] : digits, NumberStyles.AllowHexSpecifier, null, out value);
}
