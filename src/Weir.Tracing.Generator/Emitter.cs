using System.Linq;
using System.Text;
using Microsoft.CodeAnalysis.CSharp;

namespace Weir.Tracing.Generator;

/// <summary>
/// Writes the generated files. What they contain depends on the model alone, byte for byte, and compiles without unsafe code:
/// <code>
/// partial class ShopEvents                                       the user's class, so that private types are in reach
///     static partial void OrderPlaced(...)                       inlined: the enabled check, and a call
///     static void EmitOrderPlaced(...)                           begin, write each field, commit
/// namespace Weir.Tracing.Generated
///     static class ShopEventsTracepoints                         the objects; a class of their own can be reached by
///         static readonly Tracepoint OrderPlaced                 the registration even where the user's class is private
/// </code>
/// </summary>
internal static class Emitter
{
    private const string Namespace = "Weir.Tracing.Generated";
    private const string MethodImpl = "global::System.Runtime.CompilerServices.MethodImpl";
    private static readonly string s_generatedCode =
        $"[global::System.CodeDom.Compiler.GeneratedCode(\"Weir.Tracing.Generator\", \"{typeof(Emitter).Assembly.GetName().Version}\")]";

    public static string EmitProvider(ProviderModel provider)
    {
        var code = new CodeWriter();
        if (provider.Namespace != null)
            code.Open("namespace " + provider.Namespace);
        foreach (string header in provider.TypeHeaders)
            code.Open(header);
        for (int i = 0; i < provider.Tracepoints.Count; i++)
        {
            if (i > 0)
                code.Line();
            EmitMethods(code, provider, provider.Tracepoints[i]);
        }
        code.CloseAll();
        code.Line();
        EmitHolder(code, provider);
        return code.ToString();
    }

    public static string EmitRegistration(EquatableArray<string> holders)
    {
        var code = new CodeWriter();
        code.Open("namespace " + Namespace);
        code.Line(s_generatedCode);
        code.Open("internal static class Registration");
        code.Line("[global::System.Runtime.CompilerServices.ModuleInitializer]");
        code.Open("internal static void RegisterProviders()");
        foreach (string holder in holders)
            code.Line($"global::{Namespace}.{holder}.Provider.Register();");
        code.CloseAll();
        return code.ToString();
    }

    private static void EmitMethods(CodeWriter code, ProviderModel provider, TracepointModel tracepoint)
    {
        string declarations = string.Join(", ", tracepoint.Parameters.Select(p => p.Declaration));
        string signature = $"{tracepoint.Modifiers} void {tracepoint.Method}({declarations})";
        if (tracepoint.IsStub)
        {
            code.Open(signature);
            code.Close();
            return;
        }
        string target = $"global::{Namespace}.{provider.HolderName}.{tracepoint.HolderField}";
        string arguments = string.Join(", ", tracepoint.Parameters.Select(p => p.Identifier));
        code.Line($"[{MethodImpl}({MethodImpl}Options.AggressiveInlining)]");
        code.Open(signature);
        code.Open($"if ({target}.IsEnabled)");
        code.Line($"{tracepoint.EmitMethod}({arguments});");
        code.Close();
        code.Close();
        code.Line();

        string record = "record";
        while (tracepoint.Parameters.Any(p => p.Name == record))
            record += "_";
        string values = string.Join(", ", tracepoint.Parameters.Select(p => WithoutThis(p.Declaration)));
        code.Line($"[{MethodImpl}({MethodImpl}Options.NoInlining)]");
        code.Open($"private static void {tracepoint.EmitMethod}({values})");
        code.Line($"var {record} = global::Weir.Tracing.RecordWriter.Begin();");
        foreach (var parameter in tracepoint.Parameters)
        {
            string cast = parameter.Field!.Cast is { } type ? $"({type})" : "";
            code.Line($"{record}.{parameter.Field.WriteMethod}({cast}{parameter.Identifier});");
        }
        code.Line($"{target}.Commit(in {record});");
        code.Close();
    }

    private static void EmitHolder(CodeWriter code, ProviderModel provider)
    {
        code.Open("namespace " + Namespace);
        code.Line(s_generatedCode);
        code.Open("internal static class " + provider.HolderName);
        code.Line($"internal static readonly global::Weir.Tracing.TracepointProvider Provider = new({Literal(provider.Name)});");
        foreach (var tracepoint in provider.Tracepoints.Where(t => !t.IsStub))
        {
            code.Line();
            code.Line($"internal static readonly global::Weir.Tracing.Tracepoint {tracepoint.HolderField} = Provider.Add(");
            var arguments = tracepoint.Parameters.Select(p => FieldExpression(p.Name, p.Field!)).ToList();
            arguments.Insert(0, $"global::Weir.Tracing.TracepointLevel.{tracepoint.Level}");
            arguments.Insert(0, Literal(tracepoint.EventName));
            for (int i = 0; i < arguments.Count; i++)
                code.Line("    " + arguments[i] + (i < arguments.Count - 1 ? "," : ");"));
        }
        code.CloseAll();
    }

    private static string FieldExpression(string name, FieldModel field)
    {
        var text = new StringBuilder("new global::Weir.Tracing.TracepointField(");
        text.Append(Literal(name)).Append(", global::Weir.Tracing.FieldKind.").Append(field.Kind);
        if (field.IsSequence)
            text.Append(", IsSequence: true");
        if (field.Labels.Count > 0)
        {
            var labels = field.Labels.Select(l => $"new({Literal(l.Label)}, {SymbolDisplay.FormatPrimitive(l.Value, true, false)}L)");
            text.Append(", Labels: new global::Weir.Tracing.EnumerationLabel[] { ").Append(string.Join(", ", labels)).Append(" }");
        }
        return text.Append(')').ToString();
    }

    private static string WithoutThis(string declaration) =>
        declaration.StartsWith("this ", System.StringComparison.Ordinal) ? declaration.Substring(5) : declaration;

    private static string Literal(string text) => SymbolDisplay.FormatLiteral(text, quote: true);

    /// <summary>Lines with their indentation, ended by <c>\n</c> on every system.</summary>
    private sealed class CodeWriter
    {
        private readonly StringBuilder _text = new("// <auto-generated/>\n#nullable enable\n#pragma warning disable\n\n");
        private int _depth;

        public void Line(string line = "")
        {
            if (line.Length > 0)
                _text.Append(' ', 4 * _depth).Append(line);
            _text.Append('\n');
        }

        public void Open(string header)
        {
            Line(header);
            Line("{");
            _depth++;
        }

        public void Close()
        {
            _depth--;
            Line("}");
        }

        public void CloseAll()
        {
            while (_depth > 0)
                Close();
        }

        public override string ToString() => _text.ToString();
    }
}
