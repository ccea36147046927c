using System.Buffers;
using System.Text;

namespace Weir.Ctf;

/// <summary>
/// Writes records that were read from one trace by other classes than those that they were read with: walks the fields and writes each
/// as an <see cref="EncodeProgram"/> says. Not thread-safe.
/// </summary>
/// <param name="trace">The programs of the trace that the records are read from.</param>
public sealed unsafe class RecordEncoder(TraceDecoder trace)
{
    private readonly FieldWalker _walker = new(trace);

    /// <summary>Writes an event's common context, specific context and payload.</summary>
    /// <param name="program">How; made of the fields of the event's class.</param>
    /// <param name="record">The event.</param>
    /// <param name="packet">Where its packet's first byte lies, or would lie.</param>
    /// <param name="slots">Values that the fields need from outside, or null.</param>
    /// <param name="output">Takes the fields, from its position on.</param>
    /// <param name="afterRoot">
    /// Called behind the last member of each root structure that the event has, with its number (0 common context, 1 specific context,
    /// 2 payload); may write more members to the output. Null for none.
    /// </param>
    public DecodeStatus EncodeEvent(
        EncodeProgram program, in EventRecord record, byte* packet, ulong[]? slots, BitWriter output, Action<int>? afterRoot = null)
    {
        ArgumentNullException.ThrowIfNull(program);
        ArgumentNullException.ThrowIfNull(output);
        var visitor = new Visitor(program, output, _walker.Slots, afterRoot);
        return _walker.WalkEvent(in record, packet, slots, ref visitor);
    }

    /// <summary>Writes a packet's context.</summary>
    /// <param name="program">How; made of the context's class.</param>
    /// <param name="stream">The packet's data stream class.</param>
    /// <param name="headerAndContext">The packet's header and context.</param>
    /// <param name="output">Takes the fields, from its position on.</param>
    /// <param name="properties">What the context says about the packet.</param>
    public DecodeStatus EncodeContext(
        EncodeProgram program, StreamDecoder stream, ReadOnlySpan<byte> headerAndContext, BitWriter output, out PacketProperties properties)
    {
        ArgumentNullException.ThrowIfNull(program);
        ArgumentNullException.ThrowIfNull(output);
        var visitor = new Visitor(program, output, _walker.Slots, null);
        _walker.ForgetPacket();
        DecodeStatus status;
        fixed (byte* bytes = headerAndContext)
            status = _walker.WalkContext(stream, bytes, (long)headerAndContext.Length * 8, ref visitor);
        properties = _walker.Properties;
        return status;
    }

