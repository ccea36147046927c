using System.Diagnostics.CodeAnalysis;
using Weir.Tracing;

namespace Weir.Kernel;

/// <summary>
/// What of the kernel is to be recorded: <c>KIND:TARGET [if FILTER]</c>. Without one of the known kinds it is <c>SYSTEM:EVENT</c>, a tracepoint.
/// The filter is that of every rule; the kernel evaluates it. Immutable.
/// </summary>
public sealed class KernelRule
{
    private KernelRule(string text, string kind, string target, FilterExpression? filter, string filterText)
    {
        Text = text;
        Kind = kind;
        Target = target;
        Filter = filter;
        FilterText = filterText;
    }

    /// <summary>The rule as it was written.</summary>
    public string Text { get; }

    /// <summary>What stands before the first colon: a kind of instrumentation, or a tracepoint's system.</summary>
    public string Kind { get; }

    /// <summary>What stands behind it, up to the filter.</summary>
    public string Target { get; }

    /// <summary>The filter as it was written; empty for none.</summary>
    public string FilterText { get; }

    internal FilterExpression? Filter { get; }

    /// <summary>Parses a rule.</summary>
    /// <param name="text">The rule.</param>
    /// <param name="rule">The rule, where it is one.</param>
    /// <param name="error">What is wrong and where, in one sentence, where it is none.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out KernelRule? rule, [NotNullWhen(false)] out string? error)
    {
        ArgumentNullException.ThrowIfNull(text);
        rule = null;
        FilterExpression? filter = null;
        string pattern = text.Trim();
        string filterText = "";
        int condition = EventRule.FindIf(text);
        if (condition >= 0)
        {
            pattern = text[..condition].Trim();
            filterText = text[(condition + 2)..].Trim();
            if (!FilterParser.TryParse(text, condition + 2, out filter, out error))
                return false;
        }
        int colon = pattern.IndexOf(':', StringComparison.Ordinal);
        if (colon <= 0 || colon == pattern.Length - 1)
        {
            error = $"kernel rule '{text}': '{pattern}' is not system:event (such as sched:sched_switch or syscalls:*) nor kind:target (such as uprobe:/bin/bash:readline)";
            return false;
        }
        rule = new KernelRule(text.Trim(), pattern[..colon], pattern[(colon + 1)..], filter, filterText);
        error = null;
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => Text;
}
