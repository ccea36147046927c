namespace Weir.Tracing;

/// <summary>
/// Marks a <c>static partial void</c> method of a provider class as a tracepoint. Its parameters are the event's fields, in order
/// and by name.
/// </summary>
[AttributeUsage(AttributeTargets.Method, Inherited = false)]
public sealed class TracepointAttribute : Attribute
{
    /// <summary>
    /// The event's name after the colon; by default the method's name in snake case (<c>OrderPlaced</c> is <c>order_placed</c>).
    /// </summary>
    public string? Name { get; set; }

    /// <summary>How important the event is; rules such as <c>shop:*@warning</c> choose by it.</summary>
    public TracepointLevel Level { get; set; } = TracepointLevel.Info;
}
