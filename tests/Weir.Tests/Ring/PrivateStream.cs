using System.Runtime.InteropServices;
using Weir.Clock;
using Weir.Ring;

namespace Weir.Tests.Ring;

/// <summary>
/// A ring with one stream in private memory, which can be put into any state and back: what the sequences see of a ring without its
/// files. The stream serves whichever CPU <see cref="UseOn"/> names.
/// </summary>
internal sealed unsafe class PrivateStream : IDisposable
{
    public const int PacketBytes = 4096;
    public const int PacketCount = 4;

    private const int StreamBytes = StreamLayout.Data + (PacketBytes * PacketCount);

    private readonly byte* _stream = (byte*)NativeMemory.AlignedAlloc(StreamBytes, 4096);

    public PrivateStream()
    {
        Ring = RingMemory.Allocate(Cpus.PossibleCount, PacketBytes, PacketCount, Uuid.ToByteArray(bigEndian: true));
        Reset();
    }

    public static Guid Uuid { get; } = new("01234567-89ab-cdef-0123-456789abcdef");

    public RingMemory* Ring { get; }

    public ref ulong Position => ref *(ulong*)(_stream + StreamLayout.Position);

    public ref ulong LastTime => ref *(ulong*)(_stream + StreamLayout.LastTime);

    public ref ulong LostFull => ref *(ulong*)(_stream + StreamLayout.LostFull);

    public ref ulong LostTooLarge => ref *(ulong*)(_stream + StreamLayout.LostTooLarge);

    public ref ulong Consumed => ref *(ulong*)(_stream + StreamLayout.Consumed);

    public Span<byte> Data => new(_stream + StreamLayout.Data, PacketBytes * PacketCount);

    public Span<byte> Packet(ulong number) => Data.Slice((int)(number % PacketCount) * PacketBytes, PacketBytes);

    /// <summary>Makes every byte a known one, and opens packet 0.</summary>
    public void Reset()
    {
        new Span<byte>(_stream, StreamLayout.Data).Clear();
        Data.Fill(0xEE);
        ulong now = CpuCounter.IsTrusted ? CpuCounter.Read() : MonotonicClock.Read();
        PacketHead.Open(Ring, _stream + StreamLayout.Data, 0, now, 0);
        Position = PacketLayout.Records;
        LastTime = now;
    }

    public byte[] Save() => new Span<byte>(_stream, StreamBytes).ToArray();

    public void UseOn(uint cpu, bool isPresent = true) => RingMemory.Streams(Ring)[cpu] = isPresent ? _stream : null;

    public void UseEverywhere()
    {
        for (uint cpu = 0; cpu < Ring->CpuCount; cpu++)
            UseOn(cpu);
    }

    public void Dispose()
    {
        RingMemory.Free(Ring);
        NativeMemory.AlignedFree(_stream);
    }
}
