using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Xunit;

namespace Weir.Tests.Tracing;

/// <summary>Wrong use gives one message: its id, its words, and what it points at.</summary>
public class GeneratorDiagnosticsTests
{
    private const string Supported =
        "Supported are the integer types, bool, char, float, double, decimal, Guid, DateTime, TimeSpan, enums, string, "
        + "and arrays and spans of char, bool, float, double and the integer types up to 64 bits.";

    private static readonly string s_seventyParameters = string.Join(", ", Enumerable.Range(1, 70).Select(i => $"int a{i}"));

    [Theory]
    [InlineData("[TracepointProvider(\"p\")] partial class [|E|] { [Tracepoint] public static partial void X(); }", "'E' is not static")]
    [InlineData("[TracepointProvider(\"p\")] static class [|E|] { [Tracepoint] public static void X() { } }", "'E' is not partial", "WEIR008")]
    [InlineData("class A { [TracepointProvider(\"p\")] static partial class [|E|] { [Tracepoint] static partial void X(); } }", "'A' is not partial")]
    [InlineData("[TracepointProvider(\"p\")] record [|E|] { [Tracepoint] static void X() { } }", "'E' is not static, 'E' is not partial", "WEIR008")]
    public void WEIR001_provider_not_static_partial(string source, string what, params string[] others) => AssertReports(
        source, "WEIR001", $"Provider class 'E' must be declared 'static partial class', and every type around it 'partial': {what}", others);

    [Theory]
    [InlineData("[TracepointProvider(\"p\")] static partial class [|E|]<T> { [Tracepoint] static partial void X(); }", "E")]
    [InlineData("partial class A<T> { [TracepointProvider(\"p\")] static partial class [|E|] { [Tracepoint] static partial void X(); } }", "A")]
    public void WEIR002_provider_generic(string source, string generic) => AssertReports(
        source, "WEIR002",
        $"Provider class 'E' is generic or nested in a generic type, but a provider exists once in a process: move it out of '{generic}', or remove the type parameters");

    [Fact]
    public void WEIR003_provider_local_to_its_file() => AssertReports(
        "[TracepointProvider(\"p\")] file static partial class [|E|] { [Tracepoint] static partial void X(); }", "WEIR003",
        "Provider class 'E' cannot be completed from generated code because 'E' is local to its file: remove the modifier 'file'");

    [Theory]
    [InlineData("\"\"", "")]
    [InlineData("null!", "(null)")]
    [InlineData("\"my shop\"", "my shop")]
    [InlineData("\"1shop\"", "1shop")]
    [InlineData("\"shop:orders\"", "shop:orders")]
    [InlineData("\"кафе\"", "кафе")]
    public void WEIR004_provider_name(string argument, string shown) => AssertReports(
        $"[TracepointProvider[|({argument})|]] static partial class E {{ [Tracepoint] public static partial void X(); }}", "WEIR004",
        $"Provider name '{shown}' is not valid: use 1 to 128 ASCII letters, digits, '_', '-' and '.', beginning with a letter or '_'");

    [Fact]
    public void Names_may_have_128_characters_and_not_129()
    {
        string Source(int length) =>
            $"[TracepointProvider(\"{new string('p', length)}\")] static partial class E {{ [Tracepoint] static partial void X(); }}";
        Assert.Empty(Report(Source(128)));
        Assert.Equal("WEIR004", Report(Source(129)).Single().Id);
    }

    [Fact]
    public void WEIR005_provider_name_taken() => AssertReports(
        """
        [TracepointProvider("shop")] static partial class A { [Tracepoint] static partial void X(); }
        namespace N { [TracepointProvider[|("shop")|]] static partial class B { [Tracepoint] static partial void X(); } }
        """, "WEIR005",
        "Provider name 'shop' is taken by class 'A': choose another name, or make both one class in several 'partial' parts");

    [Fact]
    public void WEIR006_empty_provider()
    {
        AssertReports(
            "[TracepointProvider(\"p\")] static partial class [|E|];", "WEIR006",
            "Provider class 'E' has no tracepoint: add '[Tracepoint] static partial void' methods, or remove the attribute");
        Assert.Equal(DiagnosticSeverity.Info, Report("[TracepointProvider(\"p\")] static partial class E;").Single().Severity);
    }

    [Fact]
    public void WEIR007_tracepoint_outside_of_a_provider() => AssertReports(
        "static partial class E { [Tracepoint] static partial void [|OrderPlaced|](); }", "WEIR007",
        "Tracepoint 'OrderPlaced' does not stand in a provider class: mark class 'E' with [TracepointProvider(\"name\")], or move the method into a class that is");