    private readonly struct Visitor(EncodeProgram program, BitWriter output, ulong[] slots, Action<int>? afterRoot) : IFieldVisitor
    {
        private readonly EncodeStep[] _steps = program.Steps;

        public void Integer(int step, ulong value)
        {
            ref readonly var how = ref Begin(step);
            if (how.Kind == EncodeStepKind.Integer)
                output.Write(value, how.SizeBits, how.IsBigEndian);
            else if (how.Kind == EncodeStepKind.VariableInteger)
                WriteVariable(value, how.IsSigned);
        }

        public void Real(int step, double value)
        {
            ref readonly var how = ref Begin(step);
            if (how.Kind != EncodeStepKind.Real)
                return;
            ulong bits = how.SizeBits == 32 ? BitConverter.SingleToUInt32Bits((float)value) : BitConverter.DoubleToUInt64Bits(value);
            output.Write(bits, how.SizeBits, how.IsBigEndian);
        }

        public void Text(int step, byte* text, int lengthBytes)
        {
            ref readonly var how = ref Begin(step);
            var utf8 = new ReadOnlySpan<byte>(text, lengthBytes);
            if (how.Encoding == TextEncoding.Utf8)
                WriteText(in how, utf8);
            else
                WriteConverted(in how, utf8);
        }

        public void BeginStructure(int step) => Begin(step);

        public void EndStructure(int step)
        {
            if (afterRoot is not null && program.RootOfStep.TryGetValue(step, out int root))
                afterRoot(root);
        }

        public void BeginArray(int step, ulong length)
        {
            ref readonly var how = ref Lead(step);
            if (how.CompanionBits > 0)
                WriteCompanion(in how, length);
            if (how.Kind != EncodeStepKind.Nothing)
                output.Align(how.AlignmentMask + 1);
        }

        public void Element(int step, ulong index)
        {
        }

        public void EndArray(int step)
        {
        }

        public void BeginVariant(int step) => Begin(step);

        public void EndVariant(int step)
        {
        }

        public void Blob(int step, byte* bytes, long lengthBytes)
        {
            ref readonly var how = ref Lead(step);
            if (how.CompanionBits > 0)
                WriteCompanion(in how, (ulong)lengthBytes);
            if (how.Kind == EncodeStepKind.Blob)
                output.WriteBytes(new ReadOnlySpan<byte>(bytes, (int)lengthBytes));
        }

        public void BeginOptional(int step, bool isPresent)
        {
            ref readonly var how = ref Lead(step);
            if (how.CompanionBits > 0)
                WriteCompanion(in how, isPresent ? 1UL : 0);
        }

        public void EndOptional(int step)
        {
        }

        /// <summary>Writes what stands before a field that has no companion, and goes on to its alignment.</summary>
        private ref readonly EncodeStep Begin(int step)
        {
            ref readonly var how = ref Lead(step);
            if (how.Kind is not (EncodeStepKind.Nothing or EncodeStepKind.Wrapper) && how.CompanionBits == 0)
                output.Align(how.AlignmentMask + 1);
            return ref how;
        }

        private ref readonly EncodeStep Lead(int step)
        {
            ref readonly var how = ref _steps[step];
            if (how.SelectorBits > 0)
            {
                output.Align(8);
                output.Write(how.OptionNumber, how.SelectorBits);
            }
            if (how.LeadMask > 0)
                output.Align(how.LeadMask + 1);
            return ref how;
        }

        private void WriteCompanion(in EncodeStep how, ulong value)
        {
            output.Align(8);
            output.Write(value, how.CompanionBits);
        }

        private void WriteText(in EncodeStep how, ReadOnlySpan<byte> text)
        {
            if (how.Kind == EncodeStepKind.String)
            {
                output.WriteBytes(text);
                output.Write(0, 8 * UnitBytes(how.Encoding));
                return;
            }
            if (how.Kind != EncodeStepKind.Text)
                return;
            ulong length = how.LengthSlot >= 0 ? slots[how.LengthSlot] : how.LengthBytes;
            if (how.CompanionBits > 0)
            {
                length = (ulong)text.Length;
                WriteCompanion(in how, length);
            }
            output.WriteBytes(length < (ulong)text.Length ? text[..(int)length] : text);
            if (length > (ulong)text.Length)
                output.WriteZeros((long)(length - (ulong)text.Length));
        }

        private void WriteConverted(in EncodeStep how, ReadOnlySpan<byte> utf8)
        {
            // A code unit of UTF-16 takes at least one byte of UTF-8, and one of UTF-32 too.
            char[] characters = ArrayPool<char>.Shared.Rent(utf8.Length);
            byte[] converted = ArrayPool<byte>.Shared.Rent((utf8.Length * 4) + 4);
            int count = Encoding.UTF8.GetChars(utf8, characters);
            int length = EncodingOf(how.Encoding).GetBytes(characters.AsSpan(0, count), converted);
            WriteText(in how, converted.AsSpan(0, length));
            ArrayPool<char>.Shared.Return(characters);
            ArrayPool<byte>.Shared.Return(converted);
        }

        private void WriteVariable(ulong value, bool isSigned)
        {
            output.Align(8);
            while (true)
            {
                ulong low = value & 0x7F;
                value = isSigned ? (ulong)((long)value >> 7) : value >> 7;
                bool isLast = isSigned ? value == ((low & 0x40) == 0 ? 0 : ulong.MaxValue) : value == 0;
                output.Write(isLast ? low : low | 0x80, 8);
                if (isLast)
                    return;
            }
        }

        private static int UnitBytes(TextEncoding encoding) => encoding switch
        {
            TextEncoding.Utf8 => 1,
            TextEncoding.Utf16BigEndian or TextEncoding.Utf16LittleEndian => 2,
            _ => 4,
        };

        private static Encoding EncodingOf(TextEncoding encoding) => encoding switch
        {
            TextEncoding.Utf16BigEndian => Encoding.BigEndianUnicode,
            TextEncoding.Utf16LittleEndian => Encoding.Unicode,
            TextEncoding.Utf32BigEndian => s_utf32BigEndian,
            TextEncoding.Utf32LittleEndian => Encoding.UTF32,
            _ => Encoding.UTF8,
        };
    }

    private static readonly UTF32Encoding s_utf32BigEndian = new(bigEndian: true, byteOrderMark: false);
}
