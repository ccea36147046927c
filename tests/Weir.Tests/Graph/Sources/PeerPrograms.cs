namespace Weir.Tests.Graph.Sources;

/// <summary>Other people's programs that judge ours.</summary>
internal static class PeerPrograms
{
    public static bool IsInstalled(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(directory => File.Exists(Path.Combine(directory, program)));
}
