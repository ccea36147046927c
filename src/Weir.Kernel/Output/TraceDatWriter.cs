using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Weir.Clock;
using Weir.Graph;

namespace Weir.Kernel;

/// <summary>
/// Writes trace-cmd's file of version 6, one part after the other in this order; <see cref="FtraceDatFile"/> has the picture. Where pages lie
/// is written last, for only then it is known how many there are. Not thread-safe.
/// </summary>
internal sealed class TraceDatWriter : IDisposable
{
    private const int FileBufferBytes = 64 << 10;

    /// <summary>Pages are copied, and given back by the file that they came from, in so large pieces.</summary>
    private const int CopyBytes = 1 << 20;

    private readonly FileStream _file;
    private long _tableOffset;

    /// <summary>Begins a file.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    public TraceDatWriter(string path) => _file = new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.Read, FileBufferBytes);

    /// <summary>The file's length, to be.</summary>
    public long LengthBytes => _file.Position;

    /// <summary>What the file begins with; the machine's numbers are the file's.</summary>
    public void WriteHead(int pageBytes, string headerPage, string headerEvent)
    {
        _file.Write([0x17, 0x08, 0x44]);
        WriteName("tracing6");
        _file.WriteByte(BitConverter.IsLittleEndian ? (byte)0 : (byte)1);
        _file.WriteByte((byte)nint.Size);
        Write32((uint)pageBytes);
        WriteName("header_page");
        WriteText(headerPage);
        WriteName("header_event");
        WriteText(headerEvent);
    }

    /// <summary>The descriptions of the events that the kernel writes on its own behalf.</summary>
    public void WriteOwnFormats(IReadOnlyList<string> formats)
    {
        Write32((uint)formats.Count);
        foreach (string format in formats)
            WriteText(format);
    }

    /// <summary>The descriptions of all others.</summary>
    public void WriteFormats(IReadOnlyList<(string System, IReadOnlyList<string> Formats)> systems)
    {
        Write32((uint)systems.Count);
        foreach (var (system, formats) in systems)
        {
            WriteName(system);
            WriteOwnFormats(formats);
        }
    }

    /// <summary>The kernel's symbols, then the texts of its printk.</summary>
    public void WriteShortText(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Write32((uint)bytes.Length);
        _file.Write(bytes);
    }

    /// <summary>A text with the 8 bytes of its length.</summary>
    public void WriteText(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Write64((ulong)bytes.Length);
        _file.Write(bytes);
    }

    /// <summary>Keeps room on the disk, so that what comes can be written though it is full by then. Where the file system cannot, it does not.</summary>
    public void Reserve()
    {
        _file.Flush();
        _ = LibC.Allocate((int)_file.SafeFileHandle.DangerousGetHandle(), LibC.AllocateKeepSize, _file.Position, 2 * CopyBytes);
    }

    /// <summary>Begins the options.</summary>
    public void BeginOptions(int cpuCount)
    {
        Write32((uint)cpuCount);
        WriteName("options  ");
    }

    /// <summary>An option that is a text.</summary>
    public void WriteOption(FtraceDatOption id, string text) => WriteOption(id, [.. Encoding.UTF8.GetBytes(text), 0]);

    /// <summary>An option.</summary>
    public void WriteOption(FtraceDatOption id, ReadOnlySpan<byte> value)
    {
        Write16((ushort)id);
        Write32((uint)value.Length);
        _file.Write(value);
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
    public void EndOptions(int cpuCount)
    {
        Write16(0);
        WriteName("flyrecord");
        _tableOffset = _file.Position;
        for (int i = 0; i < cpuCount; i++)
        {
            Write64(0);
            Write64(0);
        }
        _file.Flush();
    }

    /// <summary>Moves pages here out of a file that gives them back meanwhile, so that the disk needs room for them only once.</summary>
    /// <param name="source">The file.</param>
    /// <param name="cpu">Whose pages they are.</param>
    /// <param name="lengthBytes">How many bytes.</param>
    /// <param name="pageBytes">Size of a page.</param>
    /// <param name="problem">Why not all of them came, or null.</param>
    /// <returns>Bytes that came.</returns>
    public unsafe long MovePages(SafeFileHandle source, int cpu, long lengthBytes, int pageBytes, out string? problem)
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
            _ = LibC.Allocate(from, LibC.AllocateKeepSize | LibC.AllocatePunchHole, done, copied);
            done += copied;
        }
        done = done / pageBytes * pageBytes;
        _file.Position = _tableOffset + (cpu * 16L);
        Write64((ulong)begin);
        Write64((ulong)done);
        _file.Flush();
        _file.SetLength(begin + done);
        _file.Position = begin + done;
        return done;
    }

    /// <summary>Reads what was written.</summary>
    public int Read(Span<byte> bytes, long offset) => RandomAccess.Read(_file.SafeFileHandle, bytes, offset);

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private void WriteName(string name) => _file.Write([.. Encoding.UTF8.GetBytes(name), 0]);

    private void Write16(ushort value) => _file.Write(BitConverter.GetBytes(value));

    private void Write32(uint value) => _file.Write(BitConverter.GetBytes(value));

    private void Write64(ulong value) => _file.Write(BitConverter.GetBytes(value));
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
