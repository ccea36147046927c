namespace Weir.Kernel;

/// <summary>
/// The kernel's list of functions whose calls are followed, <c>set_graph_function</c>. There is one for all instances, so it is used only
/// where nobody has entered anything in it.
/// </summary>
internal static class FunctionGraphList
{
    private const string FileName = "set_graph_function";

    /// <summary>Says if the list is another's.</summary>
    /// <exception cref="KernelException">It is.</exception>
    public static void CheckFree(KernelRule rule, InstrumentationContext context)
    {
        // Ours once the tracer is this instance's, by a rule before this one. Empty, its text is a line that begins with #.
        if (!IsUsedBy(context.Instance.Path) && context.Tracefs.ReadText(FileName).Split('\n').Any(line => line.Length > 0 && !line.StartsWith('#')))
            throw new KernelException($"kernel rule '{rule.Text}': {Path.Combine(context.Tracefs.Path, FileName)}: others trace by this list now, of which the kernel has one for all; empty, it can be used");
    }

    /// <summary>Adds functions by a pattern.</summary>
    /// <exception cref="KernelException">The kernel refuses it.</exception>
    public static void Add(TracefsMount tracefs, string pattern) => TracefsFile.AppendText(Path.Combine(tracefs.Path, FileName), pattern);

    /// <summary>Empties the list.</summary>
    public static void Clear(TracefsMount tracefs) => _ = TracefsFile.TryWrite(Path.Combine(tracefs.Path, FileName), "");

    /// <summary>Whether an instance has the tracer that uses the list.</summary>
    public static bool IsUsedBy(string instancePath)
    {
        try
        {
            return File.ReadAllText(Path.Combine(instancePath, "current_tracer")).Trim() == FunctionTracer.FunctionGraph;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
