namespace Weir.Graph;

/// <summary>A component of a graph that could not be created or has failed, with what it said as the cause.</summary>
public sealed class GraphException : Exception
{
    /// <summary>Creates an error of a component.</summary>
    /// <param name="component">The component's name.</param>
    /// <param name="className">Its class, or what stands for it.</param>
    /// <param name="cause">What it said.</param>
    public GraphException(string component, string className, Exception cause)
        : base($"{(component == className ? component : $"{component} ({className})")}: {Describe(cause)}", cause) => Component = component;

    /// <summary>Creates an error of the graph itself.</summary>
    /// <param name="message">What is wrong and what was expected.</param>
    public GraphException(string message)
        : base(message) => Component = "";

    /// <summary>Name of the component; empty where the graph itself is wrong.</summary>
    public string Component { get; }

    /// <summary>A component's own faults are told by their kind, because their texts are not made for users.</summary>
    private static string Describe(Exception cause) => cause is Ctf.CtfException or ComponentParameterException or IOException or UnauthorizedAccessException or PluginException
        ? cause.Message
        : $"the component has failed: {cause.GetType().Name}: {cause.Message}";
}
