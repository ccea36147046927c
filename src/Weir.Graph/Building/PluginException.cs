namespace Weir.Graph;

/// <summary>A plug-in that cannot be used.</summary>
/// <param name="message">Which, and what is wrong.</param>
/// <param name="cause">Why.</param>
public sealed class PluginException(string message, Exception? cause = null) : Exception(message, cause);
