namespace Weir.Graph;

/// <summary>Pieces of text in babeltrace2's colours (SGR codes of ECMA-48), or in none.</summary>
internal sealed class DetailsStyle
{
    private readonly bool _brightIsBold;

    /// <summary>Creates a style.</summary>
    public DetailsStyle(DetailsOptions options)
    {
        _brightIsBold = options.BrightIsBold;
        if (!options.IsColored)
            return;
        Bold = "\e[1m";
        Reset = "\e[0m";
        Green = "\e[32m";
        Blue = "\e[34m";
        Magenta = "\e[35m";
        Cyan = "\e[36m";
        BrightRed = Bright(1);
        BrightGreen = Bright(2);
        BrightYellow = Bright(3);
        BrightBlue = Bright(4);
        BrightMagenta = Bright(5);
        BrightCyan = Bright(6);
    }

    public string Bold { get; } = "";

    public string Reset { get; } = "";

    public string Green { get; } = "";

    public string Blue { get; } = "";

    public string Magenta { get; } = "";

    public string Cyan { get; } = "";

    public string BrightRed { get; } = "";

    public string BrightGreen { get; } = "";

    public string BrightYellow { get; } = "";

    public string BrightBlue { get; } = "";

    public string BrightMagenta { get; } = "";

    public string BrightCyan { get; } = "";

    public string Object(string name) => $"{Bold}{BrightYellow}{name}{Reset}";

    public string Property(string name) => $"{Magenta}{name}{Reset}";

    public string Member(string name) => $"{Cyan}{name}{Reset}";

    public string FieldClass(string name) => $"{Blue}{name}{Reset}";

    public string EventName(string name) => $"`{Green}{name}{Reset}`";

    public string Value(string value) => $"{Bold}{value}{Reset}";

    public string Value(ulong value) => Value(DetailsNumber.ToText(value));

    public string Value(long value) => Value(DetailsNumber.ToText(value));

    public string Nothing(string value) => $"{Bold}{BrightMagenta}{value}{Reset}";

    public string Boolean(bool value) => $"{Bold}{(value ? BrightGreen : BrightRed)}{(value ? "Yes" : "No")}{Reset}";

    public string Time(string value) => $"{Bold}{BrightBlue}{value}{Reset}";

    private string Bright(int color) => _brightIsBold ? $"\e[1m\e[3{color}m" : $"\e[9{color}m";
}
