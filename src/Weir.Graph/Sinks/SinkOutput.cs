namespace Weir.Graph;

/// <summary>Where a sink of one stream of bytes writes: the file that its parameter names, or what the graph gives it.</summary>
internal sealed class SinkOutput : IDisposable
{
    private readonly bool _isOwned;

    private SinkOutput(Stream stream, bool isOwned)
    {
        Stream = stream;
        _isOwned = isOwned;
    }

    public Stream Stream { get; }

    /// <summary>Opens the file <paramref name="path"/>; without one takes the graph's output, or standard output.</summary>
    public static SinkOutput Open(string? path, ComponentContext context) => path is null
        ? new SinkOutput(context.Output ?? Console.OpenStandardOutput(), isOwned: false)
        : new SinkOutput(new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0), isOwned: true);

    public void Dispose()
    {
        if (_isOwned)
            Stream.Dispose();
    }
}
