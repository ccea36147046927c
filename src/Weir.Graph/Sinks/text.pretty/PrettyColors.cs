using System.Text;

namespace Weir.Graph;

/// <summary>The codes around parts of a line in babeltrace2's colours; all are empty without colours.</summary>
internal sealed class PrettyColors
{
    public static PrettyColors None { get; } = new();

    private PrettyColors()
    {
    }

    private PrettyColors(bool brightIsBold)
    {
        string Bright(int color) => brightIsBold ? $"{Bold}\e[3{color}m" : $"\e[9{color}m";
        IsColored = true;
        Bold = "\e[1m";
        Reset = TerminalColors.Reset;
        FieldName = "\e[36m";
        EventName = Bold + Bright(5);
        UnknownText = Bold + Bright(1);
        Time = Encoding.UTF8.GetBytes(Bold + Bright(3));
        Value = Encoding.UTF8.GetBytes(Bold);
        End = Encoding.UTF8.GetBytes(Reset);
        Unknown = Encoding.UTF8.GetBytes(UnknownText);
    }

    public bool IsColored { get; }

    /// <summary>Before names of parts of the header and of scopes, and before values.</summary>
    public string Bold { get; } = "";

    public string Reset { get; } = "";

    public string FieldName { get; } = "";

    public string EventName { get; } = "";

    /// <summary>Before what has no name.</summary>
    public string UnknownText { get; } = "";

    public byte[] Time { get; } = [];

    public byte[] Value { get; } = [];

    /// <summary><see cref="Reset"/> as bytes.</summary>
    public byte[] End { get; } = [];

    /// <summary><see cref="UnknownText"/> as bytes.</summary>
    public byte[] Unknown { get; } = [];

    public static PrettyColors Of(PrettyOptions options) => options.IsColored ? new PrettyColors(options.BrightIsBold) : None;

    /// <summary>A name and its equals sign.</summary>
    public string Named(string name) => $"{Bold}{name}{Reset} = ";

    /// <summary>A field's name and its equals sign.</summary>
    public string Field(string name) => $"{FieldName}{name}{Reset} = ";
}
