using System.Runtime.InteropServices;
using Weir.Clock;
using Weir.Ctf;
using Weir.Ring;
using StreamReader = Weir.Ring.StreamReader;

namespace FlightRecorder;

/// <summary>A request begins. The fields lie as <see cref="TraceDirectory"/> describes them.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal readonly record struct RequestBegin(uint Worker, ulong Request)
{
    public const uint Id = 1;
}

/// <summary>A request has ended.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal readonly record struct RequestEnd(uint Worker, ulong Request, uint DurationNs)
{
    public const uint Id = 2;
}

/// <summary>Writes snapshots as CTF 1.8 traces: the packets as they are, and a description of them.</summary>
internal static class TraceDirectory
{
    /// <summary>A snapshot of this process's own ring, whatever memory it is in.</summary>
    public static void Snapshot(RingBuffer ring, string directory)
    {
        Write(directory, ring.StreamCpus.Select(ring.OpenReader));
    }

    /// <summary>A snapshot of another process's ring, by its files. That process does not notice.</summary>
    public static void Snapshot(string ringDirectory, string directory)
    {
        Write(directory, Directory.GetFiles(ringDirectory, "stream_*").Select(path => StreamReader.TryOpen(path, ReaderAccess.Observe)));
    }

    private static void Write(string directory, IEnumerable<StreamReader?> streams)
    {
        Directory.CreateDirectory(directory);
        var first = ClockSample.Take(ClockKind.Monotonic);
        Guid uuid = default;
        foreach (var stream in streams.OfType<StreamReader>())
        {
            using var reader = stream;
            uuid = reader.Uuid;
            var snapshot = StreamSnapshot.Take(reader, MonotonicClock.Read());
            using var file = File.Create(Path.Combine(directory, $"stream_{reader.Cpu}"));
            foreach (var packet in snapshot.Packets)
                file.Write(packet.Span);
        }
        var correlation = ClockCorrelation.Between(ClockKind.Monotonic, first, ClockSample.Take(ClockKind.Monotonic));
        File.WriteAllText(Path.Combine(directory, "metadata"), TsdlWriter.Write(Describe(uuid, correlation)));
    }

    private static TraceClass Describe(Guid uuid, ClockCorrelation correlation)
    {
        var clock = new ClockClass
        {
            Name = "monotonic",
            FrequencyHz = correlation.FrequencyHz,
            OffsetSeconds = correlation.OffsetSeconds,
            OffsetCycles = correlation.OffsetCycles,
            IsAbsolute = true,
        };
        var trace = LttngLayout.CreateTrace(uuid, clock, new EnvironmentEntry("hostname", Environment.MachineName), new EnvironmentEntry("domain", "ust"));
        var stream = LttngLayout.CreateStream(0, clock);
        stream.Add(new EventRecordClass
        {
            Id = RequestBegin.Id,
            Name = "request:begin",
            Payload = new StructureFieldClass([new("worker", new IntegerFieldClass(32)), new("request", new IntegerFieldClass(64))]),
        });
        stream.Add(new EventRecordClass
        {
            Id = RequestEnd.Id,
            Name = "request:end",
            Payload = new StructureFieldClass(
                [new("worker", new IntegerFieldClass(32)), new("request", new IntegerFieldClass(64)), new("duration_ns", new IntegerFieldClass(32))]),
        });
        trace.Add(stream);
        return trace;
    }
}
