using System.Numerics;
using System.Text;
using CsCheck;
using Weir.Tracing;
using Xunit;

namespace Weir.Tests.Tracing.Rules;

/// <summary>Filters read the bytes that a tracepoint stages.</summary>
public class EventFilterTests
{
    private static readonly TracepointField[] s_fields =
    [
        new("name", FieldKind.String),
        new("list", FieldKind.Int16, IsSequence: true),
        new("i8", FieldKind.Int8),
        new("u8", FieldKind.UInt8, Labels: [new("Card", 1), new("Invoice", 2), new("Carrier", 200)]),
        new("i16", FieldKind.Int16),
        new("u16", FieldKind.UInt16),
        new("i32", FieldKind.Int32, Labels: [new("Minus", -5), new("Plus", 5)]),
        new("u32", FieldKind.UInt32),
        new("i64", FieldKind.Int64),
        new("u64", FieldKind.UInt64, Labels: [new("Most", -1)]),
        new("f", FieldKind.Single),
        new("d", FieldKind.Double),
        new("other", FieldKind.String),
    ];

    // The values of the event that every filter here looks at.
    private static readonly byte[] s_payload =
    [
        .. "ACMÉ*Corp \"x\\y\0"u8, 3, 0, 0, 0, 1, 0, 2, 0, 3, 0, 0x80, 200, .. Bytes((short)-300), .. Bytes((ushort)65535), .. Bytes(-5), .. Bytes(4000000000u),
        .. Bytes(long.MinValue), .. Bytes(ulong.MaxValue), .. BitConverter.GetBytes(1.5f), .. BitConverter.GetBytes(-2.25), .. "ACMÉ\0"u8,
    ];

    [Theory]
    [InlineData("i8 == -128", true)]
    [InlineData("i8 < 0 && u8 > 127", true)]
    [InlineData("u8 == 0xC8", true)]
    [InlineData("u8 == \"Carrier\"", true)]
    [InlineData("u8 != \"Card\"", true)]
    [InlineData("u8 == \"Car*\"", true)]
    [InlineData("u8 != \"Car*\"", false)]
    [InlineData("\"Invoice\" == u8", false)]
    [InlineData("i16 == -0x12C", true)]
    [InlineData("i16 >= -300 && i16 <= -300", true)]
    [InlineData("i16 > -300 || i16 < -300", false)]
    [InlineData("u16 == 65535", true)]
    [InlineData("i32 == \"Minus\"", true)]
    [InlineData("i32 != +5", true)]
    [InlineData("u32 > 3999999999", true)]
    [InlineData("i64 == -9223372036854775808", true)]
    [InlineData("i64 < u64", true)]
    [InlineData("u64 == 18446744073709551615", true)]
    [InlineData("u64 == \"Most\"", true)]
    [InlineData("u64 > i64 && u64 > -1", true)]
    [InlineData("u64 >= 0xFFFFFFFFFFFFFFFF", true)]
    [InlineData("f == 1.5", true)]
    [InlineData("f > 1 && f < 2", true)]
    [InlineData("d == -2.25e0", true)]
    [InlineData("d < f", true)]
    [InlineData("d > -3", true)]
    [InlineData("u8 == f", false)]
    [InlineData("!(u8 == 200)", false)]
    [InlineData("!u8 == 200", false)]
    [InlineData("!!(u8 == 200)", true)]
    [InlineData("u8 == 1 && u8 == 2 || u8 == 200", true)]
    [InlineData("u8 == 200 || u8 == 1 && u8 == 2", true)]
    [InlineData("(u8 == 200 || u8 == 1) && u8 == 2", false)]
    [InlineData("u8==200&&i8<0||false==true", true)]
    [InlineData("true == 1", true)]
    [InlineData("name == \"ACMÉ*\"", true)]
    [InlineData("name == \"*x\\\\y\"", true)]
    [InlineData("name == \"ACMÉ\\*Corp \\\"x\\\\y\"", true)]
    [InlineData("name == \"*É*C*p*\"", true)]
    [InlineData("name == \"ACMÉ\"", false)]
    [InlineData("name != \"ACMÉ\"", true)]
    [InlineData("name == \"ACM?*\"", false)]
    [InlineData("name == \"*\"", true)]
    [InlineData("name == \"\"", false)]
    [InlineData("other == \"ACMÉ\"", true)]
    [InlineData("other == \"*CM*MÉ\"", false)]
    [InlineData("other == \"acmé\"", false)]
    [InlineData("name == other", false)]
    [InlineData("name != other", true)]
    [InlineData("\"A*\" == other", true)]
    public void A_filter_chooses(string filter, bool isChosen) => Assert.Equal(isChosen, Bind(filter, s_fields).Matches(s_payload));

    [Theory]
    [InlineData("missing == 1", "missing")]
    [InlineData("list == 1", "list")]
    [InlineData("name == 1", "name")]
    [InlineData("i8 == \"x\"", "i8")]
    [InlineData("u8 == \"Cash\"", "Card, Invoice, Carrier")]
    [InlineData("name < \"x\"", "== and !=")]
    [InlineData("name < other", "== and !=")]
    [InlineData("\"a\" == \"b\"", "\"a\"")]
    public void A_filter_that_an_event_cannot_have_is_explained(string filter, string part)
    {
        Assert.Null(EventFilter.Bind(Parse(filter), s_fields, out string? error));
        Assert.Contains(part, error);
    }

    [Fact]
    public void Texts_match_as_a_slow_matcher_says()
    {
        TracepointField[] fields = [new("s", FieldKind.String)];
        var letters = Gen.Char["ab*é"].Array[0, 8].Select(chars => new string(chars));
        Gen.Select(letters, letters).Sample((pattern, text) =>
        {
            bool expected = Slow(pattern, text);
            return Bind($"s == \"{pattern}\"", fields).Matches([.. Encoding.UTF8.GetBytes(text), 0]) == expected;
        });

        static bool Slow(string pattern, string text) => pattern.Length == 0
            ? text.Length == 0
            : pattern[0] == '*'
                ? Slow(pattern[1..], text) || (text.Length > 0 && Slow(pattern, text[1..]))
                : text.Length > 0 && text[0] == pattern[0] && Slow(pattern[1..], text[1..]);
    }

    [Fact]
    public void Matching_allocates_nothing()
    {
        var filter = Bind("name == \"*É*C*p*\" && u64 > i64 && d < f && u8 == \"Car*\" && name != other", s_fields);
        Assert.True(filter.Matches(s_payload));
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
            filter.Matches(s_payload);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static EventFilter Bind(string filter, TracepointField[] fields)
    {
        var bound = EventFilter.Bind(Parse(filter), fields, out string? error);
        Assert.True(bound != null, error);
        return bound;
    }

    private static FilterExpression Parse(string filter)
    {
        Assert.True(FilterParser.TryParse(filter, 0, out var expression, out string? error), error);
        return expression;
    }

    private static byte[] Bytes<T>(T value)
        where T : IBinaryInteger<T>
    {
        byte[] bytes = new byte[value.GetByteCount()];
        value.WriteLittleEndian(bytes);
        return bytes;
    }
}
