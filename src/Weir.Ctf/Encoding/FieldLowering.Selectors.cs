using System.Text;

namespace Weir.Ctf;

/// <content>Variants, optional fields, and what they and lengths refer to.</content>
internal sealed partial class FieldLowering
{
    private const byte OptionNumberBits = 16;

    private VariantFieldClass LowerVariant(int index, VariantFieldClass variant, Place place)
    {
        var target = FindTarget(variant.SelectorLocation);
        var selector = target is not null && CanRefer(target) ? target.Class as IntegerFieldClass : null;
        bool keepsSelector = selector is not null
            && (_version == CtfVersion.Ctf18 ? HasLabels(selector, variant) : !HasOverlaps(variant));
        SetStep(index, variant);
        if (keepsSelector)
        {
            var kept = LowerOptions(index, variant, isNumbered: false);
            return new VariantFieldClass(target!.Output, kept, variant.IsSelectorSigned) { Attributes = variant.Attributes };
        }
        var mappings = new List<EnumerationMapping>();
        var names = OptionNames(variant);
        for (int i = 0; i < names.Length; i++)
            mappings.Add(new EnumerationMapping(_version == CtfVersion.Ctf18 ? TsdlKeywords.Protect(names[i]) : names[i], i));
        var location = AddCompanion(index, place, "selector", new IntegerFieldClass(OptionNumberBits) { Mappings = mappings });
        // The number is written once it is known which option comes.
        _steps[index].CompanionBits = 0;
        var options = LowerOptions(index, variant, isNumbered: true);
        return new VariantFieldClass(location, options) { Attributes = variant.Attributes };
    }

    private List<VariantOption> LowerOptions(int index, VariantFieldClass variant, bool isNumbered)
    {
        var starts = _source[index].OptionStarts!;
        var names = OptionNames(variant);
        var options = new List<VariantOption>(variant.Options.Count);
        _indirections++;
        for (int i = 0; i < variant.Options.Count; i++)
        {
            var option = variant.Options[i];
            // What nothing selects needs no place; only TSDL can name it.
            if (!isNumbered && option.Ranges.Count == 0 && _version == CtfVersion.Ctf2)
                continue;
            var fieldClass = LowerField(starts[i], new Place());
            if (isNumbered)
            {
                _steps[starts[i]].SelectorBits = OptionNumberBits;
                _steps[starts[i]].OptionNumber = (ushort)i;
            }
            options.Add(new VariantOption(names[i], fieldClass, isNumbered ? [new IntegerRange(i)] : option.Ranges) { Attributes = option.Attributes });
        }
        _indirections--;
        return options;
    }

    private FieldClass LowerOptional(int index, OptionalFieldClass optional, Place place)
    {
        SetStep(index, optional);
        if (_version == CtfVersion.Ctf18)
        {
            var selector = new IntegerFieldClass(8) { Mappings = [new EnumerationMapping("none", 0), new EnumerationMapping("content", 1)] };
            var location = AddCompanion(index, place, "selector", selector);
            var inner = LowerElement(index);
            return VariantFieldClass.ByLabel(location, selector, new("none", new StructureFieldClass([])), new("content", inner));
        }
        var target = FindTarget(optional.SelectorLocation);
        var found = target?.Output ?? AddCompanion(index, place, "selector", new BooleanFieldClass(8, 8));
        var content = LowerElement(index);
        return new OptionalFieldClass(found, content)
        {
            Ranges = target is null ? null : optional.Ranges,
            IsSelectorSigned = target is not null && optional.IsSelectorSigned,
            Attributes = optional.Attributes,
        };
    }

    /// <summary>
    /// Puts a field in front of the one that is being lowered: into the structure around it, or with it into a structure made for both.
    /// </summary>
    private FieldLocation AddCompanion(int index, Place place, string suffix, BitsFieldClass companion)
    {
        _isCopy = false;
        _steps[index].CompanionBits = (byte)companion.SizeBits;
        if (place.Members is { } members)
        {
            string name = $"{_outputPath[^1]}_{suffix}";
            var taken = new HashSet<string>(_outputPath.Count == 1 ? _reservedNames : [], StringComparer.Ordinal);
            foreach (var member in members)
                taken.Add(member.Name);
            // Members that come later may have the name too.
            foreach (var member in ((StructureFieldClass)_source[ParentOf(index)].Class).Members)
                taken.Add(ValidName(member.Name));
            name = UniqueName(taken, name);
            members.Add(new StructureMember(name, companion));
            return new FieldLocation(_scope, [.. _outputPath[..^1], name]);
        }
        place.Wrap = [new StructureMember(suffix, companion)];
        _frames.Add(new Frame(place.Wrap, _outputPath.Count));
        var location = new FieldLocation(_scope, [.. _outputPath, suffix]);
        _outputPath.Add("value");
        return location;
    }

