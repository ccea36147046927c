using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Weir.Ctf;
using Weir.Graph;

namespace Weir.Kernel;

/// <summary>
/// Makes CTF of one CPU's pages. A record keeps its fields as the kernel wrote them and loses what stands in every one:
/// <code>
///  kernel   head 4 | common_type u16 | common_flags u8 | common_preempt_count u8 | common_pid s32 | fields, with gaps
///  trace    header 4, 6 or more      | tid s32 | preempt_count u8 | irq_flags u8                  | fields, without
/// </code>
/// Not thread-safe.
/// </summary>
internal sealed unsafe class PageTranscoder
{
    /// <summary>Bytes of the common context.</summary>
    private const int ContextBytes = 6;

    /// <summary>Bytes that every record begins with: the fields that all events have.</summary>
    private const int HeadBytes = 8;

    private readonly KernelStream _stream;
    private readonly KernelEventTable _table;
    private readonly FtracePageLayout _layout;
    private Tally[] _tallies = new Tally[64];

    public PageTranscoder(KernelStream stream, KernelEventTable table, FtracePageLayout layout)
    {
        _stream = stream;
        _table = table;
        _layout = layout;
    }

    /// <summary>The context of all events.</summary>
    public static StructureFieldClass CommonContext => new(
    [
        new("tid", new IntegerFieldClass(32, isSigned: true)),
        new("preempt_count", new IntegerFieldClass(8)),
        new("irq_flags", new IntegerFieldClass(8) { DisplayBase = DisplayBase.Hexadecimal }),
    ]);

    /// <summary>Events that the kernel had no room for, as its pages tell.</summary>
    public ulong Lost { get; private set; }

    /// <summary>Whether the kernel lost events without saying how many.</summary>
    public bool HasUncountedLosses { get; private set; }

    /// <summary>What was wrong with a page or a record, the first of it; null for nothing.</summary>
    public string? Problem { get; private set; }

    /// <summary>The stream that the events go to.</summary>
    public KernelStream Stream => _stream;

    /// <summary>Checks that records begin as <see cref="Add"/> takes it for granted.</summary>
    /// <exception cref="KernelException">They do not: this kernel is one that nobody has seen.</exception>
    public static void CheckLayout(FtraceFormat format)
    {
        Check("common_type", 0, 2);
        Check("common_flags", 2, 1);
        Check("common_preempt_count", 3, 1);
        Check("common_pid", 4, 4);

        void Check(string name, int offset, int size)
        {
            if (format.FindShared(name) is not { } field || field.OffsetBytes != offset || field.SizeBytes != size)
                throw new KernelException($"event '{format.Name}': this kernel's records do not begin as expected: no field {name} of {size} bytes at offset {offset}; --raw keeps them as they are");
        }
    }

    /// <summary>Events and bytes of each class that this CPU had.</summary>
    public IEnumerable<(KernelEventClass Class, ulong Count, ulong Bytes)> Statistics() =>
        _table.Classes.Where(item => item.Number < _tallies.Length && _tallies[item.Number].Count > 0)
            .Select(item => (item, _tallies[item.Number].Count, _tallies[item.Number].Bytes));

    /// <summary>Adds the events of a page.</summary>
    public void Add(byte* page, int lengthBytes)
    {
        var cursor = new FtracePageCursor(_layout, page, lengthBytes, out string? problem);
        if (cursor.HasLost)
            AddLost(cursor.LostCount);
        while (cursor.MoveNext(out problem))
            AddRecord(page + cursor.DataOffset, cursor.DataLength, cursor.Time);
        if (problem is not null)
            Problem ??= $"CPU {_stream.Cpu}: a page of the kernel's cannot be read to its end: {problem}";
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void AddRecord(byte* record, int lengthBytes, ulong time)
    {
        if (lengthBytes < HeadBytes)
        {
            Problem ??= $"CPU {_stream.Cpu}: a record of {lengthBytes} bytes is too short";
            return;
        }
        var found = _table.Find(Unsafe.ReadUnaligned<ushort>(record));
        byte* at = _stream.Reserve(found.Id, time, ContextBytes + checked((int)found.Record.MaximumBytes(lengthBytes)));
        Unsafe.WriteUnaligned(at, Unsafe.ReadUnaligned<int>(record + 4));
        at[4] = record[3];
        at[5] = record[2];
        byte* end = found.Record.Copy(record, lengthBytes, at + ContextBytes);
        if (end is null)
        {
            Problem ??= $"CPU {_stream.Cpu}: a record of event '{found.Name}' has {lengthBytes} bytes, in which its fields do not lie";
            return;
        }
        _stream.Commit(end);
        if (found.Addresses is not null)
            Collect(found, record);
        if (found.Number >= _tallies.Length)
            Array.Resize(ref _tallies, Math.Max(found.Number + 1, _tallies.Length * 2));
        ref var tally = ref _tallies[found.Number];
        tally.Count++;
        tally.Bytes += (ulong)(end - at);
    }

    /// <summary>Of a record that was found long enough for its fields.</summary>
    private static void Collect(KernelEventClass found, byte* record)
    {
        foreach (int offset in found.AddressOffsets)
            found.Addresses!.Add(Unsafe.ReadUnaligned<ulong>(record + offset));
    }

    private void AddLost(ulong? count)
    {
        // That some are missing has to be told, though the kernel does not say how many.
        HasUncountedLosses |= count is null;
        Lost += count ?? 1;
        _stream.AddLost(count ?? 1);
    }

    [StructLayout(LayoutKind.Auto)]
    private struct Tally
    {
        public ulong Count;
        public ulong Bytes;
    }
}
