namespace Weir.Ctf;

/// <content>Types: specifiers, declarators, structures, variants, enumerations.</content>
internal sealed partial class TsdlParser
{
    private bool IsTypeDeclaration => IsWord("typedef"u8) || IsWord("typealias"u8) || IsWord("struct"u8) || IsWord("enum"u8) || IsWord("variant"u8);

    /// <summary>Reads <c>typedef</c>, <c>typealias</c> or a bare specifier such as <c>struct name { ... };</c>.</summary>
    private void ReadTypeDeclaration()
    {
        if (AcceptWord("typealias"u8))
        {
            ReadTypealias();
            return;
        }
        bool isTypedef = AcceptWord("typedef"u8);
        string alias = "";
        var type = ReadSpecifiers(ref alias);
        isTypedef |= AcceptWord("typedef"u8);
        if (isTypedef)
            ReadTypedefNames(type, alias);
        else if (type is null)
            FindAlias(alias, Current.Start);
        // Declarations of types may follow each other without a semicolon.
        while (!isTypedef && IsTypeDeclaration && !IsWord("typedef"u8) && !IsWord("typealias"u8))
            ReadSpecifiers(ref alias);
        Require(TsdlPunctuation.Semicolon, ";");
    }

    private void ReadTypedefNames(TsdlDraft? type, string alias)
    {
        do
        {
            int position = Current.Start;
            var (name, draft) = ReadDeclarator(type, alias, isNamed: true);
            RegisterType(name, draft, position);
        }
        while (Accept(TsdlPunctuation.Comma));
    }

    private void ReadTypealias()
    {
        string targetAlias = "";
        var target = ReadSpecifiers(ref targetAlias);
        var (_, draft) = ReadDeclarator(target, targetAlias, isNamed: false);
        Require(TsdlPunctuation.TypeAssign, ":=");
        int position = Current.Start;
        string name = "";
        while (!Is(TsdlPunctuation.Semicolon))
        {
            string word;
            if (Accept(TsdlPunctuation.Star))
                word = "*";
            else if (Current.Kind == TsdlTokenKind.Identifier && IsAliasWord(Current))
                word = ReadAliasWord();
            else
                throw Expected("the name of a type");
            name = name.Length == 0 ? word : $"{name} {word}";
        }
        if (name.Length == 0)
            throw Expected("the name of a type");
        RegisterType(name, draft, position);
        _next++;
    }

    private void RegisterType(string name, TsdlDraft draft, int position)
    {
        if (draft is TsdlVariant { Tag: null })
            throw Error(position, "a variant without a tag cannot be given a name by typedef or typealias");
        if (!_scope.TryAdd(name, draft))
            throw Error(position, $"the type '{name}' is declared twice");
    }

    /// <summary>Whether the word may be part of a type's name: no keyword but those of C's basic types.</summary>
    private bool IsAliasWord(TsdlToken token) => IsBasicWord(token) || !TsdlKeywords.Contains(Word(token));

    private bool IsBasicWord(TsdlToken token) => token.Kind == TsdlTokenKind.Identifier && Word(token) is
        "void" or "char" or "short" or "int" or "long" or "float" or "double" or "signed" or "unsigned" or "_Bool" or "_Complex"
        or "_Imaginary" or "const";

    private string ReadAliasWord()
    {
        string word = Word(Current);
        _next++;
        return word;
    }

    /// <summary>
    /// Reads a type's specifiers. Returns the type, or null when they only name one; the name is then in <paramref name="alias"/>,
    /// to be looked up once it is known whether a pointer follows.
    /// </summary>
    private TsdlDraft? ReadSpecifiers(ref string alias)
    {
        TsdlDraft? type = null;
        if (AcceptWord("struct"u8))
            type = ReadStructure();
        else if (AcceptWord("variant"u8))
            type = ReadVariant();
        else if (AcceptWord("enum"u8))
            type = ReadEnumeration();
        else if (AcceptWord("integer"u8))
            type = ReadIntegerClass();
        else if (AcceptWord("floating_point"u8))
            type = ReadFloatingPoint();
        else if (AcceptWord("string"u8))
            type = ReadString();
        if (type is not null)
        {
            while (AcceptWord("const"u8))
            {
            }
            return type;
        }
        bool hasType = false;
        while (Current.Kind == TsdlTokenKind.Identifier && IsAliasWord(Current))
        {
            // The last word before a declarator's end is the member's name, unless no type came before it.
            if (hasType && !IsBasicWord(Current) && Ahead(1).Kind != TsdlTokenKind.Identifier && !IsAt(1, TsdlPunctuation.LeftBrace))
                break;
            if (hasType && !IsBasicWord(Current) && IsWord(Ahead(1), "typedef"u8))
                break;
            hasType |= !IsWord("const"u8);
            string word = ReadAliasWord();
            alias = alias.Length == 0 ? word : $"{alias} {word}";
        }
        if (!hasType)
            throw Expected("a type");
        return null;
    }

