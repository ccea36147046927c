using System.Text;
using CsCheck;
using Weir.Graph;
using Xunit;

namespace Weir.Tests.Graph;

/// <summary>The program's text is that of <see cref="PrettyVisitor"/>, which is compared with babeltrace2's elsewhere.</summary>
public class PrintProgramTests
{
    private static readonly PrettyOptions[] s_options =
    [
        new() { ClockGmt = true },
        new() { ClockGmt = true, NamePayload = false },
        new() { ClockGmt = true, NameScope = true, NameHeader = true },
    ];

    [Fact]
    public void Random_events_have_the_text_of_their_fields_one_by_one()
    {
        Gen.Select(Gen.Int, Gen.Double[0.5, 1.1], Gen.Int[0, 2]).Sample((seed, cut, options) =>
        {
            var events = new RandomEvents(new Random(seed));
            string directory = events.Write(cut);
            string program = Conversion.Run(directory, pretty: With(s_options[options], isInterpreted: false)).ToString();
            string visitor = Conversion.Run(directory, pretty: With(s_options[options], isInterpreted: true)).ToString();
            Directory.Delete(directory, recursive: true);
            Assert.Equal(visitor, program);
        }, iter: 400);
    }

    [Fact]
    public void Long_texts_and_arrays_are_whole()
    {
        string directory = Directory.CreateTempSubdirectory("weir-ctf-").FullName;
        File.WriteAllText(Path.Combine(directory, "metadata"), RandomEvents.Metadata("integer { size = 32; } n; integer { size = 8; signed = true; } list[n]; string s;"));
        byte[] bytes = [0, 0, 0, 0, 0x40, 0x0d, 3, 0, .. Enumerable.Range(0, 200_000).Select(i => (byte)i), .. Enumerable.Repeat((byte)'"', 100_000), 0];
        File.WriteAllBytes(Path.Combine(directory, "stream"), bytes);
        string program = Conversion.Run(directory, pretty: With(s_options[0], isInterpreted: false)).Text;
        string visitor = Conversion.Run(directory, pretty: With(s_options[0], isInterpreted: true)).Text;
        Directory.Delete(directory, recursive: true);
        Assert.True(program.Length > 1_000_000);
        Assert.True(program == visitor);
    }

    [Theory]
    [InlineData("integer { size = 8; } a; string b; floating_point { exp_dig = 8; mant_dig = 24; align = 8; } c; integer { size = 16; } d[3]; integer { size = 8; } n; string e[n];", true)]
    [InlineData("struct { integer { size = 32; byte_order = be; } a; } s; enum : integer { size = 8; } { x } e;", true)]
    [InlineData("integer { size = 3; align = 1; } a;", false)]
    [InlineData("struct { } a;", false)]
    public void What_is_compiled(string fields, bool isCompiled)
    {
        string directory = Directory.CreateTempSubdirectory("weir-ctf-").FullName;
        File.WriteAllText(Path.Combine(directory, "metadata"), RandomEvents.Metadata($"integer {{ size = 8; }} first; {fields}"));
        File.WriteAllBytes(Path.Combine(directory, "stream"), new byte[64]);
        using (var source = CtfFsSource.Open([directory], new CtfFsOptions()))
        using (var iterator = source.CreateIterator(0))
        {
            var decoder = iterator.Next().Array!.First(message => message.Kind == MessageKind.Event).Record.Decoder;
            var colors = PrettyColors.Of(s_options[0]);
            var plan = PrettyPlan.Create(decoder.Fields, ["a", "b", "c"], [true, true, true], s_options[0], colors, isFirst: true);
            Assert.Equal(isCompiled, PrintProgram.TryCreate(decoder.Fields, plan, colors) is not null);
        }
        Directory.Delete(directory, recursive: true);
    }

    private static PrettyOptions With(PrettyOptions options, bool isInterpreted) => new()
    {
        ClockGmt = options.ClockGmt,
        NamePayload = options.NamePayload,
        NameScope = options.NameScope,
        NameHeader = options.NameHeader,
        IsInterpreted = isInterpreted,
    };

    /// <summary>A trace of one event class with random fields, and events of it.</summary>
    private sealed class RandomEvents(Random random)
    {
        private readonly StringBuilder _fields = new();
        private readonly List<Action<List<byte>>> _writers = [];
        private int _names;

        public static string Metadata(string fields) =>
            "/* CTF 1.8 */ trace { major = 1; minor = 8; byte_order = le; }; clock { name = c; freq = 1000000000; }; "
            + "stream { event.header := struct { integer { size = 32; align = 8; map = clock.c.value; } t; }; }; "
            + $"event {{ name = e; fields := struct {{ {fields} }}; }};";

