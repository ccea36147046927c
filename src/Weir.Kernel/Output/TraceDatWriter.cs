using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Weir.Clock;
using Weir.Graph;

namespace Weir.Kernel;

/// <summary>
/// Writes trace-cmd's file, one part after the other in this order; <see cref="FtraceDatFile"/> has the picture. Version 6 for pages as they
/// are, which every trace-cmd reads; version 7 for packed ones. Where pages lie is written last, for only then it is known how many there
/// are. Not thread-safe.
/// </summary>
internal sealed class TraceDatWriter : IDisposable
{
    private const int FileBufferBytes = 64 << 10;

    /// <summary>Pages are copied, and given back by the file that they came from, in so large pieces.</summary>
    private const int CopyBytes = 1 << 20;

    private const int SectionHeadBytes = 16;
    private const int SectionSizeOffset = 8;

    /// <summary>Where a CPU's pages lie: offset and size; before them in version 7 its number.</summary>
    private const int PlainEntryBytes = 16;
    private const int PackedEntryBytes = 20;

    private readonly FileStream _file;
    private readonly TraceDatPacker? _packer;
    private readonly MemoryStream _options = new();
    private readonly List<(FtraceDatOption Id, long Offset)> _sections = [];

    /// <summary>What is written at present: the file, or the section that will be packed.</summary>
    private Stream _to;
    private long _optionsPlace;
    private long _tableOffset;
    private long _pagesSection;