    [Theory]
    [InlineData("[Tracepoint] public static void [|X|]() { }", "it is not partial")]
    [InlineData("[Tracepoint] public static partial int [|X|]();", "it returns 'int'")]
    [InlineData("[Tracepoint] public static partial void [|X|]<T>();", "it has type parameters")]
    [InlineData("[Tracepoint] public partial void [|X|]();", "it is not static")]
    [InlineData("[Tracepoint] public string [|X|]<T>() => \"\";", "it is not static, it is not partial, it returns 'string', it has type parameters")]
    [InlineData("static int Y { [Tracepoint] [|get|] => 1; }", "it is an accessor or an operator", "get_Y")]
    [InlineData("static void Y() { X(); [Tracepoint] void [|X|]() { } }", "it is a local function")]
    public void WEIR008_method_not_static_partial_void(string method, string what, string name = "X") => AssertReports(
        InProvider("[Tracepoint] public static partial void Good(); " + method), "WEIR008",
        $"Tracepoint '{name}' must be a method declared 'static partial void' without type parameters: {what}");

    [Theory]
    [InlineData("[Tracepoint] public static partial void [|X|]() { }")]
    [InlineData("[Tracepoint] public static partial void [|X|](); public static partial void X() { }")]
    [InlineData("public static partial void [|X|](); [Tracepoint] public static partial void X() { }")]
    public void WEIR009_method_with_a_body(string method) => AssertReports(
        InProvider(method), "WEIR009",
        "Tracepoint 'X' already has a body, which the generator writes: end the declaration with ';' and remove the body");

    [Theory]
    [InlineData("[Tracepoint(Name = \"order placed\")] public static partial void [|X|]();", "order placed", "X")]
    [InlineData("[Tracepoint(Name = \"\")] public static partial void [|X|]();", "", "X")]
    [InlineData("[Tracepoint] public static partial void [|Übergabe|]();", "übergabe", "Übergabe")]
    public void WEIR010_event_name(string method, string eventName, string name) => AssertReports(
        InProvider(method), "WEIR010",
        $"Event name '{eventName}' of tracepoint '{name}' is not valid: set Name to 1 to 128 ASCII letters, digits, '_', '-' and '.', beginning with a letter or '_'");

    [Theory]
    [InlineData("[Tracepoint] public static partial void OrderPlaced(); [Tracepoint] public static partial void [|OrderPlaced|](int a);", "OrderPlaced")]
    [InlineData("[Tracepoint] public static partial void order_placed(); [Tracepoint] public static partial void [|OrderPlaced|](int a);", "order_placed")]
    public void WEIR011_event_name_taken(string methods, string other) => AssertReports(
        InProvider(methods), "WEIR011",
        $"Event name 'order_placed' of tracepoint 'OrderPlaced' is taken by '{other}': set another one with [Tracepoint(Name = \"...\")]");

    [Fact]
    public void WEIR012_level() => AssertReports(
        InProvider("[Tracepoint(Level = (TracepointLevel)42)] public static partial void [|X|]();"), "WEIR012",
        "Level 42 of tracepoint 'X' is not a member of TracepointLevel: use one of Emergency, Alert, Critical, Error, Warning, Notice, Info and Debug");

    [Theory]
    [InlineData("object", "object", "Pass the parts that matter as parameters of their own, or pass one string")]
    [InlineData("object?", "object?", "Pass the parts that matter as parameters of their own, or pass one string")]
    [InlineData("dynamic", "dynamic", "Pass the parts that matter as parameters of their own, or pass one string")]
    [InlineData("(int A, int B)", "(int A, int B)", "Pass the parts that matter as parameters of their own, or pass one string")]
    [InlineData("int?", "int?", "Pass its GetValueOrDefault(), with a bool parameter beside it if 'none' matters")]
    [InlineData("System.DayOfWeek?", "System.DayOfWeek?", "Pass its GetValueOrDefault(), with a bool parameter beside it if 'none' matters")]
    [InlineData("Dictionary<string, int>", "System.Collections.Generic.Dictionary<string, int>", "Emit one event for each entry, or pass one string")]
    [InlineData("IReadOnlyDictionary<string, int>", "System.Collections.Generic.IReadOnlyDictionary<string, int>", "Emit one event for each entry, or pass one string")]
    [InlineData("List<int>", "System.Collections.Generic.List<int>", "Pass CollectionsMarshal.AsSpan(list) through a span parameter, or an array")]
    [InlineData("IEnumerable<int>", "System.Collections.Generic.IEnumerable<int>", "Pass an array or a span")]
    [InlineData("string[]", "string[]", "Join the strings into one, or emit one event for each")]
    [InlineData("Guid[]", "System.Guid[]", "Emit one event for each element, or pass one array for each part of it")]
    [InlineData("ReadOnlySpan<DayOfWeek>", "System.ReadOnlySpan<System.DayOfWeek>", "Pass an array or a span of integers")]
    [InlineData("nint[]", "nint[]", "Pass an array or a span of integers")]
    [InlineData("int[,]", "int[*,*]", "Pass an array or a span")]
    [InlineData("ReadOnlyMemory<byte>", "System.ReadOnlyMemory<byte>", "Pass its Span")]
    [InlineData("DateTimeOffset", "System.DateTimeOffset", "Pass its UtcDateTime")]
    [InlineData("Half", "System.Half", "Cast it to float")]
    [InlineData("ArgumentException", "System.ArgumentException", "Pass its type's name and its Message as strings")]
    public void WEIR013_parameter_type(string type, string shown, string mend) => AssertReports(
        InProvider($"[Tracepoint] public static partial void X(long id, [|{type}|] value);"), "WEIR013",
        $"Parameter 'value' of tracepoint 'X' has type '{shown}', which a trace cannot hold. {mend}. {Supported}");

