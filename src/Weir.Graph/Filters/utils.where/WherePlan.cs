using System.Text;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// An expression, compiled for the events of one class of one trace. Which fields there are, the event's name and the labels of its
/// enumerations are decided here, once; an event is then walked only if its fields still matter, and nothing is allocated for it.
/// </summary>
internal sealed unsafe class WherePlan
{
    private readonly EventDecoder _decoder;
    private readonly Trace _trace;
    private readonly List<WhereOperand> _operands = [];
    private readonly HashSet<string> _missing = [];
    private readonly WherePlaces _fields;
    private readonly WherePlaces _packetFields;
    private readonly WhereTest _test;
    private readonly WhereValues _values;
    private readonly FieldWalker _walker;
    private int _timePlace = -1;
    private int _streamPlace = -1;

    public WherePlan(WhereExpression expression, EventDecoder decoder, Trace trace)
    {
        _decoder = decoder;
        _trace = trace;
        _walker = new FieldWalker(trace.Decoder);
        _fields = new WherePlaces(decoder.Fields);
        _packetFields = new WherePlaces(decoder.Stream.PacketContext);
        _test = Compile(expression);
        _values = new WhereValues(_operands.Count);
    }

    /// <summary>Whether an event is chosen.</summary>
    public bool Chooses(in Message message)
    {
        if (_test is WhereTest.Constant constant)
            return constant.Value;
        _values.Clear();
        if (_timePlace >= 0 && message.HasTime)
            _values.SetInteger(_timePlace, -1, (ulong)message.TimeNs, isSigned: true);
        if (_streamPlace >= 0)
            _values.SetInteger(_streamPlace, -1, message.Stream.Id, isSigned: false);
        if (_packetFields.IsNeeded && message.Packet is { } packet)
        {
            var visitor = _packetFields.CreateVisitor(_values);
            fixed (byte* start = packet.HeaderAndContext)
                _walker.WalkContext(_decoder.Stream, start, packet.HeaderAndContext.Length * 8L, ref visitor);
        }
        if (_fields.IsNeeded)
        {
            var visitor = _fields.CreateVisitor(_values);
            _walker.WalkEvent(in message.Record, message.PacketStart, message.Slots, ref visitor);
        }
        return _test.IsTrue(_values);
    }

    private WhereTest Compile(WhereExpression expression)
    {
        switch (expression)
        {
            case WhereExpression.And(var first, var second):
                var (left, right) = (Compile(first), Compile(second));
                return (left, right) switch
                {
                    (WhereTest.Constant { Value: false }, _) or (_, WhereTest.Constant { Value: false }) => new WhereTest.Constant(false),
                    (WhereTest.Constant, _) => right,
                    (_, WhereTest.Constant) => left,
                    _ => new WhereTest.And(left, right),
                };
            case WhereExpression.Or(var first, var second):
                (left, right) = (Compile(first), Compile(second));
                return (left, right) switch
                {
                    (WhereTest.Constant { Value: true }, _) or (_, WhereTest.Constant { Value: true }) => new WhereTest.Constant(true),
                    (WhereTest.Constant, _) => right,
                    (_, WhereTest.Constant) => left,
                    _ => new WhereTest.Or(left, right),
                };
            case WhereExpression.Not(var operand):
                var inner = Compile(operand);
                return inner is WhereTest.Constant known ? new WhereTest.Constant(!known.Value) : new WhereTest.Not(inner);
            case WhereExpression.Has(var field):
                return Place(field) is >= 0 and int there ? new WhereTest.Presence(there) : new WhereTest.Constant(false);
            case WhereExpression.IsTrue(var operand):
                return CompileTruth(operand);
            case WhereExpression.Compare(var first, var comparison, var second):
                return CompileComparison(Resolve(first), comparison, Resolve(second));
            default:
                throw new InvalidOperationException($"{expression.GetType().Name} is not compiled");
        }
    }

    private WhereTest CompileTruth(WhereOperand operand) => Resolve(operand) switch
    {
        WhereOperand.Integer(var value) => new WhereTest.Constant(value != 0),
        WhereOperand.Text text => new WhereTest.Constant(!text.Matches([])),
        var other => Place(other) is >= 0 and int place ? new WhereTest.Truth(place) : new WhereTest.Constant(false),
    };

    /// <summary>What a fact is for all events of the class, where it is the same.</summary>
    private WhereOperand? Resolve(WhereOperand operand) => operand is not WhereOperand.Fact(var kind) ? operand : kind switch
    {
        WhereFact.Name => new WhereOperand.Text([Encoding.UTF8.GetBytes(_decoder.Class.Name ?? "")]),
        WhereFact.Trace => new WhereOperand.Text([Encoding.UTF8.GetBytes(_trace.Name)]),
        WhereFact.LogLevel => _decoder.Class.LogLevel is { } level ? new WhereOperand.Integer((Int128)(long)level) : null,
        _ => operand,
    };

