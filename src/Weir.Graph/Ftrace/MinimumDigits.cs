using System.Text.Json.Nodes;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// How many digits a number is shown with at least (the kernel's <c>%03d</c>): an attribute of the field class, so that it goes wherever
/// the class goes.
/// </summary>
internal static class MinimumDigits
{
    private const string Namespace = "weir";
    private const string Key = "minimum-digits";

    /// <summary>Attributes that say so.</summary>
    public static JsonObject Note(int digits) => new() { [Namespace] = new JsonObject { [Key] = digits } };

    /// <summary>The number of digits that a class asks for, or 0.</summary>
    public static int Of(FieldClass fieldClass) =>
        fieldClass.Attributes?[Namespace] is JsonObject ours && ours[Key] is JsonValue value && value.TryGetValue(out int digits) && digits is > 0 and <= 20 ? digits : 0;
}
