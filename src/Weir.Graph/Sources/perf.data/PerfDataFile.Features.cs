using System.Text;
using Weir.Ctf;

namespace Weir.Graph;

/// <content>Features, and files that were written to a pipe.</content>
internal sealed partial class PerfDataFile
{
    private const int MaxTextBytes = 1 << 20;

    private static bool IsWanted(int feature) => Enum.IsDefined((PerfFeature)feature);

    private void ReadFeature(int feature, FileCursor cursor)
    {
        switch ((PerfFeature)feature)
        {
            case PerfFeature.TracingData:
                Tracepoints ??= ReadTracingData(cursor);
                break;
            case PerfFeature.HostName:
                Environment.Add(new EnvironmentEntry("hostname", ReadText(cursor)));
                break;
            case PerfFeature.OsRelease:
                Environment.Add(new EnvironmentEntry("release", ReadText(cursor)));
                break;
            case PerfFeature.Version:
                Environment.Add(new EnvironmentEntry("tracer_version", ReadText(cursor)));
                break;
            case PerfFeature.Architecture:
                Environment.Add(new EnvironmentEntry("machine", ReadText(cursor)));
                break;
            case PerfFeature.CommandLine:
                Environment.Add(new EnvironmentEntry("command_line", ReadTexts(cursor)));
                break;
            case PerfFeature.EventDescription:
                ReadEventDescriptions(cursor);
                break;
            case PerfFeature.ClockData:
                cursor.Skip(8);
                ClockPoint = (cursor.ReadUInt64(), cursor.ReadUInt64());
                break;
        }
    }

    /// <summary>Names of the events: for each an attribute as above, its name and its IDs.</summary>
    private void ReadEventDescriptions(FileCursor cursor)
    {
        uint count = cursor.ReadUInt32();
        uint attributeBytes = cursor.ReadUInt32();
        for (uint i = 0; i < count; i++)
        {
            var described = PerfAttribute.Read(cursor, attributeBytes);
            uint ids = cursor.ReadUInt32();
            string name = ReadText(cursor);
            if (ids > cursor.Remaining / 8)
                throw cursor.Fail($"the description of events has no room for {ids} IDs");
            for (uint id = 0; id < ids; id++)
                described.Ids.Add(cursor.ReadUInt64());
            // In the order of the attributes, unless IDs say otherwise.
            var attribute = _attributes.Find(one => one.Ids.Count > 0 && described.Ids.Count > 0 && one.Ids[0] == described.Ids[0])
                ?? (i < _attributes.Count ? _attributes[(int)i] : null);
            if (attribute is not null)
                attribute.Name = name;
        }
    }

    private static FtraceMetadata ReadTracingData(FileCursor cursor)
    {
        if (Encoding.Latin1.GetString(cursor.ReadBytes(10)) != "\u0017\u0008\u0044tracing")
            throw cursor.Fail("the descriptions of tracepoints do not begin with 17 08 44 and 'tracing'");
        cursor.ReadText(16);
        var metadata = FtraceMetadata.Create(cursor, out _);
        metadata.ReadAll(cursor);
        return metadata;
    }

    /// <summary>Of a pipe's file, the records that stand for what a file's header says; the samples are passed over.</summary>
    private void ReadPipe()
    {
        DataOffset = _cursor.Position;
        while (_cursor.Remaining >= 8)
        {
            long start = _cursor.Position;
            uint type = _cursor.ReadUInt32();
            _cursor.Skip(2);
            ushort bytes = _cursor.ReadUInt16();
            // The reader of records says what is wrong, behind the events before.
            if (bytes < 8 || start + bytes > _stream.Length)
                break;
            ulong extra = 0;
            switch ((PerfRecordType)type)
            {
                case PerfRecordType.HeaderAttribute when bytes >= 8 + 64 && _attributes.Count < MaxAttributes:
                    var attribute = PerfAttribute.Read(_cursor, null);
                    ReadIds(attribute, (ulong)Math.Max(0, start + bytes - _cursor.Position) / 8);
                    _attributes.Add(attribute);
                    break;
                case PerfRecordType.TracingData when bytes >= 12:
                    extra = (_cursor.ReadUInt32() + 7UL) & ~7UL;
                    _cursor.Position = start + bytes;
                    if (extra <= (ulong)_cursor.Remaining)
                        Tracepoints ??= ReadTracingData(new FileCursor(_cursor.ReadBytes(extra), Path, start + bytes, ByteOrder));
                    break;
                case PerfRecordType.HeaderFeature when bytes >= 16:
                    ulong feature = _cursor.ReadUInt64();
                    if (feature < FeatureBits && IsWanted((int)feature))
                        ReadFeature((int)feature, new FileCursor(_cursor.ReadBytes((ulong)bytes - 16), Path, start + 16, ByteOrder));
                    break;
                case PerfRecordType.AuxTrace when bytes >= 16:
                    extra = _cursor.ReadUInt64();
                    break;
            }
            if (extra > (ulong)(_stream.Length - start - bytes))
                break;
            _cursor.Position = start + bytes + (long)extra;
        }
    }

    /// <summary>A text of a length that stands before it, up to its first zero byte.</summary>
    private static string ReadText(FileCursor cursor)
    {
        uint length = cursor.ReadUInt32();
        if (length > MaxTextBytes)
            throw cursor.Fail($"a text of {length} bytes is too long");
        byte[] bytes = cursor.ReadBytes(length);
        int end = Array.IndexOf(bytes, (byte)0);
        return Encoding.UTF8.GetString(bytes, 0, end < 0 ? bytes.Length : end);
    }

    private static string ReadTexts(FileCursor cursor)
    {
        var texts = new List<string>();
        for (uint left = cursor.ReadUInt32(); left > 0 && cursor.Remaining > 0; left--)
            texts.Add(ReadText(cursor));
        return string.Join(' ', texts);
    }
}
