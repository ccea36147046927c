using Weir.Ctf;
using Weir.Graph;
using Xunit;

namespace Weir.Tests.Graph.Ftrace;

public class FormatParserTests
{
    private const string Head = "name: test\nID: 7\nformat:\n\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n";

    [Theory]
    [InlineData("int x;\toffset:8;\tsize:4;\tsigned:1;", "x", "int", FtraceFieldPlace.Fixed, false, 4, true)]
    [InlineData("unsigned long x[3];\toffset:8;\tsize:24;\tsigned:0;", "x", "unsigned long", FtraceFieldPlace.Fixed, true, 8, false)]
    [InlineData("char comm[16];\toffset:8;\tsize:16;\tsigned:0;", "comm", "char", FtraceFieldPlace.Fixed, true, 1, false)]
    [InlineData("char comm[TASK_COMM_LEN];\toffset:8;\tsize:16;\tsigned:1;", "comm", "char", FtraceFieldPlace.Fixed, true, 1, true)]
    [InlineData("u32 x[N];\toffset:8;\tsize:16;\tsigned:0;", "x", "u32", FtraceFieldPlace.Fixed, true, 4, false)]
    [InlineData("const char * name;\toffset:8;\tsize:8;\tsigned:0;", "name", "const char *", FtraceFieldPlace.Fixed, false, 8, false)]
    [InlineData("__data_loc char[] name;\toffset:8;\tsize:4;\tsigned:0;", "name", "char", FtraceFieldPlace.DataLocation, true, 1, false)]
    [InlineData("__rel_loc unsigned long[] list;\toffset:8;\tsize:4;\tsigned:0;", "list", "unsigned long", FtraceFieldPlace.RelativeLocation, true, 8, false)]
    [InlineData("unsigned long caller[];\toffset:16;\tsize:0;\tsigned:0;", "caller", "unsigned long", FtraceFieldPlace.Tail, true, 8, false)]
    [InlineData("enum hrtimer_mode mode;\toffset:40;\tsize:4;", "mode", "enum hrtimer_mode", FtraceFieldPlace.Fixed, false, 4, false)]
    public void A_declaration_says_where_a_field_lies_and_what_it_is(
        string declaration, string name, string type, FtraceFieldPlace place, bool isArray, int elementBytes, bool isSigned)
    {
        var format = FormatParser.Parse($"{Head}\tfield:{declaration}\n", 8);
        var field = Assert.Single(format.Fields);
        Assert.Equal((name, type, place, isArray, elementBytes, isSigned), (field.Name, field.Type, field.Place, field.IsArray, field.ElementBytes, field.IsSigned));
        Assert.Equal(["common_type", "common_pid"], format.SharedFields.Select(shared => shared.Name));
        Assert.Equal(("test", 7), (format.Name, format.Id));
    }

    [Fact]
    public void A_32_bit_kernels_long_has_4_bytes()
    {
        var format = FormatParser.Parse($"{Head}\tfield:__data_loc unsigned long[] list;\toffset:8;\tsize:4;\tsigned:0;\n", 4);
        Assert.Equal(4, format.Fields[0].ElementBytes);
    }

    [Fact]
    public void The_print_format_tells_bases_digits_and_labels()
    {
        string fields = string.Concat("a b c d e f".Split(' ').Select((name, i) => $"\tfield:int {name};\toffset:{8 + (4 * i)};\tsize:4;\tsigned:1;\n"));
        var format = FormatParser.Parse($$"""
            {{Head}}{{fields}}
            print fmt: "a=%03d%% b=0x%08lx (%s, \"%s\") e=%d f=%*d", REC->a, ((unsigned long)(REC->b)), __print_symbolic(REC->c, { 0, "ZERO" }, { (1 << 4), "a, \"b\"" }, { 0xffU, "FF" }, { NAME, "?" }), (REC->d & 3) ? __print_flags(REC->d & 3, "|", { 1, "X" }) : "none", REC->e + 1, 5, REC->f
            """, 8);
        Assert.Equal(3, format.Fields[0].MinimumDigits);
        Assert.True(format.Fields[1].IsHexadecimal);
        Assert.Equal([new(0, "ZERO"), new(16, "a, \"b\""), new(255, "FF")], format.Fields[2].Symbols!);
        Assert.Null(format.Fields[3].Flags);
        Assert.False(format.Fields[4].IsHexadecimal || format.Fields[5].IsHexadecimal);
    }

    [Fact]
    public void Flags_are_labels_of_bits()
    {
        var format = FormatParser.Parse(Head + "\tfield:u32 f;\toffset:8;\tsize:4;\tsigned:0;\nprint fmt: \"%s\", __print_flags(REC->f, \"|\", { 1, \"A\" }, { 2, \"B\" })", 8);
        Assert.Equal([new(1, "A"), new(2, "B")], format.Fields[0].Flags!);
        Assert.Null(format.Fields[0].Symbols);
    }

    [Theory]
    [InlineData("", "name:")]
    [InlineData("name: x\n", "ID:")]
    [InlineData("name: x\nID: many\n", "'many' is no ID")]
    [InlineData(Head + "\tfield:int x;\toffset:8;\tsigned:1;\n", "line 7")]
    [InlineData(Head + "\tfield:int;\toffset:8;\tsize:4;\n", "declares no field")]
    [InlineData(Head + "\tfield:__data_loc char[] x;\toffset:8;\tsize:8;\n", "declares no field")]
    public void What_is_no_format_is_refused_with_its_line(string text, string reason) =>
        Assert.Contains(reason, Assert.Throws<CtfException>(() => FormatParser.Parse(text, 8)).Message, StringComparison.Ordinal);

    [Fact]
    public void Changed_text_gives_a_format_or_an_error_and_nothing_else()
    {
        int seed = Environment.TickCount;
        var random = new Random(seed);
        string good = Head + "\tfield:__data_loc char[] name;\toffset:8;\tsize:4;\tsigned:0;\n\tfield:int x[2];\toffset:12;\tsize:8;\tsigned:1;\nprint fmt: \"%s %03d\", __print_symbolic(REC->x, { 1, \"A\" }), REC->x";
        for (int i = 0; i < 5000; i++)
        {
            char[] text = good.ToCharArray();
            for (int changes = random.Next(1, 6); changes > 0; changes--)
                text[random.Next(text.Length)] = "\"'(){}[],;:\\%x0 9\n-<"[random.Next(20)];
            try
            {
                FtraceRecordClass.Create(FormatParser.Parse(new string(text)[..random.Next(text.Length + 1)], 8), ByteOrder.LittleEndian, true);
            }
            catch (CtfException)
            {
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}, change {i}: {e}");
            }
        }
    }
}
