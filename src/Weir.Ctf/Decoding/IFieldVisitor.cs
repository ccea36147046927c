namespace Weir.Ctf;

/// <summary>
/// Receives the fields of a program that is run; implemented by a struct, so that each visitor gets code of its own. Steps are numbered
/// as in <see cref="DecodeProgram.Steps"/>.
/// </summary>
public unsafe interface IFieldVisitor
{
    /// <summary>An integer, a boolean (0 or 1) or a bit array; a signed integer is extended to 64 bits.</summary>
    void Integer(int step, ulong value);

    /// <summary>A floating point number; a single one is converted.</summary>
    void Real(int step, double value);

    /// <summary>Text in UTF-8 (whatever the trace has) without its final zero; valid during the call.</summary>
    void Text(int step, byte* text, int lengthBytes);

    /// <summary>A structure begins; its members come next.</summary>
    void BeginStructure(int step);

    /// <summary>The structure ends.</summary>
    void EndStructure(int step);

    /// <summary>An array begins.</summary>
    void BeginArray(int step, ulong length);

    /// <summary>The array's element <paramref name="index"/> comes next.</summary>
    void Element(int step, ulong index);

    /// <summary>The array ends.</summary>
    void EndArray(int step);

    /// <summary>A variant begins; the steps of the selected option come next.</summary>
    void BeginVariant(int step);

    /// <summary>The variant ends.</summary>
    void EndVariant(int step);

    /// <summary>Bytes that mean nothing to CTF; valid during the call.</summary>
    void Blob(int step, byte* bytes, long lengthBytes);

    /// <summary>An optional field begins; the steps of its content come next if it is there.</summary>
    void BeginOptional(int step, bool isPresent);

    /// <summary>The optional field ends.</summary>
    void EndOptional(int step);
}

/// <summary>A visitor that wants nothing.</summary>
internal unsafe struct NoVisitor : IFieldVisitor
{
    public readonly void Integer(int step, ulong value)
    {
    }

    public readonly void Real(int step, double value)
    {
    }

    public readonly void Text(int step, byte* text, int lengthBytes)
    {
    }

    public readonly void BeginStructure(int step)
    {
    }

    public readonly void EndStructure(int step)
    {
    }

    public readonly void BeginArray(int step, ulong length)
    {
    }

    public readonly void Element(int step, ulong index)
    {
    }

    public readonly void EndArray(int step)
    {
    }

    public readonly void BeginVariant(int step)
    {
    }

    public readonly void EndVariant(int step)
    {
    }

    public readonly void Blob(int step, byte* bytes, long lengthBytes)
    {
    }

    public readonly void BeginOptional(int step, bool isPresent)
    {
    }

    public readonly void EndOptional(int step)
    {
    }
}