    /// <summary>The structure that a step stands in: the last one before it that has not ended.</summary>
    private int ParentOf(int index)
    {
        int parent = index - 1;
        while (_source[parent].End <= index)
            parent--;
        return parent;
    }

    /// <summary>Keeps where the field is that is being lowered; fields of several options may share one location.</summary>
    private void AddTarget(FieldClass lowered)
    {
        var input = new FieldLocation(_scope, [.. _inputPath]);
        var target = new Target(new FieldLocation(_scope, [.. _outputPath]), lowered, _indirections > 0);
        // Those that no longer do can no longer be referred to, but by whoever is in the same option.
        if (!_targets.TryGetValue(input, out var other) || other.Output.Equals(target.Output))
            _targets[input] = target;
        else
            _targets.Remove(input);
    }

    private Target? FindTarget(FieldLocation input)
    {
        for (var lowering = this; lowering is not null; lowering = lowering._outer)
        {
            if (lowering._targets.TryGetValue(input, out var target))
                return target;
        }
        return null;
    }

    /// <summary>Whether the version's metadata can say where the field lies, as seen from the field that is being lowered.</summary>
    private bool CanRefer(Target target)
    {
        if (_version == CtfVersion.Ctf2 || !target.IsIndirect)
            return true;
        if (target.Output.Origin != _scope)
            return false;
        // TSDL: the last name alone, which is looked up from the innermost structure outwards.
        for (int i = _frames.Count - 1; i >= 0; i--)
        {
            var frame = _frames[i];
            foreach (var member in frame.Members)
            {
                if (member.Name == target.Output.Path[^1])
                    return frame.PathLength == target.Output.Path.Count - 1 && StartsWithPath(target.Output.Path, frame.PathLength);
            }
        }
        return false;
    }

    private bool StartsWithPath(IReadOnlyList<string> path, int length)
    {
        for (int i = 0; i < length; i++)
        {
            if (_outputPath[i] != path[i])
                return false;
        }
        return true;
    }

    /// <summary>Whether each option has a label of its name (or with the underscore that TSDL takes off) and of its values.</summary>
    private static bool HasLabels(IntegerFieldClass selector, VariantFieldClass variant)
    {
        if (selector.Mappings is not { } mappings || selector.IsSigned != variant.IsSelectorSigned)
            return false;
        foreach (var option in variant.Options)
        {
            if (TsdlWriter.FindLabel(mappings, option) is null)
                return false;
        }
        return true;
    }

    private static bool HasOverlaps(VariantFieldClass variant)
    {
        var all = new List<IntegerRange>();
        foreach (var option in variant.Options)
            all.AddRange(option.Ranges);
        if (all.Count == 0)
            return true;
        all.Sort((left, right) => variant.IsSelectorSigned
            ? left.Lower.CompareTo(right.Lower)
            : ((ulong)left.Lower).CompareTo((ulong)right.Lower));
        for (int i = 1; i < all.Count; i++)
        {
            if (all[i - 1].Contains(all[i].Lower, variant.IsSelectorSigned))
                return true;
        }
        return false;
    }

    private string[] OptionNames(VariantFieldClass variant)
    {
        var taken = new HashSet<string>(StringComparer.Ordinal);
        var names = new string[variant.Options.Count];
        for (int i = 0; i < names.Length; i++)
        {
            string name = variant.Options[i].Name;
            names[i] = name.Length == 0 && _version == CtfVersion.Ctf2 ? name : UniqueName(taken, name);
        }
        return names;
    }

    private string UniqueName(HashSet<string> taken, string name)
    {
        string valid = ValidName(name);
        string unique = valid;
        for (int number = 2; !taken.Add(unique); number++)
            unique = $"{valid}_{number}";
        return unique;
    }

    /// <summary>A name that the version's metadata can say: TSDL has letters, digits and underscores.</summary>
    private string ValidName(string name)
    {
        if (_version == CtfVersion.Ctf2)
            return name;
        if (name.Length == 0)
            return "unnamed";
        var valid = new StringBuilder(name.Length);
        foreach (char c in name)
            valid.Append(char.IsAsciiLetterOrDigit(c) || c == '_' ? c : '_');
        return valid.ToString();
    }
}