    private TsdlDraft FindAlias(string alias, int position) =>
        _scope.Find(alias) ?? throw Error(position, $"the type '{alias}' is not declared here");

    /// <summary>Reads pointers, a name (if it is to have one) and array lengths.</summary>
    private (string Name, TsdlDraft Draft) ReadDeclarator(TsdlDraft? type, string alias, bool isNamed)
    {
        int position = Current.Start;
        bool isPointer = false;
        while (Accept(TsdlPunctuation.Star))
        {
            isPointer = true;
            alias += AcceptWord("const"u8) ? " * const" : " *";
        }
        bool isParenthesized = Accept(TsdlPunctuation.LeftParenthesis);
        string name = isNamed ? RequireName("a name") : "";
        if (isParenthesized)
            Require(TsdlPunctuation.RightParenthesis, ")");
        if (type is not null && isPointer)
            throw Error(position, "only a named type has pointers");
        type ??= FindAlias(alias, position);
        if (isPointer && type is TsdlLeaf { Class: IntegerFieldClass integer } leaf)
            type = new TsdlLeaf(AsPointer(integer), leaf.IsText);
        if (Is(TsdlPunctuation.Colon))
            throw Error("bit fields as in C are not part of TSDL: expected ';'");
        return (name, ReadArrayLengths(type));
    }

    private static IntegerFieldClass AsPointer(IntegerFieldClass integer) => new(integer.SizeBits, integer.IsSigned, integer.AlignmentBits)
    {
        ByteOrder = integer.ByteOrder,
        DisplayBase = DisplayBase.Hexadecimal,
        MappedClock = integer.MappedClock,
        Mappings = integer.Mappings,
    };

    /// <summary>Reads <c>[length]</c> as often as it stands there; the first is the outermost array's, as in C.</summary>
    private TsdlDraft ReadArrayLengths(TsdlDraft element)
    {
        if (!Accept(TsdlPunctuation.LeftBracket))
            return element;
        var value = ReadValue("the length of an array");
        Require(TsdlPunctuation.RightBracket, "]");
        EnterDepth();
        var inner = ReadArrayLengths(element);
        _depth--;
        if (inner.Depth >= MaxDepth)
            throw Error(value.Position, $"types are nested deeper than {MaxDepth} levels");
        if (!value.IsText)
            return new TsdlArray(inner, RequireUnsigned(value, "the length of an array"), null, value.Position);
        if (value.Text!.StartsWith("env.", StringComparison.Ordinal))
            return new TsdlArray(inner, FindLengthInEnvironment(value), null, value.Position);
        return new TsdlArray(inner, 0, value.Text, value.Position);
    }

    private ulong FindLengthInEnvironment(TsdlValue value)
    {
        string name = value.Text![4..];
        foreach (var entry in _environment)
        {
            if (entry.Name != name)
                continue;
            return entry.Number is >= 0 and { } number
                ? (ulong)number
                : throw Error(value.Position, $"the environment's '{name}' is no length: expected an integer that is not negative");
        }
        throw Error(value.Position, $"the environment has no '{name}'");
    }

    private TsdlStructure ReadStructure()
    {
        string? name = Is(TsdlPunctuation.LeftBrace) ? null : RequireName("the name or the members of a structure");
        if (!Is(TsdlPunctuation.LeftBrace))
        {
            return _scope.Find($"struct {name}") as TsdlStructure
                ?? throw Error(_tokens[_next - 1].Start, $"the structure '{name}' is not declared here");
        }
        if (name is not null && _scope.HasOwn($"struct {name}"))
            throw Error(_tokens[_next - 1].Start, $"the structure '{name}' is declared twice");
        var structure = new TsdlStructure();
        ReadMembers(structure);
        if (AcceptWord("align"u8))
        {
            Require(TsdlPunctuation.LeftParenthesis, "(");
            structure.MinimumAlignmentBits = RequireAlignment(ReadValue("an alignment"));
            Require(TsdlPunctuation.RightParenthesis, ")");
        }
        if (name is not null)
            _scope.TryAdd($"struct {name}", structure);
        return structure;
    }

    private void ReadMembers(TsdlCompound compound)
    {
        Require(TsdlPunctuation.LeftBrace, "{");
        EnterDepth();
        _scope = new TsdlScope(_scope);
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (!Accept(TsdlPunctuation.RightBrace))
        {
            if (IsWord("typedef"u8) || IsWord("typealias"u8))
            {
                ReadTypeDeclaration();
                continue;
            }
            string alias = "";
            var type = ReadSpecifiers(ref alias);
            if (AcceptWord("typedef"u8))
            {
                ReadTypedefNames(type, alias);
                Require(TsdlPunctuation.Semicolon, ";");
                continue;
            }
            do
            {
                int position = Current.Start;
                var (name, draft) = ReadDeclarator(type, alias, isNamed: true);
                if (!names.Add(name))
                    throw Error(position, $"the name '{name}' is used twice");
                if (draft.Depth >= MaxDepth)
                    throw Error(position, $"types are nested deeper than {MaxDepth} levels");
                compound.Add(new TsdlMember(name, draft, position));
            }
            while (Accept(TsdlPunctuation.Comma));
            Require(TsdlPunctuation.Semicolon, ";");
        }
        _scope = _scope.Parent!;
        _depth--;
    }