        /// <summary>Writes up to thirty events, of which the file has a part where <paramref name="cut"/> is below 1.</summary>
        public string Write(double cut)
        {
            for (int i = random.Next(1, 8); i > 0; i--)
                AddField(depth: 0);
            var bytes = new List<byte>();
            for (int i = random.Next(30); i >= 0; i--)
            {
                // A header is aligned as its fields are: to bytes.
                bytes.AddRange(BitConverter.GetBytes(random.Next(10) == 0 ? (uint)random.NextInt64(1L << 32) : (uint)(bytes.Count * 100)));
                _writers.ForEach(write => write(bytes));
            }
            string directory = Directory.CreateTempSubdirectory("weir-ctf-").FullName;
            File.WriteAllText(Path.Combine(directory, "metadata"), Metadata(_fields.ToString()));
            File.WriteAllBytes(Path.Combine(directory, "stream"), [.. bytes.Take((int)(bytes.Count * cut))]);
            return directory;
        }

        private void AddField(int depth)
        {
            string name = $"f{_names++}";
            switch (random.Next(depth > 2 ? 7 : 9))
            {
                case 0 or 1:
                    _fields.Append($"{AddNumber(out var number)} {name}; ");
                    _writers.Add(number);
                    break;
                case 2:
                    _fields.Append($"string {name}; ");
                    _writers.Add(WriteText);
                    break;
                case 3:
                    bool isSingle = random.Next(2) == 0;
                    _fields.Append($"floating_point {{ exp_dig = {(isSingle ? 8 : 11)}; mant_dig = {(isSingle ? 24 : 53)}; align = 8; }} {name}; ");
                    _writers.Add(bytes => bytes.AddRange(isSingle ? BitConverter.GetBytes((float)NextReal()) : BitConverter.GetBytes(NextReal())));
                    break;
                case 4:
                    int count = random.Next(4);
                    _fields.Append($"{AddNumber(out number)} {name}[{count}]; ");
                    _writers.Add(bytes => Repeat(count, number, bytes));
                    break;
                case 5:
                    _fields.Append($"integer {{ size = 8; }} n{name}; {(random.Next(2) == 0 ? AddText(out var element) : AddNumber(out element))} {name}[n{name}]; ");
                    _writers.Add(bytes =>
                    {
                        int length = random.Next(40);
                        bytes.Add((byte)length);
                        Repeat(length, element, bytes);
                    });
                    break;
                case 6:
                    _fields.Append($"integer {{ size = 8; encoding = UTF8; }} {name}[6]; ");
                    _writers.Add(bytes => bytes.AddRange(Encoding.ASCII.GetBytes(random.Next(2) == 0 ? "abcdef" : "ab\0def")));
                    break;
                case 7:
                    _fields.Append("struct { ");
                    for (int i = random.Next(1, 4); i > 0; i--)
                        AddField(depth + 1);
                    _fields.Append($"}} {name}; ");
                    break;
                default:
                    _fields.Append($"enum : integer {{ size = 8; }} {{ A, B = 3 ... 70, C = 60 ... 90 }} {name}; ");
                    _writers.Add(bytes => bytes.Add((byte)random.Next(100)));
                    break;
            }
        }

        private string AddNumber(out Action<List<byte>> write)
        {
            int size = 8 << random.Next(4);
            string[] bases = ["dec", "dec", "dec", "hex", "oct", "bin"];
            write = bytes =>
            {
                var value = new byte[size / 8];
                if (random.Next(3) == 0)
                    value[random.Next(value.Length)] = (byte)random.Next(256);
                else
                    random.NextBytes(value);
                bytes.AddRange(value);
            };
            return $"integer {{ size = {size}; align = 8; signed = {(random.Next(2) == 0 ? "true" : "false")}; byte_order = {(random.Next(3) == 0 ? "be" : "le")}; base = {bases[random.Next(bases.Length)]}; }}";
        }

        private string AddText(out Action<List<byte>> write)
        {
            write = WriteText;
            return "string";
        }

        private void WriteText(List<byte> bytes)
        {
            for (int length = random.Next(50); length > 0; length--)
                bytes.Add((byte)(random.Next(5) == 0 ? random.Next(1, 256) : random.Next('a', 'z')));
            bytes.Add(0);
        }

        private double NextReal() => random.Next(4) switch
        {
            0 => random.Next(-2000, 2000) / 8.0,
            1 => (random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-8, 18)),
            2 => BitConverter.Int64BitsToDouble(random.NextInt64()),
            _ => random.Next(1_000_000) * Math.Pow(10, random.Next(-9, 12)),
        };

        private static void Repeat(int count, Action<List<byte>> write, List<byte> bytes)
        {
            for (int i = 0; i < count; i++)
                write(bytes);
        }
    }
}
