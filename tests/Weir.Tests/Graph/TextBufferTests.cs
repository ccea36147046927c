using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace Weir.Tests.Graph;

public class TextBufferTests
{
    [Fact]
    public void Reals_are_those_of_C()
    {
        var random = new Random(7);
        var values = new List<double> { 0, 1, -1, 0.1, 0.5, 2.5, 999_999, 999_999.5, 999_998.5, 100_000.5, 1e-4, 9.99999e-5, 123456.5, 1234565e-1, 0.00012345650000000001, 1e15, 1e300 };
        for (int i = 0; i < 3000; i++)
        {
            values.Add((random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-6, 18)));
            values.Add(random.Next(-2_000_000, 2_000_000) / Math.Pow(2, random.Next(12)));
            values.Add((random.Next(1_000_000) + 0.5) * Math.Pow(10, random.Next(-9, 11)));
        }
        string[] texts = [.. values.Select(value => value.ToString("R", CultureInfo.InvariantCulture))];
        string[] expected = Printf(texts);
        string[] shown = Show("floating_point { exp_dig = 11; mant_dig = 53; align = 8; }", [.. values.Select(BitConverter.DoubleToInt64Bits)]);
        for (int i = 0; i < values.Count; i++)
            Assert.True(expected[i] == shown[i], $"{texts[i]}: {expected[i]}, not {shown[i]}");
    }

    [Fact]
    public void Integers_of_every_length()
    {
        var values = new List<long> { 0, long.MinValue, long.MaxValue, -1 };
        for (long value = 1; value is > 0 and < 1_000_000_000_000_000_000; value *= 10)
            values.AddRange([value - 1, value, value + 1, value * 9 / 7, -value, 1 - value, value * 5]);
        Assert.Equal(values.Select(value => value.ToString(CultureInfo.InvariantCulture)), Show("integer { size = 64; align = 8; signed = true; }", values));
        Assert.Equal(values.Select(value => ((ulong)value).ToString(CultureInfo.InvariantCulture)), Show("integer { size = 64; align = 8; signed = false; }", values));
    }

    /// <summary>Converts events of one field of 64 bits.</summary>
    private static string[] Show(string field, List<long> values)
    {
        string directory = Directory.CreateTempSubdirectory("weir-ctf-").FullName;
        File.WriteAllText(
            Path.Combine(directory, "metadata"),
            $"/* CTF 1.8 */ trace {{ major = 1; minor = 8; byte_order = le; }}; stream {{ }}; event {{ name = e; fields := struct {{ {field} x; }}; }};");
        File.WriteAllBytes(Path.Combine(directory, "stream_0"), [.. values.SelectMany(BitConverter.GetBytes)]);
        string text = Conversion.Run(directory).Text;
        Directory.Delete(directory, recursive: true);
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split("x = ")[1].Split(' ')[0])];
    }

    private static string[] Printf(string[] values)
    {
        // awk has doubles and C's printf; a shell's own printf may have long doubles, which round elsewhere.
        var start = new ProcessStartInfo("awk") { ArgumentList = { "{ printf \"%g\\n\", $1 }" }, RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false };
        start.Environment["LC_ALL"] = "C";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        process.StandardInput.Write(string.Join('\n', values) + "\n");
        process.StandardInput.Close();
        return output.Result.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