    private TsdlVariant ReadVariant()
    {
        int position = Current.Start;
        string? name = null;
        if (!Is(TsdlPunctuation.LeftBrace) && !Is(TsdlPunctuation.Less))
            name = RequireName("the name, the tag or the options of a variant");
        string? tag = null;
        if (Accept(TsdlPunctuation.Less))
        {
            position = Current.Start;
            tag = IsAt(1, TsdlPunctuation.Dot) ? ReadPath() : RequireName("the tag of a variant");
            Require(TsdlPunctuation.Greater, ">");
        }
        if (Is(TsdlPunctuation.LeftBrace))
        {
            if (name is not null && _scope.HasOwn($"variant {name}"))
                throw Error(position, $"the variant '{name}' is declared twice");
            var variant = new TsdlVariant { Tag = tag, Position = position };
            ReadMembers(variant);
            if (variant.Members.Count == 0)
                throw Error(position, "a variant has at least one option");
            if (name is not null)
                _scope.TryAdd($"variant {name}", variant);
            return variant;
        }
        if (_scope.Find($"variant {name}") is not TsdlVariant known)
            throw Error(position, $"the variant '{name}' is not declared here");
        return known.WithTag(tag ?? throw Expected("'<' and the tag of the variant"), position);
    }

    private TsdlLeaf ReadEnumeration()
    {
        int position = Current.Start;
        string? name = Is(TsdlPunctuation.LeftBrace) || Is(TsdlPunctuation.Colon) ? null : RequireName("the name or the labels of an enumeration");
        if (!Is(TsdlPunctuation.LeftBrace) && !Is(TsdlPunctuation.Colon))
        {
            return _scope.Find($"enum {name}") as TsdlLeaf
                ?? throw Error(position, $"the enumeration '{name}' is not declared here");
        }
        if (name is not null && _scope.HasOwn($"enum {name}"))
            throw Error(position, $"the enumeration '{name}' is declared twice");
        string alias = "int";
        TsdlDraft? container = null;
        if (Accept(TsdlPunctuation.Colon))
        {
            alias = "";
            position = Current.Start;
            container = ReadSpecifiers(ref alias);
        }
        container ??= FindAlias(alias, position);
        if (container is not TsdlLeaf { Class: IntegerFieldClass integer })
            throw Error(position, "the container of an enumeration is an integer");
        var enumeration = new TsdlLeaf(integer.With(mappings: ReadMappings(integer)));
        if (name is not null)
            _scope.TryAdd($"enum {name}", enumeration);
        return enumeration;
    }

    private List<EnumerationMapping> ReadMappings(IntegerFieldClass container)
    {
        Require(TsdlPunctuation.LeftBrace, "{");
        var ranges = new Dictionary<string, List<IntegerRange>>(StringComparer.Ordinal);
        var mappings = new List<EnumerationMapping>();
        long following = 0;
        do
        {
            if (mappings.Count > 0 && Is(TsdlPunctuation.RightBrace))
                break;
            int position = Current.Start;
            string label = ReadLabel();
            long lower = following;
            long upper = following;
            if (Accept(TsdlPunctuation.Equal))
            {
                lower = upper = ReadEnumerationValue();
                if (Accept(TsdlPunctuation.Range))
                    upper = ReadEnumerationValue();
            }
            if (container.IsSigned ? lower > upper : (ulong)lower > (ulong)upper)
                throw Error(position, $"the range of label '{label}' ends before it begins");
            following = unchecked(upper + 1);
            if (!ranges.TryGetValue(label, out var known))
            {
                ranges.Add(label, known = []);
                mappings.Add(new EnumerationMapping(label, known));
            }
            known.Add(new IntegerRange(lower, upper));
        }
        while (Accept(TsdlPunctuation.Comma));
        Require(TsdlPunctuation.RightBrace, "}");
        return mappings;
    }

    private string ReadLabel()
    {
        string label = Current.Kind switch
        {
            TsdlTokenKind.Identifier => Word(Current),
            TsdlTokenKind.String or TsdlTokenKind.Character => TsdlLexer.Unescape(_text, Current),
            _ => throw Expected("a label"),
        };
        _next++;
        return label;
    }

    private long ReadEnumerationValue()
    {
        var value = ReadValue("an integer");
        return value.IsText ? throw Error(value.Position, "expected an integer as the value of a label") : value.Bits;
    }

    private int RequireAlignment(TsdlValue value)
    {
        ulong alignmentBits = RequireUnsigned(value, "an alignment");
        return alignmentBits <= 1 << 30 && FieldClass.IsValidAlignment((long)alignmentBits)
            ? (int)alignmentBits
            : throw Error(value.Position, $"expected a power of two of at most 2^30 as an alignment, found {alignmentBits}");
    }
}
