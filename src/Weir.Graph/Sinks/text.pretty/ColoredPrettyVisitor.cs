using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// <see cref="PrettyVisitor"/> with an end to the colour that a value's prefix begins; a visitor of its own, so that plain text has nothing
/// to ask.
/// </summary>
internal unsafe struct ColoredPrettyVisitor(TextBuffer text, PrettyStep[] steps, PrettyColors colors) : IFieldVisitor
{
    private PrettyVisitor _plain = new(text, steps, colors);

    public readonly void Integer(int step, ulong value)
    {
        _plain.Integer(step, value);
        // Of an enumeration and of flags the parts are coloured, not the whole.
        if (!steps[step].HasParts)
            End(step);
    }

    public readonly void Real(int step, double value)
    {
        _plain.Real(step, value);
        End(step);
    }

    public readonly void Text(int step, byte* bytes, int lengthBytes)
    {
        _plain.Text(step, bytes, lengthBytes);
        End(step);
    }

    public readonly void BeginStructure(int step) => _plain.BeginStructure(step);

    public readonly void EndStructure(int step) => _plain.EndStructure(step);

    public readonly void BeginArray(int step, ulong length) => _plain.BeginArray(step, length);

    public readonly void Element(int step, ulong index) => _plain.Element(step, index);

    public readonly void EndArray(int step) => _plain.EndArray(step);

    public readonly void BeginVariant(int step) => _plain.BeginVariant(step);

    public readonly void EndVariant(int step) => _plain.EndVariant(step);

    public readonly void Blob(int step, byte* bytes, long lengthBytes) => _plain.Blob(step, bytes, lengthBytes);

    public void BeginOptional(int step, bool isPresent) => _plain.BeginOptional(step, isPresent);

    public void EndOptional(int step) => _plain.EndOptional(step);

    private readonly void End(int step)
    {
        if (steps[step].Prefix is not null)
            text.Append(colors.End);
    }
}
