using System.Globalization;

namespace Weir.Graph;

/// <summary>What is to be read from a relay daemon: <c>net[4]://HOST[:PORT][/host/TARGET/SESSION]</c>.</summary>
/// <param name="Host">The relay daemon's host.</param>
/// <param name="Port">Its port for viewers.</param>
/// <param name="TargetHost">The traced host's name; null, with <paramref name="Session"/>, where only the daemon is named.</param>
/// <param name="Session">The session's name.</param>
internal sealed record LiveUrl(string Host, int Port, string? TargetHost, string? Session)
{
    public const int DefaultPort = 5344;

    public const string Form = "net://HOST[:PORT][/host/TARGET/SESSION]";

    public static LiveUrl? TryParse(string text)
    {
        int scheme = text.IndexOf("://", StringComparison.Ordinal);
        if (scheme < 0 || text[..scheme] is not ("net" or "net4" or "net6" or "tcp" or "tcp4" or "tcp6"))
            return null;
        string rest = text[(scheme + 3)..].TrimEnd('/');
        int slash = rest.IndexOf('/', StringComparison.Ordinal);
        string authority = slash < 0 ? rest : rest[..slash];
        if (SplitAuthority(authority) is not var (host, port))
            return null;
        if (slash < 0)
            return new LiveUrl(host, port, null, null);
        return rest[(slash + 1)..].Split('/', 3) is ["host", { Length: > 0 } target, { Length: > 0 } session] ? new LiveUrl(host, port, target, session) : null;
    }

    private static (string Host, int Port)? SplitAuthority(string authority)
    {
        // The colons of an address of version 6 stand in brackets.
        int colon = authority.LastIndexOf(':');
        if (colon < authority.LastIndexOf(']'))
            colon = -1;
        string host = (colon < 0 ? authority : authority[..colon]).Trim('[', ']');
        int port = DefaultPort;
        if (host.Length == 0 || (colon >= 0 && !int.TryParse(authority[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out port)) || port is < 1 or > 65535)
            return null;
        return (host, port);
    }
}
