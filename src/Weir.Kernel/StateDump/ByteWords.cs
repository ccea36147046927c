using System.Buffers.Text;

namespace Weir.Kernel;

/// <summary>Takes lines of bytes apart at white space.</summary>
internal ref struct ByteWords(ReadOnlySpan<byte> text)
{
    private ReadOnlySpan<byte> _rest = text;

    /// <summary>What was not taken yet, without spaces before it.</summary>
    public readonly ReadOnlySpan<byte> Rest => _rest.TrimStart((byte)' ');

    /// <summary>The next word; empty at the end.</summary>
    public ReadOnlySpan<byte> Next()
    {
        _rest = _rest.TrimStart(" \t"u8);
        int end = _rest.IndexOfAny((byte)' ', (byte)'\t');
        var word = end < 0 ? _rest : _rest[..end];
        _rest = end < 0 ? [] : _rest[end..];
        return word;
    }

    /// <summary>Passes words over.</summary>
    public void Skip(int count)
    {
        for (int i = 0; i < count; i++)
            Next();
    }

    /// <summary>Takes the first line off a text.</summary>
    public static bool TakeLine(scoped ref ReadOnlySpan<byte> text, out ReadOnlySpan<byte> line)
    {
        int end = text.IndexOf((byte)'\n');
        line = end < 0 ? text : text[..end];
        text = end < 0 ? [] : text[(end + 1)..];
        return line.Length > 0 || text.Length > 0;
    }

    /// <summary>What stands behind a line's <c>name:</c>, without the white space around it; empty where there is no such line.</summary>
    public static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> text, scoped ReadOnlySpan<byte> name)
    {
        while (TakeLine(ref text, out var line))
        {
            var rest = line.StartsWith(name) ? line[name.Length..].TrimStart(" \t"u8) : [];
            if (rest.Length > 0 && rest[0] == (byte)':')
                return rest[1..].Trim(" \t"u8);
        }
        return [];
    }

    /// <summary>The number that a text begins with; 0 where it begins with none.</summary>
    public static long Decimal(ReadOnlySpan<byte> text) => Utf8Parser.TryParse(text, out long value, out _) ? value : 0;

    /// <summary>The hexadecimal number that a text begins with; 0 where it begins with none.</summary>
    public static ulong Hex(ReadOnlySpan<byte> text) => Utf8Parser.TryParse(text, out ulong value, out _, 'x') ? value : 0;
}
