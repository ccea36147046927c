using System.Globalization;
using System.Text;
using System.Text.Json;
using Weir.Clock;
using Weir.Ring;
using Weir.Sessions;

namespace Weir.Cli;

/// <summary>Says what a recording has brought: events, losses by cause, its own cost, and where the trace lies.</summary>
internal static class RecordingReport
{
    public static void Write(RecordingResult result, TextWriter writer)
    {
        var culture = CultureInfo.InvariantCulture;
        var statistics = result.Statistics;
        foreach (string problem in result.Problems)
            writer.WriteLine($"weir: warning: {problem}");
        writer.WriteLine(string.Create(
            culture,
            $"weir: recorded {statistics.Count} events ({Size(statistics.FileBytes)}) of {Sources(result)} in {result.Elapsed.TotalSeconds:0.0} s"));
        writer.WriteLine($"weir: lost {DescribeLosses(result)}");
        writer.WriteLine($"weir: cost {DescribeCost(result)}");
        if (result.Clock != ClockKind.Counter)
            writer.WriteLine($"weir: clock {ClockName(result.Clock)}, not the CPU's counter: {result.ClockReason}");
        if (result.TraceDirectories.Count == 0 && result.PartDirectory is null && result.ProcessesRefused == 0 && !result.Losses.IsLossy)
            writer.WriteLine("weir: no program with matching tracepoints ran; do the rules name what it has?");
        writer.WriteLine($"weir: trace in {result.OutputDirectory}");
    }

    public static string DescribeLosses(RecordingResult result)
    {
        var losses = result.Losses;
        var causes = new List<string>();
        void Add(ulong count, string cause)
        {
            if (count > 0)
                causes.Add($"{count} {cause}");
        }
        Add(losses.BufferFull, "buffer full");
        Add(losses.KernelBufferFull, "kernel buffer full (--kernel-buffer-size)");
        Add(losses.TooLarge, "larger than a sub-buffer");
        Add(losses.NoBuffer, "no room for a buffer");
        Add(losses.NotWritten, "not written to the trace");
        string text = causes.Count == 0 ? "0 events" : $"{losses.Events} events: {string.Join(", ", causes)}";
        if (losses.UncountedStreams > 0)
        {
            string streams = losses.UncountedStreams == 1 ? "1 stream" : $"{losses.UncountedStreams} streams";
            text += $"; {losses.UncountedBytes} bytes of records in {streams} are missing, and their events could not be counted";
        }
        if (result.ProcessesRefused > 0)
            text += $"; {Processes((int)result.ProcessesRefused)} could not be recorded at all";
        if (losses.FieldsCut > 0)
            text += $"; {losses.FieldsCut} long fields were cut";
        return text;
    }

    public static string DescribeCost(RecordingResult result)
    {
        var text = new StringBuilder();
        if (result.EmitNs is { } emit)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"{emit:0.0} ns an event in the program ({SequenceName(result.Sequence)}, {ClockName(result.Clock)}, {result.MeanPayloadBytes}-byte payload); ");
        }
        text.Append(
            CultureInfo.InvariantCulture,
            $"{result.RecorderCpu.TotalMilliseconds:0} ms of CPU time in the recorder ({100 * result.RecorderCpu / result.Elapsed:0.0} % of one CPU)");
        return text.ToString();
    }

    public static void WriteJson(RecordingResult result, TextWriter writer)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("output", result.OutputDirectory);
            json.WriteStartArray("traces");
            foreach (string directory in result.TraceDirectories.Concat(result.PartDirectory is { } part ? [part] : []))
                json.WriteStringValue(directory);
            json.WriteEndArray();
            json.WriteNumber("events", result.Statistics.Count);
            json.WriteNumber("bytes", result.Statistics.FileBytes);
            json.WriteNumber("seconds", result.Elapsed.TotalSeconds);
            json.WriteStartObject("lost");
            json.WriteNumber("buffer_full", result.Losses.BufferFull);
            json.WriteNumber("kernel_buffer_full", result.Losses.KernelBufferFull);
            json.WriteNumber("too_large", result.Losses.TooLarge);
            json.WriteNumber("no_buffer", result.Losses.NoBuffer);
            json.WriteNumber("not_written", result.Losses.NotWritten);
            json.WriteEndObject();
            json.WriteNumber("fields_cut", result.Losses.FieldsCut);
            json.WriteNumber("uncounted_streams", result.Losses.UncountedStreams);
            json.WriteNumber("uncounted_bytes", result.Losses.UncountedBytes);
            json.WriteNumber("processes_refused", result.ProcessesRefused);
            if (result.EmitNs is { } emit)
                json.WriteNumber("emit_ns", emit);
            json.WriteNumber("recorder_cpu_seconds", result.RecorderCpu.TotalSeconds);
            json.WriteString("sequence", SequenceName(result.Sequence));
            json.WriteString("clock", ClockName(result.Clock));
            json.WriteString("clock_reason", result.ClockReason);
            json.WriteStartArray("problems");
            foreach (string problem in result.Problems)
                json.WriteStringValue(problem);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        writer.WriteLine(Encoding.UTF8.GetString(stream.ToArray()));
    }

    public static string Size(double bytes) => bytes switch
    {
        < 1024 => string.Create(CultureInfo.InvariantCulture, $"{bytes:0} B"),
        < 1 << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024:0.0} KiB"),
        < 1 << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (1 << 20):0.0} MiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / (1 << 30):0.0} GiB"),
    };

    private static string SequenceName(SequenceKind sequence) => sequence == SequenceKind.Rseq ? "rseq" : "atomic";

    private static string ClockName(ClockKind clock) => clock == ClockKind.Counter ? "counter" : "monotonic";

    private static string Sources(RecordingResult result) => result.PartDirectory is null
        ? Processes(result.TraceDirectories.Count)
        : result.TraceDirectories.Count == 0 ? "the kernel" : $"the kernel and {Processes(result.TraceDirectories.Count)}";

    private static string Processes(int count) => count == 1 ? "1 process" : string.Create(CultureInfo.InvariantCulture, $"{count} processes");
}
