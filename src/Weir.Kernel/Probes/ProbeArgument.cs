using System.Text;

namespace Weir.Kernel;

/// <summary>
/// One field of a probe's event, as a rule asks for it: <c>size:u64</c> is the function's argument in that position, <c>x=%di:u64</c> is
/// what the kernel fetches by the words behind the equals sign.
/// </summary>
/// <param name="Name">The field's name; <c>_</c> without words of its own passes a position over.</param>
/// <param name="Fetch">The kernel's words for it, or null for the argument in this position.</param>
/// <param name="Type">The kernel's type: <c>u8</c> to <c>u64</c>, <c>s8</c>, <c>x8</c>, <c>string</c> ..., an array as <c>u8[16]</c>; or null.</param>
internal sealed record ProbeArgument(string Name, string? Fetch, string? Type)
{
    /// <summary>The type of what nobody gives one: a register as it is.</summary>
    public const string DefaultType = "u64";

    /// <summary>Reads what stands between the parentheses.</summary>
    /// <exception cref="KernelException">It is no list of arguments.</exception>
    public static IReadOnlyList<ProbeArgument> ParseList(string text)
    {
        if (text.Trim().Length == 0)
            return [];
        var arguments = new List<ProbeArgument>();
        foreach (string part in Split(text))
            arguments.Add(Parse(part.Trim()));
        if (arguments.Where(argument => !argument.IsSkipped).GroupBy(argument => argument.Name).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new KernelException($"two arguments are called '{twice.Key}'");
        return arguments;
    }

    /// <summary>The arguments as the kernel takes them, each after a space.</summary>
    /// <param name="arguments">What is asked for.</param>
    /// <param name="placeOf">The kernel's words for the argument in a position, and the type that it has of its own.</param>
    public static string Write(IReadOnlyList<ProbeArgument> arguments, Func<int, (string Place, string Type)> placeOf)
    {
        var text = new StringBuilder();
        for (int i = 0; i < arguments.Count; i++)
        {
            var argument = arguments[i];
            if (argument.IsSkipped)
                continue;
            text.Append(' ').Append(argument.Name).Append('=');
            if (argument.Fetch is { } fetch)
            {
                text.Append(fetch);
                if (argument.Type is { } type)
                    text.Append(':').Append(type);
                continue;
            }
            var (place, ownType) = placeOf(i);
            string wanted = argument.Type ?? ownType;
            // What is longer than a register is passed by its address.
            text.Append(IsPointedTo(wanted) ? $"+0({place})" : place).Append(':').Append(wanted);
        }
        return text.ToString();
    }

    private bool IsSkipped => Name == "_" && Fetch is null;

    private static bool IsPointedTo(string type) => type is "string" or "ustring" || type.EndsWith(']');

    private static ProbeArgument Parse(string text)
    {
        if (text.Any(letter => char.IsWhiteSpace(letter) || char.IsControl(letter)))
            throw new KernelException($"argument '{text}': no spaces are allowed in it");
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        string head = equals < 0 ? text : text[..equals];
        int colon = text.LastIndexOf(':');
        // A symbol may stand behind @, but no type before the last parenthesis.
        bool hasType = colon > Math.Max(equals, text.LastIndexOf(')'));
        string? type = hasType ? text[(colon + 1)..] : null;
        if (equals < 0 && hasType)
            head = text[..colon];
        if (head.Length == 0 || char.IsAsciiDigit(head[0]) || !head.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '_'))
            throw new KernelException($"argument '{text}': '{head}' is no name; name:type (such as size:u64) or name=fetch:type (such as size=%di:u64) is one");
        if (type == "")
            throw new KernelException($"argument '{text}': no type behind the colon; u8 to u64, s8 to s64, x8 to x64, string and arrays such as u8[16] are");
        if (equals < 0)
            return new ProbeArgument(head, null, type);
        string fetch = text[(equals + 1)..(hasType ? colon : text.Length)];
        return fetch.Length > 0 ? new ProbeArgument(head, fetch, type) : throw new KernelException($"argument '{text}': nothing stands behind the equals sign");
    }

    private static IEnumerable<string> Split(string text)
    {
        int depth = 0;
        int begin = 0;
        for (int i = 0; i < text.Length; i++)
        {
            depth += text[i] switch { '(' => 1, ')' => -1, _ => 0 };
            if (text[i] != ',' || depth != 0)
                continue;
            yield return text[begin..i];
            begin = i + 1;
        }
        yield return text[begin..];
    }
}
