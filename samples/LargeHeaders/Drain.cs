using Microsoft.Win32.SafeHandles;
using Weir.Ring;
using StreamReader = Weir.Ring.StreamReader;

namespace LargeHeaders;

/// <summary>Moves one stream's packets to a file.</summary>
internal sealed class Drain(StreamReader stream, string path)
{
    private readonly SafeFileHandle _file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write);

    public ulong Lost => stream.LostFull + stream.LostTooLarge;

    /// <summary>Moves what is complete; false if nothing was.</summary>
    public bool MovePackets()
    {
        bool hasMoved = false;
        while (stream.TryGetComplete(out var packet))
        {
            PacketPipe.Move(stream, packet, _file);
            stream.Release();
            hasMoved = true;
        }
        return hasMoved;
    }

    /// <summary>Adds what is in the open packet, once nobody writes any more.</summary>
    public void Finish()
    {
        foreach (var packet in StreamSnapshot.Recover(stream).Packets)
            RandomAccess.Write(_file, packet.Span, RandomAccess.GetLength(_file));
        _file.Dispose();
        stream.Dispose();
    }
}