    private WhereTest CompileComparison(WhereOperand? left, WhereComparison comparison, WhereOperand? right)
    {
        if (left is null || right is null)
            return new WhereTest.Constant(false);
        bool isLeftKnown = left is not (WhereOperand.Field or WhereOperand.Fact);
        bool isRightKnown = right is not (WhereOperand.Field or WhereOperand.Fact);
        if (isLeftKnown && isRightKnown)
            return new WhereTest.Constant(CompareKnown(left, comparison, right));
        if (isLeftKnown)
            return CompileComparison(right, Mirror(comparison), left);
        int place = Place(left);
        if (place < 0)
            return new WhereTest.Constant(false);
        switch (right)
        {
            case WhereOperand.Integer(var integer):
                return new WhereTest.WithInteger(place, comparison, integer);
            case WhereOperand.Real(var real):
                return new WhereTest.WithReal(place, comparison, real);
            case WhereOperand.Text text:
                return comparison is WhereComparison.Equal or WhereComparison.NotEqual
                    ? new WhereTest.WithText(place, comparison == WhereComparison.Equal, text, FindLabels(left, text))
                    : new WhereTest.Constant(false);
            default:
                return Place(right) is >= 0 and int other ? new WhereTest.Both(place, comparison, other) : new WhereTest.Constant(false);
        }
    }

    /// <summary>Of two texts the one that was written is the pattern; a fact is none, though it may have a star.</summary>
    private static bool CompareKnown(WhereOperand left, WhereComparison comparison, WhereOperand right)
    {
        if (left is WhereOperand.Text first && right is WhereOperand.Text second)
        {
            var (pattern, text) = second.Parts.Length > 1 || first.Parts.Length == 1 ? (second, first) : (first, second);
            return comparison is WhereComparison.Equal or WhereComparison.NotEqual && pattern.Matches(text.Parts[0]) == (comparison == WhereComparison.Equal);
        }
        return (left, right) switch
        {
            (WhereOperand.Integer(var a), WhereOperand.Integer(var b)) => WhereTest.Decide(comparison, a.CompareTo(b)),
            (WhereOperand.Integer(var a), WhereOperand.Real(var b)) => WhereTest.DecideReals(comparison, (double)a, b),
            (WhereOperand.Real(var a), WhereOperand.Integer(var b)) => WhereTest.DecideReals(comparison, a, (double)b),
            (WhereOperand.Real(var a), WhereOperand.Real(var b)) => WhereTest.DecideReals(comparison, a, b),
            _ => false,
        };
    }

    private static WhereComparison Mirror(WhereComparison comparison) => comparison switch
    {
        WhereComparison.Less => WhereComparison.Greater,
        WhereComparison.LessOrEqual => WhereComparison.GreaterOrEqual,
        WhereComparison.Greater => WhereComparison.Less,
        WhereComparison.GreaterOrEqual => WhereComparison.LessOrEqual,
        _ => comparison,
    };

    /// <summary>Fields that the expression names and the events of this class do not have.</summary>
    public IReadOnlySet<string> Missing => _missing;

    /// <summary>Where the value of a field or a fact is found; -1 where the events of this class have none.</summary>
    private int Place(WhereOperand? operand)
    {
        if (operand is null)
            return -1;
        int known = _operands.IndexOf(operand);
        if (known >= 0)
            return known;
        int place = _operands.Count;
        int found = operand switch
        {
            WhereOperand.Fact(WhereFact.Time) => _timePlace = place,
            WhereOperand.Fact(WhereFact.Stream) => _streamPlace = place,
            WhereOperand.Field(WhereScope.Packet, var name) => _packetFields.Map(_decoder.Stream.PacketContext, _decoder.Stream.PacketContext.RootStarts[0], name, place),
            WhereOperand.Field(var scope, var name) => MapField(scope, name, place),
            _ => -1,
        };
        if (found == place)
            _operands.Add(operand);
        if (found < 0 && operand is WhereOperand.Field(_, var missing))
            _missing.Add(missing);
        return found;
    }

    private int MapField(WhereScope scope, string name, int place)
    {
        // Payload, the event's own context, that of its stream's events.
        for (int root = scope == WhereScope.Event ? 2 : 1; root >= 0; root--)
        {
            if (_fields.Map(_decoder.Fields, _decoder.Fields.RootStarts[root], name, place) is >= 0 and int found)
                return found;
        }
        return -1;
    }

    /// <summary>By step the labels that a pattern takes; null for steps that are no enumerations.</summary>
    private IReadOnlyList<EnumerationMapping>?[] FindLabels(WhereOperand operand, WhereOperand.Text pattern)
    {
        var program = operand is WhereOperand.Field { Scope: WhereScope.Packet } ? _decoder.Stream.PacketContext : _decoder.Fields;
        var labels = new IReadOnlyList<EnumerationMapping>?[program.Steps.Length];
        for (int i = 0; i < labels.Length; i++)
        {
            if (program.Steps[i].Class is IntegerFieldClass { Mappings: { } mappings })
                labels[i] = [.. mappings.Where(mapping => pattern.Matches(Encoding.UTF8.GetBytes(mapping.Label)))];
        }
        return labels;
    }
}
