using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Weir.Graph;

/// <summary>Some messages with the bytes of their events, and the text that is made of them.</summary>
internal sealed unsafe class PrettyJob : IDisposable
{
    private const int MaxMessages = 1024;
    private const int UsualBytes = 128 << 10;
    private const int MaxKeptBytes = 1 << 20;

    private readonly Message[] _messages = new Message[MaxMessages];
    private int _count;
    private byte* _bytes;
    private long _capacityBytes;
    private long _usedBytes;

    /// <summary>Set by whoever has rendered the job.</summary>
    public ManualResetEventSlim Done { get; } = new();

    /// <summary>Set by the writer once all jobs before have been written.</summary>
    public ManualResetEventSlim Turn { get; } = new();

    /// <summary>The last event before the job's first, for the time between them.</summary>
    public Message Before;

    public bool HasBefore { get; set; }

    /// <summary>Whether a time before the Epoch was met before the job.</summary>
    public bool HasWarned { get; set; }

    public MemoryStream Text { get; private set; } = new();

    public StringWriter Warnings { get; } = new();

    /// <summary>What rendering met after <see cref="Text"/>.</summary>
    public ExceptionDispatchInfo? Failure { get; set; }

    /// <summary>Copies the first messages of a batch; returns how many there was room for, at least one where the job is empty.</summary>
    public int Take(ReadOnlySpan<Message> batch)
    {
        int from = _count;
        int wanted = Math.Min(batch.Length, MaxMessages - from);
        // All at once, which the collector's write barrier makes cheaper than one by one.
        batch[..wanted].CopyTo(_messages.AsSpan(from));
        for (int i = from; i < from + wanted; i++)
        {
            ref var message = ref _messages[i];
            if (message.Kind == MessageKind.Event && !TakeBytes(ref message))
                return i - from;
            _count = i + 1;
        }
        return wanted;
    }

    public void Render(PrettySink sink)
    {
        sink.GoOnBehind(in Before, HasBefore, HasWarned);
        sink.Consume(_messages.AsSpan(0, _count));
        sink.Flush();
    }

    public void Clear()
    {
        _count = 0;
        _usedBytes = 0;
        if (_capacityBytes > MaxKeptBytes)
            Free();
        if (Text.Capacity > MaxKeptBytes)
            Text = new MemoryStream();
        Text.SetLength(0);
        Warnings.GetStringBuilder().Clear();
        Failure = null;
        Done.Reset();
        Turn.Reset();
    }

    public void Dispose()
    {
        Free();
        Done.Dispose();
        Turn.Dispose();
        GC.SuppressFinalize(this);
    }

    ~PrettyJob() => Free();

    private bool TakeBytes(ref Message message)
    {
        long offset = message.Record.OffsetBytes;
        long length = message.Record.LengthBytes;
        if (_capacityBytes - _usedBytes < length)
        {
            // Those that were taken point to where the bytes are now.
            if (_usedBytes > 0)
                return false;
            Free();
            _capacityBytes = Math.Max(UsualBytes, length);
            _bytes = (byte*)NativeMemory.Alloc((nuint)_capacityBytes);
        }
        byte* place = _bytes + _usedBytes;
        Buffer.MemoryCopy(message.PacketStart + offset, place, length, length);
        message.PacketStart = place - offset;
        _usedBytes += length;
        return true;
    }

    private void Free()
    {
        NativeMemory.Free(_bytes);
        _bytes = null;
        _capacityBytes = 0;
    }
}
