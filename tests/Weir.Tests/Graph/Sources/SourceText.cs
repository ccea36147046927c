using System.Text;
using Weir.Graph;
using Xunit;

namespace Weir.Tests.Graph.Sources;

/// <summary>What a source gives, as text.</summary>
internal static class SourceText
{
    /// <summary>The lines and what was said about losses; the error that reading ended with, or null.</summary>
    public static string[] Read(Func<Source> open, out string warnings, out TraceReadException? error)
    {
        var output = new MemoryStream();
        var said = new StringWriter();
        error = null;
        var options = new PrettyOptions { ClockCycles = false, ClockSeconds = true, ShowDelta = false, FieldHostname = false };
        try
        {
            using var source = open();
            using var sink = new PrettySink(output, said, options);
            using var muxer = new Muxer([.. Enumerable.Range(0, source.Outputs.Count).Select(source.CreateIterator)]);
            try
            {
                for (var batch = muxer.Next(); batch.Count > 0; batch = muxer.Next())
                    sink.Consume(batch);
            }
            catch (TraceReadException e)
            {
                error = e;
            }
            sink.Flush();
        }
        catch (TraceReadException e)
        {
            error = e;
        }
        warnings = said.ToString();
        return Encoding.UTF8.GetString(output.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>The same of a file's bytes.</summary>
    public static string[] Read(byte[] file, Func<string, Source> open, out string warnings, out TraceReadException? error)
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, file);
            return Read(() => open(path), out warnings, out error);
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>Reads files that are cut and changed at random: text or an error is all that may come.</summary>
    public static void Mutate(byte[] good, int count, Func<string, Source> open)
    {
        int seed = Environment.TickCount;
        var random = new Random(seed);
        string path = Path.GetTempFileName();
        long before = GC.GetTotalAllocatedBytes();
        try
        {
            for (int i = 0; i < count; i++)
            {
                byte[] bad = [.. good];
                if (i % 4 != 0)
                {
                    for (int changes = random.Next(1, 5); changes > 0; changes--)
                        Change(bad, random);
                }
                File.WriteAllBytes(path, i % 4 == 0 || i % 7 == 0 ? bad[..random.Next(bad.Length)] : bad);
                try
                {
                    Read(() => open(path), out _, out _);
                }
                catch (Exception e)
                {
                    Assert.Fail($"seed {seed}, change {i}: {e}");
                }
            }
        }
        finally
        {
            File.Delete(path);
        }
        Assert.InRange((GC.GetTotalAllocatedBytes() - before) / count, 0, 64 << 20);
    }

    private static void Change(byte[] bytes, Random random)
    {
        int at = random.Next(bytes.Length);
        switch (random.Next(4))
        {
            case 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                bytes[at] = (byte)random.Next(256);
                break;
            case 2:
                bytes.AsSpan(at, Math.Min(4, bytes.Length - at)).Fill(0xff);
                break;
            default:
                random.NextBytes(bytes.AsSpan(at, Math.Min(8, bytes.Length - at)));
                break;
        }
    }
}
