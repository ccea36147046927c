using System.Runtime.InteropServices;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>What a value is.</summary>
internal enum WhereValueKind : byte
{
    /// <summary>The event has no such field.</summary>
    Missing,

    /// <summary>An integer, a boolean or an enumeration.</summary>
    Integer,

    /// <summary>A floating point number.</summary>
    Real,

    /// <summary>A text.</summary>
    Text,

    /// <summary>Something that is there but cannot be compared: a structure, an array, bytes.</summary>
    Other,
}

/// <summary>One value of the event that is looked at.</summary>
[StructLayout(LayoutKind.Auto)]
internal struct WhereValue
{
    public WhereValueKind Kind;
    public bool IsSigned;
    public ulong Bits;
    public double Real;
    public int TextStart;
    public int TextLength;

    /// <summary>The step that gave it, which knows the labels of an enumeration; -1 for facts.</summary>
    public int Step;

    public readonly Int128 Integer => IsSigned ? (long)Bits : Bits;

    public readonly double AsReal => Kind == WhereValueKind.Real ? Real : IsSigned ? (long)Bits : Bits;
}

/// <summary>The values of one event, as the last walk gave them, and room for its texts that is kept for the next.</summary>
internal sealed class WhereValues(int count)
{
    private byte[] _text = new byte[256];
    private int _textLength;

    public WhereValue[] Items { get; } = new WhereValue[count];

    public ReadOnlySpan<byte> TextOf(in WhereValue value) => _text.AsSpan(value.TextStart, value.TextLength);

    /// <summary>Forgets values from a place on, and all texts.</summary>
    public void Clear()
    {
        _textLength = 0;
        Items.AsSpan().Clear();
    }

    public void SetInteger(int place, int step, ulong bits, bool isSigned) =>
        Items[place] = new WhereValue { Kind = WhereValueKind.Integer, Bits = bits, IsSigned = isSigned, Step = step };

    public void SetReal(int place, double value) => Items[place] = new WhereValue { Kind = WhereValueKind.Real, Real = value, Step = -1 };

    public void SetOther(int place) => Items[place] = new WhereValue { Kind = WhereValueKind.Other, Step = -1 };

    public void SetText(int place, ReadOnlySpan<byte> text)
    {
        if (_text.Length - _textLength < text.Length)
            Array.Resize(ref _text, Math.Max(_text.Length * 2, _textLength + text.Length));
        text.CopyTo(_text.AsSpan(_textLength));
        Items[place] = new WhereValue { Kind = WhereValueKind.Text, TextStart = _textLength, TextLength = text.Length, Step = -1 };
        _textLength += text.Length;
    }
}

/// <summary>Which steps of a program give which values.</summary>
internal sealed class WherePlaces
{
    // For each step the place of its value, or -1.
    private readonly int[] _places;
    private readonly bool[] _isSigned;

    public WherePlaces(DecodeProgram program)
    {
        _places = new int[program.Steps.Length];
        _isSigned = new bool[program.Steps.Length];
        Array.Fill(_places, -1);
        for (int i = 0; i < _isSigned.Length; i++)
            _isSigned[i] = program.Steps[i].IsSigned;
    }

    /// <summary>Whether any value comes from here, so that a walk is needed.</summary>
    public bool IsNeeded { get; private set; }

    /// <summary>
    /// Lets the field of a name under a root give a value. Returns the value's place: the given one, or one that the field has already; -1
    /// where there is no such field. A variant's options have its name.
    /// </summary>
    public int Map(DecodeProgram program, int root, string name, int place)
    {
        if (root < 0)
            return -1;
        int found = MapIn(program.Steps, root + 1, program.Steps[root].End, name, place);
        IsNeeded |= found >= 0;
        return found;
    }

    public Visitor CreateVisitor(WhereValues values) => new(_places, _isSigned, values);

    private int MapIn(ReadOnlySpan<DecodeStep> steps, int from, int to, ReadOnlySpan<char> name, int place)
    {
        for (int i = from; i < to; i = steps[i].End)
        {
            string own = steps[i].Name;
            if (name.SequenceEqual(own))
                return MapOptions(steps, i, place);
            if (name.Length > own.Length && name[own.Length] == '.' && name.StartsWith(own) && MapInside(steps, i, name[(own.Length + 1)..], place) is >= 0 and int found)
                return found;
        }
        return -1;
    }

    private int MapInside(ReadOnlySpan<DecodeStep> steps, int step, ReadOnlySpan<char> name, int place)
    {
        switch (steps[step].Kind)
        {
            case DecodeStepKind.Structure:
                return MapIn(steps, step + 1, steps[step].End, name, place);
            case DecodeStepKind.Optional:
                return MapInside(steps, step + 1, name, place);
            case DecodeStepKind.Variant:
                int found = -1;
                for (int i = step + 1; i < steps[step].End; i = steps[i].End)
                    found = Math.Max(found, MapInside(steps, i, name, place));
                return found;
            default:
                return -1;
        }
    }

    private int MapOptions(ReadOnlySpan<DecodeStep> steps, int step, int place)
    {
        if (_places[step] >= 0)
            return _places[step];
        _places[step] = place;
        if (steps[step].Kind == DecodeStepKind.Optional)
        {
            MapOptions(steps, step + 1, place);
        }
        else if (steps[step].Kind == DecodeStepKind.Variant)
        {
            for (int i = step + 1; i < steps[step].End; i = steps[i].End)
                MapOptions(steps, i, place);
        }
        return place;
    }

    /// <summary>Keeps the values that are asked for.</summary>
    internal readonly unsafe struct Visitor(int[] places, bool[] isSigned, WhereValues values) : IFieldVisitor
    {
        public void Integer(int step, ulong value)
        {
            if (places[step] is >= 0 and int place)
                values.SetInteger(place, step, value, isSigned[step]);
        }

        public void Real(int step, double value)
        {
            if (places[step] is >= 0 and int place)
                values.SetReal(place, value);
        }

        public void Text(int step, byte* text, int lengthBytes)
        {
            if (places[step] is >= 0 and int place)
                values.SetText(place, new ReadOnlySpan<byte>(text, lengthBytes));
        }

        public void BeginStructure(int step) => Note(step);

        public void EndStructure(int step)
        {
        }

        public void BeginArray(int step, ulong length) => Note(step);

        public void Element(int step, ulong index)
        {
        }

        public void EndArray(int step)
        {
        }

        public void BeginVariant(int step)
        {
        }

        public void EndVariant(int step)
        {
        }

        public void Blob(int step, byte* bytes, long lengthBytes) => Note(step);

        public void BeginOptional(int step, bool isPresent)
        {
        }

        public void EndOptional(int step)
        {
        }

        private void Note(int step)
        {
            if (places[step] is >= 0 and int place)
                values.SetOther(place);
        }
    }
}
