using Weir.Ring;

namespace Weir.Tests.Ring;

/// <summary>The files of an original, mapped.</summary>
internal sealed unsafe class FuzzTarget : IDisposable
{
    private readonly MappedMemory _stream;
    private readonly MappedMemory _ring;

    public FuzzTarget(string directory, StreamCorpus original)
    {
        Directory = directory;
        Original = original;
        StreamPath = Path.Combine(directory, "stream_0");
        RingPath = Path.Combine(directory, RingControl.FileName);
        File.WriteAllBytes(StreamPath, original.Stream);
        File.WriteAllBytes(RingPath, original.Ring);
        _stream = MappedMemory.Open(StreamPath, original.Stream.Length);
        _ring = MappedMemory.Open(RingPath, original.Ring.Length);
    }

    public string Directory { get; }

    public StreamCorpus Original { get; }

    public string StreamPath { get; }

    public string RingPath { get; }

    public byte* Stream => _stream.Address;

    public byte* Ring => _ring.Address;

    public static void SetLength(string path, int length)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        RandomAccess.SetLength(file, length);
    }

    public void Restore(bool isCut)
    {
        if (isCut)
        {
            SetLength(StreamPath, Original.Stream.Length);
            SetLength(RingPath, Original.Ring.Length);
        }
        Original.Stream.CopyTo(new Span<byte>(Stream, Original.Stream.Length));
        Original.Ring.CopyTo(new Span<byte>(Ring, Original.Ring.Length));
    }

    public void Dispose()
    {
        _stream.Unmap();
        _ring.Unmap();
    }
}