    [Fact]
    public void WEIR013_unknown_and_pointer_types_leave_the_method_to_the_compiler()
    {
        var unknown = Report(InProvider("[Tracepoint] public static partial void X(FromAnotherGenerator a);")).Single();
        Assert.Contains("a type written by another source generator cannot be used", unknown.GetMessage(null), StringComparison.Ordinal);
        var pointer = Report(InProvider("[Tracepoint] public static unsafe partial void X(int* a);")).Single();
        Assert.Contains("Cast it to nint", pointer.GetMessage(null), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ref int a", "ref")]
    [InlineData("in int a", "in")]
    [InlineData("ref readonly int a", "ref readonly")]
    [InlineData("params int[] a", "params")]
    [InlineData("scoped ref int a", "scoped ref")]
    public void WEIR014_parameter_by_reference(string parameter, string modifier) => AssertReports(
        InProvider($"[Tracepoint] public static partial void X([|{parameter}|]);"), "WEIR014",
        $"Parameter 'a' of tracepoint 'X' is declared '{modifier}', but a field is a plain value: remove '{modifier}'");

    [Fact]
    public void WEIR014_out_leaves_the_method_to_the_compiler() => Assert.Equal(
        "WEIR014", Report(InProvider("[Tracepoint] public static partial void X(out int a);")).Single().Id);

    [Fact]
    public void WEIR015_too_many_parameters()
    {
        AssertReports(
            InProvider($"[Tracepoint] public static partial void [|X|]({s_seventyParameters});"), "WEIR015",
            "Tracepoint 'X' has 70 parameters, and a record holds 64 fields at most: pass an array, or emit two events");

        string Source(int count) => InProvider(
            $"[Tracepoint] public static partial void X({string.Join(", ", Enumerable.Range(1, count).Select(i => $"int a{i}"))});");
        Assert.Empty(Report(Source(Weir.Tracing.RecordWriter.MaxFields)));
        Assert.Single(Report(Source(Weir.Tracing.RecordWriter.MaxFields + 1)));
    }

    [Theory]
    [InlineData("int [|größe|]", "größe", "use 1 to 128 ASCII letters, digits and '_'")]
    [InlineData("int[] a, int [|_a_length|]", "_a_length", "the trace keeps the length of 'a' under this name; choose another")]
    public void WEIR016_field_name(string parameters, string name, string what) => AssertReports(
        InProvider($"[Tracepoint] public static partial void X({parameters});"), "WEIR016",
        $"Parameter '{name}' of tracepoint 'X' cannot name a field: {what}");

    [Fact]
    public void A_name_like_that_of_a_length_is_free_beside_a_string() =>
        Assert.Empty(Report(InProvider("[Tracepoint] public static partial void X(string a, int _a_length);")));

    /// <summary>
    /// The message stands at the marked place, and the compiler adds no complaint about a missing body, unless the method cannot be
    /// given one.
    /// </summary>
    private static void AssertReports(string marked, string id, string message, params string[] others)
    {
        var (source, span) = GeneratorHost.TakeMarks("using System; using System.Collections.Generic; using Weir.Tracing;\n" + marked);
        var (reported, output) = GeneratorHost.Run(GeneratorHost.Compile(NullableContextOptions.Enable, GeneratorHost.Parse(source)));

        Assert.Equal([id, .. others], reported.Select(d => d.Id).Order());
        var diagnostic = reported.First(d => d.Id == id);
        Assert.Equal(message, diagnostic.GetMessage(null));
        Assert.Equal(span, diagnostic.Location.SourceSpan);
        Assert.Equal("docs/tracepoints.md#" + id.ToLowerInvariant(), diagnostic.Descriptor.HelpLinkUri);
        if (id is not ("WEIR001" or "WEIR002" or "WEIR003" or "WEIR007" or "WEIR008" or "WEIR009"))
            GeneratorHost.AssertCompiles(output);
    }

    private static ImmutableArray<Diagnostic> Report(string source)
    {
        var tree = GeneratorHost.Parse("using System; using System.Collections.Generic; using Weir.Tracing;\n" + source);
        return GeneratorHost.Run(GeneratorHost.Compile(NullableContextOptions.Enable, tree)).Reported;
    }

    private static string InProvider(string methods) => "[TracepointProvider(\"p\")] static partial class E { " + methods + " }";
}
