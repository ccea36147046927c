using System.Buffers.Binary;
using System.Globalization;
using System.Reflection;
using System.Text;
using CsCheck;
using Weir.Tracing;
using Xunit;

namespace Weir.Tests.Tracing;

/// <summary>The staged bytes are those of the trace: little-endian, without padding.</summary>
public class RecordWriterTests
{
    private const int StagingBytes = 64 * 1024;

    private delegate void Write(ref RecordWriter record);

    [Fact]
    public void An_empty_record_has_no_bytes() => Assert.Empty(BytesOf((ref record) => { }));

    [Fact]
    public void Integers_take_their_size()
    {
        Assert.Equal("80", HexOf((ref record) => record.Write(sbyte.MinValue)));
        Assert.Equal("FEFF", HexOf((ref record) => record.Write((short)-2)));
        Assert.Equal("FEFFFFFF", HexOf((ref record) => record.Write(-2)));
        Assert.Equal("FEFFFFFFFFFFFFFF", HexOf((ref record) => record.Write(-2L)));
        Assert.Equal("FE", HexOf((ref record) => record.Write((byte)0xFE)));
        Assert.Equal("3412", HexOf((ref record) => record.Write((ushort)0x1234)));
        Assert.Equal("78563412", HexOf((ref record) => record.Write(0x12345678u)));
        Assert.Equal("EFCDAB8967452301", HexOf((ref record) => record.Write(0x0123456789ABCDEFul)));
        Assert.Equal("FEFFFFFFFFFFFFFF", HexOf((ref record) => record.Write((nint)(-2))));
        Assert.Equal("0200000000000000", HexOf((ref record) => record.Write((nuint)2)));
    }

    [Fact]
    public void Other_fixed_sizes()
    {
        Assert.Equal("01", HexOf((ref record) => record.Write(true)));
        Assert.Equal("00", HexOf((ref record) => record.Write(false)));
        Assert.Equal("0000C03F", HexOf((ref record) => record.Write(1.5f)));
        Assert.Equal("000000000000F8BF", HexOf((ref record) => record.Write(-1.5)));
        Assert.Equal(BitConverter.GetBytes(1_500_000_000L), BytesOf((ref record) => record.Write(TimeSpan.FromSeconds(1.5))));
        Assert.Equal(BitConverter.GetBytes(-100L), BytesOf((ref record) => record.Write(new TimeSpan(-1))));
    }

    [Fact]
    public void A_duration_beyond_the_range_stays_at_its_end()
    {
        Assert.Equal(long.MaxValue / 100 * 100, BinaryPrimitives.ReadInt64LittleEndian(BytesOf((ref record) => record.Write(TimeSpan.MaxValue))));
        Assert.Equal(long.MinValue / 100 * 100, BinaryPrimitives.ReadInt64LittleEndian(BytesOf((ref record) => record.Write(TimeSpan.MinValue))));
    }

    [Fact]
    public void Formatted_values_are_invariant_text()
    {
        var guid = Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950e");
        Assert.Equal("0f8fad5b-d9cb-469f-a165-70867728950e", TextOf((ref record) => record.Write(guid)));
        Assert.Equal("-1234.50", TextOf((ref record) => record.Write(-1234.50m)));
        Assert.Equal(decimal.MinValue.ToString(CultureInfo.InvariantCulture), TextOf((ref record) => record.Write(decimal.MinValue)));
        Assert.Equal("-0.0000000000000000000000000001", TextOf((ref record) => record.Write(-0.0000000000000000000000000001m)));
        Assert.Equal("2025-03-04T05:06:07.0000089Z", TextOf((ref record) => record.Write(new DateTime(2025, 3, 4, 5, 6, 7, DateTimeKind.Utc).AddTicks(89))));
        Assert.Equal("2025-03-04T05:06:07.0000000", TextOf((ref record) => record.Write(new DateTime(2025, 3, 4, 5, 6, 7))));
        var local = new DateTime(2025, 3, 4, 5, 6, 7, DateTimeKind.Local);
        Assert.Equal(local.ToString("O"), TextOf((ref record) => record.Write(local)));
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("TEA", "TEA")]
    [InlineData("CAFÉ", "CAFÉ")]
    [InlineData("日本語 текст", "日本語 текст")]
    [InlineData("a😀b", "a😀b")]
    [InlineData("\0", "\uFFFD")]
    [InlineData("a\0\0b", "a\uFFFD\uFFFDb")]
    [InlineData("é\0", "é\uFFFD")]
    public void Text_is_utf8_with_a_final_zero(string text, string kept)
    {
        byte[] expected = [.. Encoding.UTF8.GetBytes(kept), 0];
        Assert.Equal(expected, BytesOf((ref record) => record.Write(text)));
        Assert.Equal(expected, BytesOf((ref record) => record.Write(text.AsSpan())));
        Assert.Equal(expected, BytesOf((ref record) => record.Write((ReadOnlySpan<char>)text.ToCharArray())));
        if (text.Length == 1)
            Assert.Equal(expected, BytesOf((ref record) => record.Write(text[0])));
    }

