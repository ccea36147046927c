using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Unicode;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// Carries payloads over into the schema: numbers are copied, text becomes UTF-8, GUIDs, dates and decimals become text, and an array gets
/// a member <c>_NAME_length</c> before it, as LTTng has it. What to do is compiled once for each kind of event.
/// </summary>
internal sealed class NettracePayload
{
    private readonly NettraceStep[] _steps;
    private readonly ulong[] _counts;
    private byte[] _text = new byte[1024];

    private NettracePayload(StructureFieldClass? fieldClass, NettraceStep[] steps, int countCount)
    {
        Class = fieldClass;
        _steps = steps;
        _counts = new ulong[countCount];
    }

    /// <summary>What the payload becomes; null where it has no fields.</summary>
    public StructureFieldClass? Class { get; }

    /// <summary>Any payload as bytes, for events whose fields nobody knows; see <see cref="WriteRaw"/>.</summary>
    public static StructureFieldClass RawClass { get; } = new(
    [
        new("_payload_length", new IntegerFieldClass(32)),
        new("payload", new DynamicArrayFieldClass(new IntegerFieldClass(8) { DisplayBase = DisplayBase.Hexadecimal }, new FieldLocation(FieldScope.EventPayload, "_payload_length"))),
    ]);

    /// <summary>Compiles fields.</summary>
    public static NettracePayload Create(IReadOnlyList<NettraceField> fields, int pointerBytes)
    {
        var compiler = new NettracePayloadCompiler(pointerBytes);
        var steps = new List<NettraceStep>();
        var members = compiler.AddFields(fields, [], steps);
        return new NettracePayload(members.Count == 0 ? null : new StructureFieldClass(members), [.. steps], compiler.CountCount);
    }

    /// <summary>Writes a payload as <see cref="Class"/> lays it out. False, with something written or nothing, when it ends too early.</summary>
    public bool TryWrite(ReadOnlySpan<byte> payload, BitWriter fields)
    {
        int at = 0;
        // Elements without bytes could be without end.
        int elementsLeft = payload.Length + 16;
        return TryWrite(_steps, payload, ref at, ref elementsLeft, fields);
    }

    /// <summary>Writes bytes as <see cref="RawClass"/> lays them out.</summary>
    public static void WriteRaw(ReadOnlySpan<byte> payload, BitWriter fields)
    {
        fields.Write((ulong)payload.Length, 32);
        fields.WriteBytes(payload);
    }

    private bool TryWrite(NettraceStep[] steps, ReadOnlySpan<byte> payload, ref int at, ref int elementsLeft, BitWriter fields)
    {
        foreach (ref readonly var step in steps.AsSpan())
        {
            if (payload.Length - at < step.Bytes)
                return false;
            var bytes = payload.Slice(at, step.Bytes);
            at += step.Bytes;
            bool isDone = step.Action switch
            {
                NettraceAction.Copy => Copy(bytes, fields),
                NettraceAction.Count => KeepCount(bytes, step.Slot, fields),
                NettraceAction.Text8 => TryWriteText8(payload, ref at, fields),
                NettraceAction.Text16 => TryWriteText16(payload, ref at, fields),
                NettraceAction.SignedVariable or NettraceAction.UnsignedVariable => TryWriteVariable(step.Action == NettraceAction.SignedVariable, payload, ref at, fields),
                >= NettraceAction.Array => TryWriteArray(in step, bytes, payload, ref at, ref elementsLeft, fields),
                _ => WriteConverted(step.Action, bytes, fields),
            };
            if (!isDone)
                return false;
        }
        return true;
    }

    private static bool Copy(ReadOnlySpan<byte> bytes, BitWriter fields)
    {
        fields.WriteBytes(bytes);
        return true;
    }

    private bool KeepCount(ReadOnlySpan<byte> bytes, int slot, BitWriter fields)
    {
        Span<byte> wide = stackalloc byte[8];
        wide.Clear();
        bytes.CopyTo(wide);
        _counts[slot] = BinaryPrimitives.ReadUInt64LittleEndian(wide);
        return Copy(bytes, fields);
    }

    private bool WriteConverted(NettraceAction action, ReadOnlySpan<byte> bytes, BitWriter fields)
    {
        Span<byte> text = stackalloc byte[64];
        int length = 0;
        switch (action)
        {
            case NettraceAction.Boolean:
                fields.Write(bytes.IndexOfAnyExcept((byte)0) < 0 ? 0UL : 1, 8);
                return true;
            case NettraceAction.Unit8:
                WriteLatin(bytes, fields);
                return true;
            case NettraceAction.Unit16:
                WriteText16(MemoryMarshal.Cast<byte, char>(bytes), fields);
                return true;
            case NettraceAction.Guid:
                new Guid(bytes).TryFormat(text, out length);
                break;
            case NettraceAction.DateTime:
                FormatDate(BinaryPrimitives.ReadInt64LittleEndian(bytes), text, out length);
                break;
            case NettraceAction.Decimal:
                FormatDecimal(MemoryMarshal.Cast<byte, int>(bytes), text, out length);
                break;
        }
        fields.WriteString(text[..length]);
        return true;
    }

    private static void FormatDate(long ticks, Span<byte> text, out int length)
    {
        if (ticks < 0 || ticks > DateTime.MaxValue.Ticks - DateTime.FromFileTimeUtc(0).Ticks)
            ticks.TryFormat(text, out length, provider: CultureInfo.InvariantCulture);
        else
            DateTime.FromFileTimeUtc(ticks).TryFormat(text, out length, "yyyy-MM-ddTHH:mm:ss.fffffffZ", CultureInfo.InvariantCulture);
    }

