using Weir.Ctf;

namespace Weir.Graph;

/// <summary>One of the traces of a live session (a user's, a process's, the kernel's), whose metadata grows.</summary>
internal sealed class LiveTrace(string name, ClockAdjustment clocks)
{
    private byte[] _metadata = [];
    private int _lengthBytes;
    private TraceDecoder? _decoder;

    /// <summary>The stream that brings the metadata, once it is known.</summary>
    public ulong? MetadataStreamId { get; set; }

    public Trace? Trace { get; private set; }

    public ClockAdjustment Clocks => clocks;

    /// <summary>Asks for all metadata that there is now. False where some is missing that must come first.</summary>
    public bool Refresh(ViewerConnection connection)
    {
        if (MetadataStreamId is not { } id)
            return false;
        bool isNew = false;
        while (connection.GetMetadata(id) is { } bytes)
        {
            if (_lengthBytes + bytes.Length > MetadataReader.MaxMetadataBytes)
                throw connection.Fail($"the metadata of {name} is longer than {MetadataReader.MaxMetadataBytes >> 20} MiB");
            // An answer without bytes asks for patience.
            if (bytes.Length == 0)
                break;
            if (_lengthBytes + bytes.Length > _metadata.Length)
                Array.Resize(ref _metadata, Math.Max(_metadata.Length * 2, _lengthBytes + bytes.Length));
            bytes.CopyTo(_metadata, _lengthBytes);
            _lengthBytes += bytes.Length;
            isNew = true;
        }
        if (isNew)
            Parse();
        return _decoder is not null;
    }

    private void Parse()
    {
        TraceClass traceClass;
        try
        {
            traceClass = MetadataReader.Read(_metadata.AsSpan(0, _lengthBytes));
        }
        catch (CtfMetadataException e)
        {
            throw new TraceReadException($"{name}/metadata", -1, e.Message, e);
        }
        if (_decoder is null)
        {
            _decoder = new TraceDecoder(traceClass);
            Trace = new Trace(_decoder, name);
        }
        else
        {
            _decoder.Extend(traceClass);
        }
    }

    /// <summary>Nanoseconds from the clock's origin for a value of the trace's first clock, or null where it has none.</summary>
    public long? ToNanoseconds(ulong clockValue)
    {
        if (_decoder?.Trace.ClockClasses is not [var clock, ..])
            return null;
        return unchecked(clocks.OffsetOf(clock, name) + (long)ClockValue.ToNanoseconds(clockValue, clock.FrequencyHz));
    }
}