    /// <summary>Begins a file.</summary>
    /// <param name="path">Its path; what is there is replaced.</param>
    /// <param name="isPacked">Whether everything large is packed.</param>
    /// <exception cref="IOException">It cannot be made.</exception>
    public TraceDatWriter(string path, bool isPacked)
    {
        _file = new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.Read, FileBufferBytes);
        _packer = isPacked ? new TraceDatPacker() : null;
        _to = _file;
    }

    /// <summary>The file's length, to be.</summary>
    public long LengthBytes => _file.Position;

    /// <summary>What the file begins with; the machine's numbers are the file's.</summary>
    public void WriteHead(int pageBytes, string headerPage, string headerEvent)
    {
        _file.Write([0x17, 0x08, 0x44]);
        WriteName(_packer is null ? "tracing6" : "tracing7");
        _file.WriteByte(BitConverter.IsLittleEndian ? (byte)0 : (byte)1);
        _file.WriteByte((byte)nint.Size);
        Write32((uint)pageBytes);
        if (_packer is not null)
        {
            WriteName(TraceDatPacker.Name);
            WriteName(TraceDatPacker.Version);
            _optionsPlace = _file.Position;
            Write64(0);
        }
        WriteSection(FtraceDatOption.HeaderInfo, () =>
        {
            WriteName("header_page");
            WriteText(headerPage);
            WriteName("header_event");
            WriteText(headerEvent);
        });
    }

    /// <summary>The descriptions of the events that the kernel writes on its own behalf.</summary>
    public void WriteOwnFormats(IReadOnlyList<string> formats) => WriteSection(FtraceDatOption.FtraceEvents, () => WriteTexts(formats));

    /// <summary>The descriptions of all others.</summary>
    public void WriteFormats(IReadOnlyList<(string System, IReadOnlyList<string> Formats)> systems) => WriteSection(FtraceDatOption.EventFormats, () =>
    {
        Write32((uint)systems.Count);
        foreach (var (system, formats) in systems)
        {
            WriteName(system);
            WriteTexts(formats);
        }
    });

    /// <summary>The kernel's symbols, as in /proc/kallsyms.</summary>
    public void WriteSymbols(string text) => WriteSection(FtraceDatOption.KernelSymbols, () => WriteShortText(text));

    /// <summary>The texts of the kernel's printk.</summary>
    public void WritePrintk(string text) => WriteSection(FtraceDatOption.Printk, () => WriteShortText(text));

    /// <summary>The names of threads.</summary>
    public void WriteCommandLines(string text) => WriteSection(FtraceDatOption.CommandLines, () => WriteText(text));

    /// <summary>Keeps room on the disk, so that what comes can be written though it is full by then. Where the file system cannot, it does not.</summary>
    public void Reserve()
    {
        _file.Flush();
        _ = LibC.Allocate((int)_file.SafeFileHandle.DangerousGetHandle(), LibC.AllocateKeepSize, _file.Position, 2 * CopyBytes);
    }

    /// <summary>An option that is a text.</summary>
    public void WriteOption(FtraceDatOption id, string text) => WriteOption(id, [.. Encoding.UTF8.GetBytes(text), 0]);

    /// <summary>An option.</summary>
    public void WriteOption(FtraceDatOption id, ReadOnlySpan<byte> value)
    {
        _options.Write(BitConverter.GetBytes((ushort)id));
        _options.Write(BitConverter.GetBytes((uint)value.Length));
        _options.Write(value);
    }

    /// <summary>How times become nanoseconds since 1970.</summary>
    public void WriteClock(TraceDatTime time)
    {
        if (time.Multiplier != 0)
        {
            Span<byte> scale = stackalloc byte[16];
            BinaryPrimitives.WriteUInt32LittleEndian(scale, time.Multiplier);
            BinaryPrimitives.WriteInt32LittleEndian(scale[4..], time.Shift);
            WriteOption(FtraceDatOption.Tsc2Nsec, scale);
        }
        long micros = Math.DivRem(time.OffsetNs, 1000, out long nanos);
        WriteOption(FtraceDatOption.Date, micros.ToString(CultureInfo.InvariantCulture));
        WriteOption(FtraceDatOption.Offset, nanos.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Ends the options, and leaves room for where the pages of so many CPUs lie.</summary>
    /// <param name="cpuCount">CPUs 0 to this, without it.</param>
    /// <param name="clock">The trace clock's name.</param>
    /// <param name="pageBytes">Size of a page.</param>
    public void EndOptions(int cpuCount, string clock, int pageBytes)
    {
        if (_packer is null)
        {
            Write32((uint)cpuCount);
            WriteName("options  ");
            _file.Write(_options.ToArray());
            Write16(0);
            WriteName("flyrecord");
            _tableOffset = _file.Position;
            _file.Write(new byte[cpuCount * PlainEntryBytes]);
        }
        else
            WritePackedOptions(cpuCount, clock, pageBytes);
        _file.Flush();
    }

    /// <summary>Moves pages here out of a file that gives them back meanwhile, so that the disk needs room for them only once.</summary>
    /// <param name="source">The file.</param>
    /// <param name="cpu">Whose pages they are.</param>
    /// <param name="lengthBytes">How many bytes.</param>
    /// <param name="pageBytes">Size of a page.</param>
    /// <param name="problem">Why not all of them came, or null.</param>
    /// <returns>Bytes that came.</returns>
    public long MovePages(SafeFileHandle source, int cpu, long lengthBytes, int pageBytes, out string? problem) =>
        _packer is null ? MovePlainPages(source, cpu, lengthBytes, pageBytes, out problem) : PackPages(source, cpu, lengthBytes, pageBytes, out problem);

    /// <inheritdoc/>
    public void Dispose()
    {
        _file.Dispose();
        _options.Dispose();
        _packer?.Dispose();
    }

    private unsafe long MovePlainPages(SafeFileHandle source, int cpu, long lengthBytes, int pageBytes, out string? problem)
    {
        problem = null;
        int from = (int)source.DangerousGetHandle();
        int to = (int)_file.SafeFileHandle.DangerousGetHandle();
        long begin = (_file.Position + pageBytes - 1) / pageBytes * pageBytes;
        long done = 0;
        while (done < lengthBytes)
        {
            long at = done;
            long target = begin + done;
            nint copied = LibC.CopyFileRange(from, &at, to, &target, (nuint)Math.Min(CopyBytes, lengthBytes - done), 0);
            int error = Marshal.GetLastPInvokeError();
            if (copied < 0 && error == LibC.Interrupted)
                continue;
            if (copied <= 0)
            {
                problem = copied == 0 ? "pages that were written are not there" : Marshal.GetPInvokeErrorMessage(error);
                break;
            }
            long first = done / pageBytes * pageBytes;
            done += copied;
            GiveBack(source, first, done / pageBytes * pageBytes);
        }
        done = done / pageBytes * pageBytes;
        WritePlace(_tableOffset + (cpu * (long)PlainEntryBytes), begin, done);
        _file.SetLength(begin + done);
        _file.Position = begin + done;
        return done;
    }

    private long PackPages(SafeFileHandle source, int cpu, long lengthBytes, int pageBytes, out string? problem)
    {
        long begin = _file.Position;
        long done = _packer!.Pack(source, lengthBytes, pageBytes, _file, out problem);
        long end = _file.Position;
        if (done > 0)
            WritePlace(_tableOffset + (cpu * (long)PackedEntryBytes) + sizeof(uint), begin, end - begin);
        _file.Position = _pagesSection + SectionSizeOffset;
        Write64((ulong)(end - _pagesSection - SectionHeadBytes));
        _file.Flush();
        _file.Position = end;
        return done;
    }

    /// <summary>Lets a file give back whole pages that are elsewhere now.</summary>
    internal static void GiveBack(SafeFileHandle file, long begin, long end)
    {
        if (end > begin)
            _ = LibC.Allocate((int)file.DangerousGetHandle(), LibC.AllocateKeepSize | LibC.AllocatePunchHole, begin, end - begin);
    }

    private void WritePlace(long entry, long begin, long lengthBytes)
    {
        _file.Position = entry;
        Write64((ulong)begin);
        Write64((ulong)lengthBytes);
        _file.Flush();
    }

    /// <summary>The options, which lead to all sections; they are not packed, because where the pages lie is written into them later.</summary>
    private void WritePackedOptions(int cpuCount, string clock, int pageBytes)
    {
        foreach (var (id, offset) in _sections)
            WriteOption(id, BitConverter.GetBytes(offset));
        byte[] buffer = [.. new byte[sizeof(ulong)], .. "\0"u8, .. Encoding.UTF8.GetBytes(clock), 0, .. BitConverter.GetBytes(pageBytes), .. BitConverter.GetBytes(cpuCount)];
        byte[] table = new byte[cpuCount * PackedEntryBytes];
        for (int cpu = 0; cpu < cpuCount; cpu++)
            BitConverter.TryWriteBytes(table.AsSpan(cpu * PackedEntryBytes), cpu);
        WriteOption(FtraceDatOption.Buffer, [.. buffer, .. table]);
        long inOptions = _options.Length - table.Length - buffer.Length;
        long tableInOptions = _options.Length - table.Length;
        WriteOption(FtraceDatOption.Done, BitConverter.GetBytes(0UL));
        long begin = _file.Position;
        WriteSectionHead(FtraceDatOption.Done, isPacked: false, _options.Length);
        _file.Write(_options.ToArray());
        _pagesSection = _file.Position;
        WriteSectionHead(FtraceDatOption.Buffer, isPacked: true, 0);
        long end = _file.Position;
        _tableOffset = begin + SectionHeadBytes + tableInOptions;
        _file.Position = begin + SectionHeadBytes + inOptions;
        Write64((ulong)_pagesSection);
        _file.Position = _optionsPlace;
        Write64((ulong)begin);
        _file.Position = end;
    }

    /// <summary>A part of the file; where it is packed, it stands by itself, with a head, and an option leads to it.</summary>
    private void WriteSection(FtraceDatOption id, Action write)
    {
        if (_packer is null)
        {
            write();
            return;
        }
        using var section = new MemoryStream();
        _to = section;
        write();
        _to = _file;
        byte[] packed = _packer.Pack(section.GetBuffer().AsSpan(0, (int)section.Length));
        _sections.Add((id, _file.Position));
        WriteSectionHead(id, isPacked: true, packed.Length);
        _file.Write(packed);
    }

    private void WriteSectionHead(FtraceDatOption id, bool isPacked, long lengthBytes)
    {
        Write16((ushort)id);
        Write16(isPacked ? (ushort)1 : (ushort)0);
        Write32(0);
        Write64((ulong)lengthBytes);
    }

    private void WriteTexts(IReadOnlyList<string> texts)
    {
        Write32((uint)texts.Count);
        foreach (string text in texts)
            WriteText(text);
    }

    private void WriteShortText(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Write32((uint)bytes.Length);
        _to.Write(bytes);
    }

    private void WriteText(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Write64((ulong)bytes.Length);
        _to.Write(bytes);
    }

    private void WriteName(string name) => _to.Write([.. Encoding.UTF8.GetBytes(name), 0]);

    private void Write16(ushort value) => _to.Write(BitConverter.GetBytes(value));

    private void Write32(uint value) => _to.Write(BitConverter.GetBytes(value));

    private void Write64(ulong value) => _to.Write(BitConverter.GetBytes(value));
}

/// <summary>How trace-cmd makes nanoseconds since 1970 of a time: times <paramref name="Multiplier"/>, shifted right, and an offset added.</summary>
/// <param name="Multiplier">0 for times that are nanoseconds.</param>
/// <param name="Shift">Bits.</param>
/// <param name="OffsetNs">Nanoseconds.</param>
internal readonly record struct TraceDatTime(uint Multiplier, int Shift, long OffsetNs)
{
    /// <summary>31 bits: some readers take the multiplier for a signed number.</summary>
    private const ulong MaxMultiplier = int.MaxValue;

    /// <summary>The numbers for a clock, exact at a moment; what 31 bits leave of the rate is some 0.2 ppb.</summary>
    public static TraceDatTime Of(ClockKind kind, ClockCorrelation clock, ulong exactAt)
    {
        if (kind == ClockKind.Monotonic)
            return new TraceDatTime(0, 0, clock.ToRealtimeNs(0));
        int shift = 0;
        while (shift < 32 && Scale(shift + 1) <= MaxMultiplier)
            shift++;
        uint multiplier = (uint)Scale(shift);
        return new TraceDatTime(multiplier, shift, clock.ToRealtimeNs(exactAt) - (long)(((UInt128)exactAt * multiplier) >> shift));

        ulong Scale(int bits) => (ulong)((((UInt128)1_000_000_000 << bits) + (clock.FrequencyHz / 2)) / clock.FrequencyHz);
    }
}