    /// <summary>In memory a decimal is flags (sign, scale), then the high, low and middle 32 bits.</summary>
    private static void FormatDecimal(ReadOnlySpan<int> parts, Span<byte> text, out int length)
    {
        int scale = parts[0] >> 16 & 0xff;
        var value = new decimal(parts[2], parts[3], parts[1], parts[0] < 0, (byte)Math.Min(scale, 28));
        value.TryFormat(text, out length, provider: CultureInfo.InvariantCulture);
    }

    private static bool TryWriteText8(ReadOnlySpan<byte> payload, ref int at, BitWriter fields)
    {
        int length = payload[at..].IndexOf((byte)0);
        if (length < 0)
            return false;
        WriteLatin(payload.Slice(at, length), fields);
        at += length + 1;
        return true;
    }

    private bool TryWriteText16(ReadOnlySpan<byte> payload, ref int at, BitWriter fields)
    {
        var units = MemoryMarshal.Cast<byte, char>(payload[at..]);
        int length = units.IndexOf('\0');
        if (length < 0)
            return false;
        WriteText16(units[..length], fields);
        at += (length + 1) * 2;
        return true;
    }

    private static bool TryWriteVariable(bool isSigned, ReadOnlySpan<byte> payload, ref int at, BitWriter fields)
    {
        ulong value = 0;
        for (int shift = 0; shift < 70 && at < payload.Length; shift += 7)
        {
            byte part = payload[at++];
            value |= (ulong)(part & 0x7f) << shift;
            if (part >= 0x80)
                continue;
            fields.Write(isSigned ? (value >> 1) ^ (0 - (value & 1)) : value, 64);
            return true;
        }
        return false;
    }

    private bool TryWriteArray(in NettraceStep step, ReadOnlySpan<byte> head, ReadOnlySpan<byte> payload, ref int at, ref int elementsLeft, BitWriter fields)
    {
        ulong count = step.Action switch
        {
            NettraceAction.FixedArray => (ulong)step.Slot,
            NettraceAction.CountedArray => _counts[step.Slot],
            _ => BinaryPrimitives.ReadUInt16LittleEndian(head),
        };
        if (step.Action is NettraceAction.TextArray8 or NettraceAction.TextArray16)
            return TryWriteUnits(step.Action == NettraceAction.TextArray16, count, payload, ref at, fields);
        if (step.Action is NettraceAction.RelativeLocation or NettraceAction.DataLocation)
            return TryWriteElsewhere(in step, head, payload, at, ref elementsLeft, fields);
        if (step.Action == NettraceAction.Array)
            fields.Write(count, 16);
        return TryWriteElements(step.Inner!, count, payload, ref at, ref elementsLeft, fields);
    }

    private bool TryWriteElements(NettraceStep[] element, ulong count, ReadOnlySpan<byte> payload, ref int at, ref int elementsLeft, BitWriter fields)
    {
        if (count > (ulong)elementsLeft)
            return false;
        for (; count > 0; count--)
        {
            if (--elementsLeft < 0 || !TryWrite(element, payload, ref at, ref elementsLeft, fields))
                return false;
        }
        return true;
    }

    private bool TryWriteElsewhere(in NettraceStep step, ReadOnlySpan<byte> head, ReadOnlySpan<byte> payload, int behind, ref int elementsLeft, BitWriter fields)
    {
        int start = BinaryPrimitives.ReadUInt16LittleEndian(head) + (step.Action == NettraceAction.RelativeLocation ? behind : 0);
        int length = BinaryPrimitives.ReadUInt16LittleEndian(head[2..]);
        if (start + length > payload.Length)
            return false;
        var bytes = payload[..(start + length)];
        if (step.Inner is null)
            return TryWriteUnits(step.Slot == 2, (ulong)(length / step.Slot), bytes, ref start, fields);
        long lengthBits = fields.PositionBits;
        fields.Write(0, 16);
        int count = 0;
        while (start < bytes.Length)
        {
            int before = start;
            if (--elementsLeft < 0 || !TryWrite(step.Inner, bytes, ref start, ref elementsLeft, fields) || start == before)
                return false;
            count++;
        }
        fields.Overwrite(lengthBits, (ulong)count, 16);
        return true;
    }

    private bool TryWriteUnits(bool isWide, ulong count, ReadOnlySpan<byte> payload, ref int at, BitWriter fields)
    {
        ulong length = isWide ? count * 2 : count;
        if (length > (ulong)(payload.Length - at))
            return false;
        var bytes = payload.Slice(at, (int)length);
        at += (int)length;
        if (isWide)
            WriteText16(MemoryMarshal.Cast<byte, char>(bytes), fields);
        else
            fields.WriteString(bytes);
        return true;
    }

    private void WriteText16(ReadOnlySpan<char> text, BitWriter fields)
    {
        if (_text.Length < text.Length * 3)
            _text = new byte[text.Length * 3];
        Utf8.FromUtf16(text, _text, out _, out int length);
        fields.WriteString(_text.AsSpan(0, length));
    }

    /// <summary>Text of one byte a character; what is no ASCII is taken as it is, mostly UTF-8.</summary>
    private static void WriteLatin(ReadOnlySpan<byte> text, BitWriter fields) => fields.WriteString(text);
}
