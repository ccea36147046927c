namespace Weir.Ctf;

/// <summary>The words that TSDL reserves (CTF 1.8, appendix C), which no member may be named.</summary>
internal static class TsdlKeywords
{
    public static bool Contains(ReadOnlySpan<char> word) => word is
        "align" or "callsite" or "char" or "clock" or "const" or "double" or "enum" or "env" or "event" or "float" or "floating_point"
        or "int" or "integer" or "long" or "short" or "signed" or "stream" or "string" or "struct" or "trace" or "typealias"
        or "typedef" or "unsigned" or "variant" or "void" or "_Bool" or "_Complex" or "_Imaginary";

    /// <summary>A name that readers show as <paramref name="name"/> and that is no keyword: they take one leading underscore off.</summary>
    public static string Protect(string name) =>
        name.StartsWith('_') || Contains(name) || (name.Length > 0 && char.IsAsciiDigit(name[0])) ? "_" + name : name;
}
