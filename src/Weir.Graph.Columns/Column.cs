using Apache.Arrow;
using Apache.Arrow.Types;

namespace Weir.Graph.Columns;

/// <summary>The values of one column, or of one part of a nested one, until they are written; laid out as Arrow has them.</summary>
internal sealed class Column
{
    private readonly ByteStore _values = new();
    private readonly ByteStore _ends = new();
    private readonly ByteStore _valid = new();
    private readonly int _widthBytes;
    private readonly bool _hasEnds;
    private int _nullCount;

    public Column(string name, IArrowType type, bool isNullable, params Column[] children)
    {
        Name = name;
        Type = type;
        IsNullable = isNullable;
        Children = children;
        _hasEnds = type is StringType or BinaryType or ListType;
        _widthBytes = type switch
        {
            BooleanType => 1,
            FixedWidthType fixedWidth => fixedWidth.BitWidth / 8,
            _ => 0,
        };
        Clear();
    }

    public string Name { get; }

    public IArrowType Type { get; }

    public bool IsNullable { get; }

    public IReadOnlyList<Column> Children { get; }

    /// <summary>Number of values.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of the values of texts and byte strings.</summary>
    public ByteStore Bytes => _values;

    public Field Field => new(Name, Type, IsNullable);

    /// <summary>Takes an integer, the bits of a real, or a boolean.</summary>
    public void Append(ulong value)
    {
        _values.Append(value, _widthBytes);
        End();
    }

    /// <summary>Takes a text or a byte string.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        _values.Append(bytes);
        End();
    }

    /// <summary>Ends a value whose bytes or children were appended.</summary>
    public void End()
    {
        EndValue();
        if (IsNullable)
            _valid.Append(1, 1);
    }

    /// <summary>Takes a missing value; where none may be missing (inside one that is), a value that nobody sees.</summary>
    public void AppendNull()
    {
        if (_widthBytes > 0)
            _values.Append(0, _widthBytes);
        else if (Type is StructType)
        {
            foreach (var child in Children)
                child.AppendNull();
        }
        EndValue();
        if (!IsNullable)
            return;
        _valid.Append(0, 1);
        _nullCount++;
    }

    /// <summary>The values as an array; it refers to them, so it is valid until the next change.</summary>
    public ArrayData Build()
    {
        var validity = _nullCount > 0 ? new ArrowBuffer(Pack(_valid.Written.Span)) : ArrowBuffer.Empty;
        ArrowBuffer[] buffers = Type switch
        {
            StructType => [validity],
            ListType => [validity, new ArrowBuffer(_ends.Written)],
            StringType or BinaryType => [validity, new ArrowBuffer(_ends.Written), new ArrowBuffer(_values.Written)],
            BooleanType => [validity, new ArrowBuffer(Pack(_values.Written.Span))],
            _ => [validity, new ArrowBuffer(_values.Written)],
        };
        return new ArrayData(Type, Count, _nullCount, 0, buffers, [.. Children.Select(child => child.Build())]);
    }

    /// <summary>Forgets the values.</summary>
    public void Clear()
    {
        _values.Clear();
        _ends.Clear();
        _valid.Clear();
        Count = 0;
        _nullCount = 0;
        if (_hasEnds)
            _ends.Append(0, 4);
        foreach (var child in Children)
            child.Clear();
    }

    /// <summary>Name and type with all that is inside, to be compared.</summary>
    public string Describe() => $"{Name}:{Type.Name}{(IsNullable ? "?" : "")}({string.Join(',', Children.Select(child => child.Describe()))})";

    private static byte[] Pack(ReadOnlySpan<byte> flags)
    {
        byte[] bits = new byte[(flags.Length + 7) / 8];
        for (int i = 0; i < flags.Length; i++)
            bits[i >> 3] |= (byte)((flags[i] & 1) << (i & 7));
        return bits;
    }

    private void EndValue()
    {
        if (_hasEnds)
            _ends.Append((uint)(Type is ListType ? Children[0].Count : _values.Count), 4);
        Count++;
    }
}
