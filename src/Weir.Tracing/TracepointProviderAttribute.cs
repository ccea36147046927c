namespace Weir.Tracing;

/// <summary>
/// Marks a <c>static partial class</c> whose <see cref="TracepointAttribute"/> methods are the tracepoints of one provider.
/// The source generator writes their bodies and registers the provider when the assembly is loaded.
/// </summary>
/// <param name="name">
/// The provider's name, the part before the colon of an event's name: letters, digits, <c>_</c>, <c>-</c> and <c>.</c>,
/// beginning with a letter or <c>_</c>.
/// </param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class TracepointProviderAttribute(string name) : Attribute
{
    /// <summary>The provider's name, as rules and traces show it.</summary>
    public string Name { get; } = name;
}
