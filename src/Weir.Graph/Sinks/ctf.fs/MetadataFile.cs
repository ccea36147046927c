using System.Buffers;
using System.Text;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>
/// The file <c>metadata</c> of a trace that is being written: what becomes known is appended before the first event that needs it, so that
/// what was written can be read though the run dies.
/// </summary>
internal sealed class MetadataFile : IDisposable
{
    private readonly string _path;
    private readonly FileStream _file;
    private readonly StringBuilder _text = new();
    private readonly ArrayBufferWriter<byte> _buffer = new();
    private readonly TsdlWriter? _tsdl;
    private readonly JsonMetadataWriter? _json;

    /// <exception cref="TraceWriteException">The file cannot be made.</exception>
    public MetadataFile(string traceDirectory, TraceClass trace, CtfVersion version)
    {
        _path = Path.Combine(traceDirectory, CtfFsTrace.MetadataFileName);
        try
        {
            _file = new FileStream(_path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TraceWriteException(_path, "this file cannot be made", e);
        }
        if (version == CtfVersion.Ctf18)
        {
            _tsdl = new TsdlWriter(trace, _text);
            _tsdl.WriteTrace();
        }
        else
        {
            _json = new JsonMetadataWriter(trace, _buffer);
            _json.WriteTrace();
        }
    }

    public void AddClock(ClockClass clock)
    {
        _tsdl?.WriteClock(clock);
        _json?.WriteClock(clock);
    }

    public void AddStream(DataStreamClass stream)
    {
        _tsdl?.WriteStream(stream);
        _json?.WriteStream(stream);
    }

    public void AddEvent(DataStreamClass stream, EventRecordClass eventRecordClass)
    {
        _tsdl?.WriteEvent(stream, eventRecordClass);
        _json?.WriteEvent(stream, eventRecordClass);
    }

    /// <summary>Writes what was added.</summary>
    /// <exception cref="TraceWriteException">There is no room; what was added since the last flush is cut off.</exception>
    public void Flush()
    {
        if (_text.Length > 0)
            _buffer.Write(Encoding.UTF8.GetBytes(_text.ToString()));
        _text.Clear();
        long before = _file.Position;
        try
        {
            _file.Write(_buffer.WrittenSpan);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            try
            {
                _file.SetLength(before);
            }
            catch (IOException)
            {
                // Then readers say where the metadata ends.
            }
            throw new TraceWriteException(_path, "this file cannot be written", e);
        }
        _buffer.Clear();
    }

    public void Dispose()
    {
        _json?.Dispose();
        _file.Dispose();
    }
}
