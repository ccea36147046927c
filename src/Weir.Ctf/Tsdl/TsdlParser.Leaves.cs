namespace Weir.Ctf;

/// <content>Integers, floating point numbers and strings: blocks of attributes.</content>
internal sealed partial class TsdlParser
{
    /// <summary>Reads <c>{ name = value; ... }</c>, calls <paramref name="attribute"/> for each; a name may stand once.</summary>
    private void ReadAttributes(string what, Action<string, TsdlValue> attribute)
    {
        Require(TsdlPunctuation.LeftBrace, "{");
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (!Accept(TsdlPunctuation.RightBrace))
        {
            int position = Current.Start;
            string name = ReadPath();
            Require(TsdlPunctuation.Equal, "=");
            var value = ReadValue("a value");
            Require(TsdlPunctuation.Semicolon, ";");
            if (!names.Add(name))
                throw Error(position, $"the attribute '{name}' of {what} stands there twice");
            attribute(name, value);
        }
    }

    private TsdlLeaf ReadIntegerClass()
    {
        int position = Current.Start;
        ulong sizeBits = 0;
        int? alignmentBits = null;
        bool isSigned = false;
        bool isText = false;
        var byteOrder = _nativeByteOrder;
        var displayBase = DisplayBase.Decimal;
        ClockClass? clock = null;
        ReadAttributes("an integer", (name, value) =>
        {
            switch (name)
            {
                case "size":
                    sizeBits = RequireUnsigned(value, "the size of an integer");
                    if (sizeBits is 0 or > 64)
                        throw Error(value.Position, $"expected 1 to 64 as the size of an integer, found {sizeBits}");
                    break;
                case "align":
                    alignmentBits = RequireAlignment(value);
                    break;
                case "signed":
                    isSigned = RequireBoolean(value, "signed");
                    break;
                case "byte_order":
                    byteOrder = RequireByteOrder(value, _nativeByteOrder);
                    break;
                case "base":
                    displayBase = RequireBase(value);
                    break;
                case "encoding":
                    isText = RequireEncoding(value);
                    break;
                case "map":
                    clock = FindMappedClock(value);
                    break;
            }
        });
        if (sizeBits == 0)
            throw Error(position, "an integer needs the attribute 'size'");
        return new TsdlLeaf(new IntegerFieldClass((int)sizeBits, isSigned, alignmentBits ?? (sizeBits % 8 == 0 ? 8 : 1))
        {
            ByteOrder = byteOrder,
            DisplayBase = displayBase,
            MappedClock = clock,
        }, isText);
    }

    private DisplayBase RequireBase(TsdlValue value) => value switch
    {
        { IsUnsigned: true, Number: 2 } or { Text: "binary" or "b" } => DisplayBase.Binary,
        { IsUnsigned: true, Number: 8 } or { Text: "octal" or "oct" or "o" } => DisplayBase.Octal,
        { IsUnsigned: true, Number: 10 } or { Text: "decimal" or "dec" or "d" or "i" or "u" } => DisplayBase.Decimal,
        { IsUnsigned: true, Number: 16 } or { Text: "hexadecimal" or "hex" or "x" or "X" or "p" } => DisplayBase.Hexadecimal,
        _ => throw Error(value.Position, "expected 2, 8, 10 or 16, or a word for it, as base"),
    };

    private bool RequireEncoding(TsdlValue value) => value.Text switch
    {
        "UTF8" or "utf8" or "utf-8" or "UTF-8" or "ASCII" or "ascii" => true,
        "none" => false,
        _ => throw Error(value.Position, "expected UTF8, ASCII or none as encoding"),
    };

    private ClockClass? FindMappedClock(TsdlValue value)
    {
        string path = RequireText(value, "map");
        string[] words = path.Split('.');
        // Other forms of map exist in old metadata; they name no clock.
        if (words is not ["clock", var name, "value"])
            return null;
        foreach (var clock in _clocks)
        {
            if (clock.Name == name)
                return clock;
        }
        throw Error(value.Position, $"the clock '{name}' is not declared");
    }

    private TsdlLeaf ReadFloatingPoint()
    {
        int position = Current.Start;
        ulong exponentDigits = 0;
        ulong mantissaDigits = 0;
        int alignmentBits = 8;
        var byteOrder = _nativeByteOrder;
        ReadAttributes("a floating point number", (name, value) =>
        {
            switch (name)
            {
                case "exp_dig":
                    exponentDigits = RequireUnsigned(value, name);
                    break;
                case "mant_dig":
                    mantissaDigits = RequireUnsigned(value, name);
                    break;
                case "align":
                    alignmentBits = RequireAlignment(value);
                    break;
                case "byte_order":
                    byteOrder = RequireByteOrder(value, _nativeByteOrder);
                    break;
            }
        });
        int sizeBits = (exponentDigits, mantissaDigits) switch
        {
            (8, 24) => 32,
            (11, 53) => 64,
            _ => throw Error(position, "expected exp_dig = 8 with mant_dig = 24, or exp_dig = 11 with mant_dig = 53"),
        };
        return new TsdlLeaf(new FloatingPointFieldClass(sizeBits, alignmentBits) { ByteOrder = byteOrder });
    }

    private TsdlLeaf ReadString()
    {
        if (Is(TsdlPunctuation.LeftBrace))
        {
            ReadAttributes("a string", (name, value) =>
            {
                if (name == "encoding")
                    RequireEncoding(value);
            });
        }
        return new TsdlLeaf(new StringFieldClass());
    }
}
