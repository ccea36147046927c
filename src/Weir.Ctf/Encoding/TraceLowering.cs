namespace Weir.Ctf;

/// <summary>
/// The trace class that is written for one that was read: LTTng's packet header, the same environment, and clocks and streams as they are
/// met. Not thread-safe.
/// </summary>
public sealed class TraceLowering
{
    private readonly TraceDecoder _input;
    private readonly Dictionary<ClockClass, ClockClass> _clocks = [];

    /// <summary>Creates the output's trace class, without clocks and streams.</summary>
    /// <param name="input">The programs of the trace that is read.</param>
    /// <param name="version">The version of CTF to write.</param>
    /// <param name="name">The trace's name, for people; empty for none.</param>
    public TraceLowering(TraceDecoder input, CtfVersion version, string name)
    {
        ArgumentNullException.ThrowIfNull(input);
        _input = input;
        Version = version;
        var source = input.Trace;
        bool is2 = version == CtfVersion.Ctf2;
        // What tells traces apart is their UID in CTF 2, and their UUID in CTF 1.8.
        var uuid = !is2 && Guid.TryParseExact(source.Uid, "D", out var uid) ? uid : source.Uuid;
        Output = new TraceClass
        {
            Uuid = uuid,
            Namespace = source.Namespace,
            Name = source.Name ?? (string.IsNullOrEmpty(name) ? null : name),
            Uid = source.Uid ?? (is2 ? source.Uuid?.ToString("D") : null),
            Attributes = source.Attributes,
            CtfVersion = is2 ? 2 : 1,
            PacketHeader = LttngLayout.CreatePacketHeader(uuid is not null, LargestStreamId(source) > uint.MaxValue ? 64 : 32),
        };
        foreach (var entry in source.Environment)
            Output.Add(is2 ? entry : entry with { Name = TsdlWriter.ToIdentifier(entry.Name) });
    }

    /// <summary>The version of CTF that is written.</summary>
    public CtfVersion Version { get; }

    /// <summary>The trace class that is written; streams are added to it by <see cref="AddStream"/>.</summary>
    public TraceClass Output { get; }

    /// <summary>Adds the class of a data stream, and its clock.</summary>
    /// <param name="stream">The programs of its class.</param>
    /// <param name="options">What its packets can tell.</param>
    /// <param name="clock">Its clock as it is to be written; null where it has none.</param>
    public StreamLowering AddStream(StreamDecoder stream, StreamLoweringOptions options, ClockClass? clock)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(options);
        var written = clock is null ? null : _clocks.GetValueOrDefault(clock);
        if (clock is not null && written is null)
        {
            written = LowerClock(clock);
            Output.Add(written);
            _clocks.Add(clock, written);
        }
        var lowering = new StreamLowering(_input, stream, Version, options, written);
        Output.Add(lowering.Output);
        return lowering;
    }

    private ClockClass LowerClock(ClockClass clock)
    {
        bool is2 = Version == CtfVersion.Ctf2;
        string name = is2 ? clock.Name : TsdlWriter.ToIdentifier(clock.Name.Length == 0 ? "default" : clock.Name);
        string unique = name;
        string? id = is2 ? clock.Id ?? clock.Name : null;
        string? uniqueId = id;
        for (int number = 2; IsTaken(unique, uniqueId); number++)
        {
            unique = $"{name}_{number}";
            uniqueId = id is null ? null : $"{id}_{number}";
        }
        return new ClockClass
        {
            Name = unique,
            Id = uniqueId,
            Namespace = clock.Namespace,
            Uid = clock.Uid ?? (is2 ? clock.Uuid?.ToString("D") : null),
            Uuid = clock.Uuid ?? (Guid.TryParseExact(clock.Uid, "D", out var uuid) ? uuid : null),
            Description = clock.Description,
            FrequencyHz = clock.FrequencyHz,
            PrecisionCycles = clock.PrecisionCycles,
            AccuracyCycles = clock.AccuracyCycles,
            OffsetSeconds = clock.OffsetSeconds,
            OffsetCycles = clock.OffsetCycles,
            IsAbsolute = clock.IsAbsolute,
            Origin = clock.Origin,
            Attributes = clock.Attributes,
        };
    }

    private bool IsTaken(string name, string? id)
    {
        foreach (var other in Output.ClockClasses)
        {
            if (other.Name == name || (id is not null && other.Id == id))
                return true;
        }
        return false;
    }

    private static ulong LargestStreamId(TraceClass trace)
    {
        ulong largest = 0;
        foreach (var stream in trace.DataStreamClasses)
            largest = Math.Max(largest, stream.Id);
        return largest;
    }
}
