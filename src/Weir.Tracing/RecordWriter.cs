using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;
using Weir.Ring;

namespace Weir.Tracing;

/// <summary>
/// Stages the payload of one record in this thread's staging area, field after field, as the bytes that the trace will hold.
/// Used by generated code: <see cref="Begin"/>, one write for each field in order, then <see cref="Tracepoint.Commit"/>. A record
/// must be committed before the same thread begins another. Allocates nothing, except a thread's staging area at its first record.
/// </summary>
/// <remarks>
/// Bounds: a tracepoint has at most <see cref="MaxFields"/> fields (the generator refuses more). A field that is neither a string nor a
/// sequence takes at most 64 bytes and is written unchecked; it cannot leave the area, because strings and sequences are cut so
/// that <see cref="FixedReserveBytes"/> (64 times 64) remain behind them.
/// </remarks>
public unsafe ref struct RecordWriter
{
    /// <summary>Most fields that a tracepoint may have.</summary>
    public const int MaxFields = 64;

    /// <summary>Most UTF-8 bytes that a string field keeps, without its final zero; longer ones are cut at a character and counted.</summary>
    public const int MaxStringBytes = 4096;

    /// <summary>Most bytes that the elements of a sequence field keep; longer ones are cut at an element and counted.</summary>
    public const int MaxSequenceBytes = 8192;

    private const int StagingBytes = 64 * 1024;

    private const int FixedReserveBytes = MaxFields * MaxFormattedBytes;

    // The longest formatted value is a GUID (36); a decimal takes at most 31, a time 33.
    private const int MaxFormattedBytes = 64;

    // Before the staging area lies what the ring needs to know of the thread: one look-up finds both.
    private const int ThreadBytes = WriterThread.SizeBytes;

    // The thread's staging area: its first payload byte.
    [ThreadStatic]
    private static byte* t_staging;

    [ThreadStatic]
    private static StagingOwner? t_owner;

    private readonly byte* _start;
    private byte* _next;
    private int _fieldsCut;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private RecordWriter(byte* start)
    {
        _start = start;
        _next = start;
    }

    /// <summary>Begins a record on this thread.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RecordWriter Begin()
    {
        byte* staging = t_staging;
        return new RecordWriter(staging != null ? staging : AllocateStaging());
    }

    /// <summary>Writes a field of a fixed size.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(sbyte value) => Put(value);

    /// <inheritdoc cref="Write(sbyte)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(short value) => Put(value);

    /// <inheritdoc cref="Write(sbyte)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(int value) => Put(value);

    /// <inheritdoc cref="Write(sbyte)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(long value) => Put(value);

    /// <inheritdoc cref="Write(sbyte)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(byte value) => Put(value);

    /// <inheritdoc cref="Write(sbyte)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(ushort value) => Put(value);

    /// <inheritdoc cref="Write(sbyte)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(uint value) => Put(value);

    /// <inheritdoc cref="Write(sbyte)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(ulong value) => Put(value);

    /// <summary>Writes a native-sized integer as 64 bits (<see cref="FieldKind.Int64"/>).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(nint value) => Put((long)value);

    /// <summary>Writes a native-sized integer as 64 bits (<see cref="FieldKind.UInt64"/>).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(nuint value) => Put((ulong)value);

    /// <inheritdoc cref="Write(sbyte)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(float value) => Put(value);

    /// <inheritdoc cref="Write(sbyte)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(double value) => Put(value);

    /// <summary>Writes 0 or 1 (<see cref="FieldKind.UInt8"/>).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(bool value) => Put(value ? (byte)1 : (byte)0);

    /// <summary>Writes one UTF-16 code unit as a string (<see cref="FieldKind.String"/>); a lone surrogate becomes U+FFFD.</summary>
    public void Write(char value)
    {
        Write(new ReadOnlySpan<char>(ref value));
    }

    /// <summary>Writes the invariant text of a decimal (<see cref="FieldKind.String"/>).</summary>
    public void Write(decimal value) => WriteText(value, default);

    /// <summary>Writes a GUID in its 36-character form (<see cref="FieldKind.String"/>).</summary>
    public void Write(Guid value) => WriteText(value, "D");

    /// <summary>Writes a time in the ISO 8601 round-trip form "O" (<see cref="FieldKind.String"/>), with its kind's suffix.</summary>
    public void Write(DateTime value) => WriteText(value, "O");

    /// <summary>Writes a duration in nanoseconds (<see cref="FieldKind.Int64"/>); beyond 292 years it stays at the end of the range.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(TimeSpan value) =>
        Put(Math.Clamp(value.Ticks, long.MinValue / TimeSpan.NanosecondsPerTick, long.MaxValue / TimeSpan.NanosecondsPerTick)
            * TimeSpan.NanosecondsPerTick);

    /// <summary>
    /// Writes a string (<see cref="FieldKind.String"/>); null is the text <c>(null)</c>. See <see cref="Write(ReadOnlySpan{char})"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(string? value) => Write((value ?? "(null)").AsSpan());

    /// <summary>
    /// Writes text as UTF-8 with a final zero (<see cref="FieldKind.String"/>). Lone surrogates and U+0000, which a zero-terminated
    /// string cannot hold, become U+FFFD. More than <see cref="MaxStringBytes"/> bytes are cut at a character and counted.
    /// </summary>
    public void Write(scoped ReadOnlySpan<char> value)
    {
        int room = (int)Math.Clamp(Room(), 0, MaxStringBytes);
        var target = new Span<byte>(_next, room);
        if (value.Length <= room && !value.Contains('\0') && Ascii.FromUtf16(value, target, out int written)
            == System.Buffers.OperationStatus.Done)
        {
            _next[written] = 0;
            _next += written + 1;
            return;
        }
        WriteUnusual(value, target);
    }

    /// <summary>
    /// Writes a sequence: a 4-byte count, then the elements (1, 2, 4 or 8 bytes each, as they lie in memory). More than
    /// <see cref="MaxSequenceBytes"/> bytes are cut at an element and counted.
    /// </summary>
    /// <typeparam name="T">A primitive number, or bool (each element is 0 or 1, <see cref="FieldKind.UInt8"/>).</typeparam>
    public void WriteSequence<T>(scoped ReadOnlySpan<T> values)
        where T : unmanaged
    {
        int capacity = (int)Math.Min(MaxSequenceBytes, Math.Max(0, Room() - sizeof(uint))) / sizeof(T);
        if (values.Length > capacity)
        {
            values = values[..capacity];
            _fieldsCut++;
        }
        Put((uint)values.Length);
        MemoryMarshal.AsBytes(values).CopyTo(new Span<byte>(_next, values.Length * sizeof(T)));
        _next += values.Length * sizeof(T);
    }

    internal readonly WriterThread* Thread
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (WriterThread*)(_start - ThreadBytes);
    }

    internal readonly byte* Payload
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _start;
    }

    internal readonly int PayloadBytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (int)(_next - _start);
    }

    /// <summary>Strings and sequences of this record that were cut.</summary>
    internal readonly int FieldsCut
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _fieldsCut;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Put<T>(T value)
        where T : unmanaged
    {
        Unsafe.WriteUnaligned(_next, value);
        _next += sizeof(T);
    }

    /// <summary>Bytes that a string or sequence may take here.</summary>
    private readonly long Room() => StagingBytes - FixedReserveBytes - (_next - _start);

    private void WriteText<T>(T value, ReadOnlySpan<char> format)
        where T : IUtf8SpanFormattable
    {
        bool fits = value.TryFormat(new Span<byte>(_next, MaxFormattedBytes), out int written, format, System.Globalization.CultureInfo.InvariantCulture);
        System.Diagnostics.Debug.Assert(fits, "A formatted value is at most 64 bytes.");
        _next[written] = 0;
        _next += written + 1;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void WriteUnusual(scoped ReadOnlySpan<char> value, Span<byte> target)
    {
        int total = 0;
        while (true)
        {
            int zero = value.IndexOf('\0');
            var part = zero < 0 ? value : value[..zero];
            var status = Utf8.FromUtf16(part, target[total..], out _, out int written, replaceInvalidSequences: true, isFinalBlock: true);
            total += written;
            if (status == System.Buffers.OperationStatus.DestinationTooSmall)
            {
                _fieldsCut++;
                break;
            }
            if (zero < 0)
                break;
            if (!"\uFFFD"u8.TryCopyTo(target[total..]))
            {
                _fieldsCut++;
                break;
            }
            total += 3;
            value = value[(zero + 1)..];
        }
        _next[total] = 0;
        _next += total + 1;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static byte* AllocateStaging()
    {
        t_owner = new StagingOwner();
        return t_staging = t_owner.Block + ThreadBytes;
    }

    /// <summary>Frees a thread's block once the thread is gone: nothing but its thread static refers to it.</summary>
    private sealed class StagingOwner
    {
        public StagingOwner()
        {
            Block = (byte*)NativeMemory.AlignedAlloc(ThreadBytes + StagingBytes, WriterThread.AlignmentBytes);
            WriterThread.Initialize((WriterThread*)Block);
        }

        ~StagingOwner()
        {
            WriterThread.Release((WriterThread*)Block);
            NativeMemory.AlignedFree(Block);
        }

        public byte* Block { get; }
    }
}
