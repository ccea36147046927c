using Weir.Graph;
using Weir.Kernel;
using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Kernel;

public sealed class UsdtRecordingTests
{
    [Fact]
    public void Probes_have_their_arguments_and_count_who_traces_them()
    {
        using var place = new Place();
        string program = ProbedProgram.Compile(place);
        Assert.Contains("semaphore 0", place.Run([program]).Output);
        var result = place.Record("-o", "trace", "-k", "usdt:./probed:we*:*", "--", program);
        Assert.True(result.Status == 0, result.Error);
        Assert.Contains("semaphore 1", result.Output);
        Assert.Contains("cannot fetch the argument '8f@%xmm0'", result.Error);
        string[] lines = ProbedProgram.Lines(place);
        Assert.Equal(10, lines.Length);
        for (int i = 0; i < 10; i++)
        {
            Assert.Contains(" weir:fired: ", lines[i]);
            Assert.Matches($"arg1 = {i}, arg2 = {-i}, arg3 = [0-9]+, arg4 = 5", lines[i]);
        }
        if (System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.X64)
            Assert.All(lines, line => Assert.EndsWith("arg5 = 41 }", line, StringComparison.Ordinal));
        ProbedProgram.AssertNothingLeft(place);
    }

    [Fact]
    public void Arguments_have_the_names_and_types_that_a_rule_gives_them()
    {
        using var place = new Place();
        string program = ProbedProgram.Compile(place);
        var result = place.Record("-o", "trace", "-k", "usdt:./probed:weir:fired(id, _, text:string) as shot if id >= 8", "--", program);
        Assert.True(result.Status == 0, result.Error);
        string[] lines = ProbedProgram.Lines(place);
        Assert.Equal(2, lines.Length);
        Assert.Contains(" shot: ", lines[0]);
        Assert.EndsWith("id = 8, text = \"hello\" }", lines[0], StringComparison.Ordinal);
        result = place.Record("-o", "none", "-k", "usdt:./probed:weir:firet", "--", program);
        Assert.Equal(1, result.Status);
        Assert.Contains("the nearest are weir:fired", result.Error);
    }

    [Fact]
    public void Bad_files_are_refused_and_nothing_else()
    {
        using var place = new Place();
        string program = ProbedProgram.Compile(place);
        byte[] good = File.ReadAllBytes(program);
        var note = Assert.Single(Read(good));
        Assert.Equal(("weir", "fired"), (note.Provider, note.Name));
        int section = good.AsSpan().IndexOf("stapsdt\0"u8) - 12;
        var random = new Random(11);
        int refused = 0;
        for (int i = 0; i < 3000; i++)
        {
            byte[] bad = [.. good];
            // Half of the changes hit the notes, the others the headers of the file and of its sections.
            int place1 = (i % 4) switch { 0 or 1 => section + random.Next(120), 2 => random.Next(64 + (13 * 56)), _ => good.Length - 1 - random.Next(40 * 64) };
            bad[place1] = (byte)random.Next(256);
            if (i % 3 == 0)
                bad = bad[..random.Next(bad.Length)];
            try
            {
                Read(bad);
            }
            catch (BadElfException)
            {
                refused++;
            }
        }
        Assert.InRange(refused, 100, 2999);
    }

    private static List<StapsdtNote> Read(byte[] bytes)
    {
        using var file = new ElfFile(new MemoryStream(bytes));
        var notes = StapsdtNotes.Read(file).ToList();
        foreach (var note in notes)
            file.FindFileOffset(note.Address);
        file.ReadSymbols();
        return notes;
    }
}