    /// <summary>Not among the cases above, because an attribute cannot hold half a surrogate pair.</summary>
    [Fact]
    public void A_lone_surrogate_becomes_the_replacement_character()
    {
        Assert.Equal("\uFFFD", TextOf((ref record) => record.Write('\uD83D')));
        Assert.Equal("\uFFFD", TextOf((ref record) => record.Write("\uD83D")));
        Assert.Equal("a\uFFFDb", TextOf((ref record) => record.Write("a\uDE00b")));
        Assert.Equal("\uFFFD\uFFFD\uFFFD", TextOf((ref record) => record.Write("\uD83D\0\uDE00")));
        Assert.Equal(new string('\uFFFD', 1365), TextOf((ref record) => record.Write(new string('\uD83D', 1366))));
    }

    [Fact]
    public void No_string_is_the_text_null_and_no_array_is_empty()
    {
        Assert.Equal("(null)", TextOf((ref record) => record.Write((string?)null)));
        Assert.Equal("", TextOf((ref record) => record.Write((ReadOnlySpan<char>)(char[]?)null)));
        Assert.Equal("00000000", HexOf((ref record) => record.WriteSequence((ReadOnlySpan<int>)(int[]?)null)));
    }

    [Theory]
    [InlineData("x", 4096, 4096)]
    [InlineData("x", 4097, 4096)]
    [InlineData("x", 100_000, 4096)]
    [InlineData("é", 2048, 4096)]
    [InlineData("é", 2049, 4096)]
    [InlineData("€", 1365, 4095)]
    [InlineData("€", 1366, 4095)]
    [InlineData("😀", 1024, 4096)]
    [InlineData("😀", 1025, 4096)]
    [InlineData("\0", 1366, 4095)]
    public void Text_is_cut_at_a_character(string unit, int count, int keptBytes)
    {
        string text = string.Concat(Enumerable.Repeat(unit, count));
        byte[] whole = Encoding.UTF8.GetBytes(text.Replace('\0', '\uFFFD'));
        byte[] expected = [.. whole.AsSpan(0, keptBytes), 0];
        Assert.Equal(expected, BytesOf((ref record) =>
        {
            record.Write(text);
            Assert.Equal(keptBytes < whole.Length ? 1 : 0, record.FieldsCut);
        }));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Text_is_cut_before_a_character_that_does_not_fit(int asciiBefore)
    {
        string text = new string('x', RecordWriter.MaxStringBytes - asciiBefore) + "😀";
        byte[] expected = [.. Encoding.ASCII.GetBytes(new string('x', RecordWriter.MaxStringBytes - asciiBefore)), 0];
        Assert.Equal(expected, BytesOf((ref record) => record.Write(text)));
    }

    [Fact]
    public void Sequences_are_a_count_and_their_elements()
    {
        Assert.Equal("03000000FF0001", HexOf((ref record) => record.WriteSequence<sbyte>([-1, 0, 1])));
        Assert.Equal("010000003412", HexOf((ref record) => record.WriteSequence<ushort>([0x1234])));
        Assert.Equal("02000000FFFFFFFF02000000", HexOf((ref record) => record.WriteSequence<int>([-1, 2])));
        Assert.Equal("01000000FEFFFFFFFFFFFFFF", HexOf((ref record) => record.WriteSequence<long>([-2])));
        Assert.Equal("010000000000C03F", HexOf((ref record) => record.WriteSequence<float>([1.5f])));
        Assert.Equal("01000000000000000000F83F", HexOf((ref record) => record.WriteSequence<double>([1.5])));
        Assert.Equal("020000000100", HexOf((ref record) => record.WriteSequence<bool>([true, false])));
    }

    [Fact]
    public void Sequences_are_cut_at_an_element()
    {
        AssertSequenceKeeps<byte>(RecordWriter.MaxSequenceBytes, RecordWriter.MaxSequenceBytes);
        AssertSequenceKeeps<byte>(RecordWriter.MaxSequenceBytes + 1, RecordWriter.MaxSequenceBytes);
        AssertSequenceKeeps<long>(RecordWriter.MaxSequenceBytes / 8, RecordWriter.MaxSequenceBytes / 8);
        AssertSequenceKeeps<long>(100_000, RecordWriter.MaxSequenceBytes / 8);
    }

    /// <summary>The offset of the area's room is odd here, so that the last element would not fit whole.</summary>
    [Fact]
    public void A_sequence_at_the_end_of_the_room_is_cut_at_an_element()
    {
        byte[] bytes = BytesOf((ref record) =>
        {
            record.Write((byte)1);
            for (int i = 0; i < 10; i++)
                record.WriteSequence<long>(new long[2000]);
        });
        int at = 1;
        for (int i = 0; i < 10; i++)
            at += 4 + (8 * (int)BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at)));
        Assert.Equal(bytes.Length, at);
    }

    [Fact]
    public void The_worst_of_each_kind_stays_in_the_staging_area()
    {
        string text = new('x', 5000), wide = new('€', 5000);
        byte[] sequence = new byte[10_000];
        Write[] kinds =
        [
            (ref record) => record.Write(text),
            (ref record) => record.Write(wide),
            (ref record) => record.WriteSequence<byte>(sequence),
            (ref record) => record.Write(decimal.MinValue),
            (ref record) => record.Write(Guid.Empty),
            (ref record) => record.Write(DateTime.MaxValue),
            (ref record) => record.Write(long.MaxValue),
        ];
        foreach (var first in kinds)
        {
            foreach (var second in kinds)
            {
                foreach (int firstCount in new[] { 1, 14, 32, 63, 64 })
                    AssertStays(i => i < firstCount ? first : second);
            }
        }

        static void AssertStays(Func<int, Write> kind)
        {
            byte[] bytes = BytesOf((ref record) =>
            {
                for (int i = 0; i < RecordWriter.MaxFields; i++)
                    kind(i)(ref record);
            });
            Assert.InRange(bytes.Length, 1, StagingBytes);
        }
    }

    /// <summary>Whatever is written, each field reads back as a prefix of what went in, and the record ends where the last one does.</summary>
    [Fact]
    public void Random_records_read_back()
    {
        var text = Gen.String[Gen.Char["ab\0é€\uD83D\uDE00"], 0, 6000];
        var field = Gen.OneOf(text.Select(t => (object)t), Gen.Long[0, 3000].Array[0, 1500].Select(a => (object)a), Gen.Decimal.Select(d => (object)d));
        field.Array[0, RecordWriter.MaxFields].Sample(
            fields =>
            {
                byte[] bytes = BytesOf((ref record) =>
                {
                    foreach (object value in fields)
                    {
                        if (value is string s)
                            record.Write(s);
                        else if (value is long[] numbers)
                            record.WriteSequence<long>(numbers);
                        else
                            record.Write((decimal)value);
                    }
                });
                var rest = bytes.AsSpan();
                foreach (object value in fields)
                {
                    if (value is long[] numbers)
                    {
                        int count = (int)BinaryPrimitives.ReadUInt32LittleEndian(rest);
                        if (!System.Runtime.InteropServices.MemoryMarshal.Cast<byte, long>(rest.Slice(4, count * 8)).SequenceEqual(numbers.AsSpan(0, count)))
                            return false;
                        rest = rest[(4 + (count * 8))..];
                        continue;
                    }
                    string whole = value as string ?? ((decimal)value).ToString(CultureInfo.InvariantCulture);
                    int end = rest.IndexOf((byte)0);
                    if (!Encoding.UTF8.GetBytes(whole.Replace('\0', '\uFFFD')).AsSpan().StartsWith(rest[..end])
                        || !System.Text.Unicode.Utf8.IsValid(rest[..end]))
                        return false;
                    rest = rest[(end + 1)..];
                }
                return rest.IsEmpty && bytes.Length <= StagingBytes;
            },
            iter: 500);
    }

    [Fact]
    public void Nothing_is_allocated_after_the_first_record()
    {
        string ascii = "TEA-GREEN", wide = "CAFÉ\0", cut = new('€', 5000);
        int[] numbers = [1, 2, 3];
        var local = new DateTime(2025, 3, 4, 5, 6, 7, DateTimeKind.Local);
        var guid = Guid.NewGuid();
        for (int i = 0; i < 100; i++)
            WriteAll();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
            WriteAll();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void WriteAll()
        {
            var record = RecordWriter.Begin();
            record.Write(1L);
            record.Write(1.5);
            record.Write(true);
            record.Write('é');
            record.Write(12.5m);
            record.Write(guid);
            record.Write(local);
            record.Write(TimeSpan.MaxValue);
            record.Write(ascii);
            record.Write(wide);
            record.Write(cut);
            record.Write((string?)null);
            record.WriteSequence<int>(numbers);
        }
    }

    [Fact]
    public void The_staging_area_of_an_ended_thread_is_collected()
    {
        WeakReference? area = null;
        var thread = new Thread(() =>
        {
            RecordWriter.Begin();
            var owner = typeof(RecordWriter).GetField("t_owner", BindingFlags.Static | BindingFlags.NonPublic)!;
            area = new WeakReference(owner.GetValue(null));
        });
        thread.Start();
        thread.Join();
        Assert.NotNull(area);
        for (int i = 0; i < 100 && area.IsAlive; i++)
        {
            GC.Collect();
            Thread.Sleep(10);
        }
        Assert.False(area.IsAlive);
    }

    [Fact]
    public void Two_threads_stage_apart()
    {
        using var written = new Barrier(2);
        var results = new byte[2][];
        var threads = Enumerable.Range(0, 2).Select(n => new Thread(() => results[n] = BytesOf((ref record) =>
        {
            record.Write(n);
            written.SignalAndWait();
        }))).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        Assert.Equal([0, 0, 0, 0], results[0]);
        Assert.Equal([1, 0, 0, 0], results[1]);
    }

    private static void AssertSequenceKeeps<T>(int count, int kept)
        where T : unmanaged
    {
        byte[] bytes = BytesOf((ref record) =>
        {
            record.WriteSequence<T>(new T[count]);
            Assert.Equal(kept < count ? 1 : 0, record.FieldsCut);
        });
        Assert.Equal((uint)kept, BinaryPrimitives.ReadUInt32LittleEndian(bytes));
        Assert.Equal(4 + (kept * System.Runtime.CompilerServices.Unsafe.SizeOf<T>()), bytes.Length);
    }

    private static unsafe byte[] BytesOf(Write write)
    {
        var record = RecordWriter.Begin();
        write(ref record);
        return new ReadOnlySpan<byte>(record.Payload, record.PayloadBytes).ToArray();
    }

    private static string HexOf(Write write) => Convert.ToHexString(BytesOf(write));

    private static string TextOf(Write write)
    {
        byte[] bytes = BytesOf(write);
        Assert.Equal(bytes.Length - 1, Array.IndexOf(bytes, (byte)0));
        return Encoding.UTF8.GetString(bytes.AsSpan(0, bytes.Length - 1));
    }
}
