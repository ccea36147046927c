using System.Text;
using Weir.Ctf;

namespace Weir.Graph;

/// <summary>What an event says about the binaries of its process.</summary>
internal enum BinaryEvent : byte
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>What was loaded is told anew.</summary>
    DumpBegins,

    /// <summary>A binary is in memory.</summary>
    Loaded,

    /// <summary>The build ID of one.</summary>
    BuildId,

    /// <summary>Where the debugging information of one is.</summary>
    DebugLink,

    /// <summary>A binary is not in memory any more.</summary>
    Unloaded,
}

/// <summary>Picks out of the events of one class what this filter needs. Holds the values of the event that was walked last.</summary>
internal sealed unsafe class DebugInfoFields
{
    /// <summary>Most bytes of a build ID that are kept; they have 20.</summary>
    private const int MaxBuildIdBytes = 256;

    private static readonly string[] s_payloadFields = ["baddr", "memsz", "is_pic", "crc", "path", "filename", "build_id"];

    // For each step: 1 and 2 vpid and ip, from 3 on the fields of the payload; 0 of other steps.
    private readonly byte[] _places;
    private readonly ulong[] _numbers = new ulong[10];
    private readonly string[] _texts = new string[10];

    /// <summary>Looks the fields up.</summary>
    public DebugInfoFields(EventDecoder decoder)
    {
        var program = decoder.Fields;
        _places = new byte[program.Steps.Length];
        Map(program, 0, ["vpid", "ip"], 1);
        int found = Map(program, 2, s_payloadFields, 3);
        Kind = Has(found, KindOf(decoder.Class.Name));
        HasIsPic = decoder.Class.Name == "lttng_ust_statedump:bin_info";
    }

    /// <summary>What events of the class say.</summary>
    public BinaryEvent Kind { get; }

    public int Vpid => (int)_numbers[1];

    public ulong InstructionPointer => _numbers[2];

    public ulong Address => _numbers[3];

    public ulong MemorySize => _numbers[4];

    /// <summary>Libraries are always position-independent, so only state dumps say so.</summary>
    public bool IsRelative => !HasIsPic || _numbers[5] == 1;

    public uint Crc => (uint)_numbers[6];

    public string Path => _texts[7] ?? "";

    public string FileName => _texts[8] ?? "";

    public List<byte> BuildId { get; } = [];

    private bool HasIsPic { get; }

    /// <summary>Whether a data stream class's events have the fields that are needed, and not yet the one that is added.</summary>
    public static bool AreIn(DataStreamClass stream, string fieldName) =>
        stream.EventCommonContext is { } context && context.Find(fieldName) is null
        && context.Find("ip") is IntegerFieldClass { IsSigned: false, Mappings: null }
        && context.Find("vpid") is IntegerFieldClass { IsSigned: true, Mappings: null, SizeBits: 32 };

    /// <summary>Walks an event and keeps its values.</summary>
    public DecodeStatus Read(FieldWalker walker, in Message message)
    {
        BuildId.Clear();
        var visitor = new Visitor(this);
        return walker.WalkEvent(in message.Record, message.PacketStart, message.Slots, ref visitor);
    }

    private static BinaryEvent KindOf(string? name) => name switch
    {
        "lttng_ust_statedump:start" => BinaryEvent.DumpBegins,
        // Before version 2.9 LTTng-UST told of libraries by dlopen only.
        "lttng_ust_statedump:bin_info" or "lttng_ust_lib:load" or "lttng_ust_dl:dlopen" => BinaryEvent.Loaded,
        "lttng_ust_statedump:build_id" => BinaryEvent.BuildId,
        "lttng_ust_statedump:debug_link" => BinaryEvent.DebugLink,
        "lttng_ust_lib:unload" => BinaryEvent.Unloaded,
        _ => BinaryEvent.None,
    };

    /// <summary>The kind, if the fields that it needs were found: a bit for each of <see cref="s_payloadFields"/>.</summary>
    private static BinaryEvent Has(int found, BinaryEvent kind)
    {
        int needed = kind switch
        {
            BinaryEvent.Loaded => 0b001_0011,
            BinaryEvent.BuildId => 0b100_0001,
            BinaryEvent.DebugLink => 0b010_1001,
            BinaryEvent.Unloaded => 0b000_0001,
            _ => 0,
        };
        return (found & needed) == needed ? kind : BinaryEvent.None;
    }

    private int Map(DecodeProgram program, int root, string[] names, int firstPlace)
    {
        int start = program.RootStarts[root];
        int found = 0;
        if (start < 0)
            return found;
        for (int i = start + 1; i < program.Steps[start].End; i = program.Steps[i].End)
        {
            int index = Array.IndexOf(names, program.Steps[i].Name);
            if (index < 0)
                continue;
            found |= 1 << index;
            _places[i] = (byte)(firstPlace + index);
            // An array's values are those of its element.
            if (program.Steps[i].End > i + 1)
                _places[i + 1] = _places[i];
        }
        return found;
    }

    private readonly struct Visitor(DebugInfoFields fields) : IFieldVisitor
    {
        public void Integer(int step, ulong value)
        {
            int place = fields._places[step];
            fields._numbers[place] = value;
            if (place == 9 && fields.BuildId.Count < MaxBuildIdBytes)
                fields.BuildId.Add((byte)value);
        }

        public void Real(int step, double value)
        {
        }

        public void Text(int step, byte* text, int lengthBytes)
        {
            if (fields._places[step] is > 0 and var place)
                fields._texts[place] = Encoding.UTF8.GetString(text, lengthBytes);
        }

        public void BeginStructure(int step)
        {
        }

        public void EndStructure(int step)
        {
        }

        public void BeginArray(int step, ulong length)
        {
        }

        public void Element(int step, ulong index)
        {
        }

        public void EndArray(int step)
        {
        }

        public void BeginVariant(int step)
        {
        }

        public void EndVariant(int step)
        {
        }

        public void Blob(int step, byte* bytes, long lengthBytes)
        {
            if (fields._places[step] == 9)
                fields.BuildId.AddRange(new ReadOnlySpan<byte>(bytes, (int)Math.Min(lengthBytes, MaxBuildIdBytes)));
        }

        public void BeginOptional(int step, bool isPresent)
        {
        }

        public void EndOptional(int step)
        {
        }
    }
}
