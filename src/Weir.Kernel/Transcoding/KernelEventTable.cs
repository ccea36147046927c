using System.Globalization;
using Weir.Ctf;
using Weir.Graph;

namespace Weir.Kernel;

/// <summary>
/// The events of a recording by the kernel's IDs. Those that were asked for are declared before anything is recorded; others, which the
/// kernel writes on its own behalf (a marker, a stack), when the first of them is seen. Finding is lock-free.
/// </summary>
internal sealed class KernelEventTable
{
    private const int IdCount = 1 << 16;

    private readonly Lock _lock = new();
    private readonly KernelTrace _trace;
    private readonly DataStreamClass _stream;
    private readonly TracefsInstance _instance;
    private readonly KernelEventClass?[] _byId = new KernelEventClass?[IdCount];
    private readonly List<KernelEventClass> _classes = [];
    private readonly HashSet<string> _names = [];
    private Dictionary<int, KernelEventName>? _others;

    public KernelEventTable(KernelTrace trace, DataStreamClass stream, TracefsInstance instance)
    {
        _trace = trace;
        _stream = stream;
        _instance = instance;
    }

    /// <summary>What was declared.</summary>
    public IReadOnlyList<KernelEventClass> Classes
    {
        get
        {
            lock (_lock)
                return [.. _classes];
        }
    }

    /// <summary>The class of records with this ID; declares it where nobody has.</summary>
    public KernelEventClass Find(int id) => Volatile.Read(ref _byId[id]) ?? DeclareOther(id);

    /// <summary>Declares an event.</summary>
    /// <exception cref="KernelException">Its description cannot be read.</exception>
    public void Declare(RecordedEvent recorded) => Declare(EventFormats.Read(_instance, recorded.Event), recorded);

    private KernelEventClass Declare(FtraceFormat format, RecordedEvent recorded)
    {
        lock (_lock)
        {
            if (_byId[format.Id] is { } known)
                return known;
            var (name, described) = LttngNames.Apply(recorded.Event.System, format, ByteOrder.LittleEndian);
            name = recorded.Name ?? name;
            if (!_names.Add(name))
                _names.Add(name = $"{recorded.Event.System}_{name}");
            var record = FtraceRecordClass.Create(described, ByteOrder.LittleEndian, hasLabels: true);
            uint declared = _trace.Declare(_stream, name, record.Payload);
            var made = new KernelEventClass(declared, _classes.Count, name, record) { Addresses = recorded.Addresses, AddressOffsets = AddressOffsets(format, recorded) };
            _classes.Add(made);
            Volatile.Write(ref _byId[format.Id], made);
            return made;
        }
    }

    private static int[] AddressOffsets(FtraceFormat format, RecordedEvent recorded) =>
    [
        .. format.Fields.Where(field => field.SizeBytes == sizeof(ulong) && recorded.AddressFields.Contains(field.Name)).Select(field => field.OffsetBytes),
    ];

    private KernelEventClass DeclareOther(int id)
    {
        lock (_lock)
        {
            _others ??= FindIds();
            if (_others.TryGetValue(id, out var name))
            {
                try
                {
                    return Declare(EventFormats.Read(_instance, name), new RecordedEvent(name));
                }
                catch (Exception e) when (e is KernelException or CtfException)
                {
                    // Then it is as good as unknown.
                }
            }
            // What nobody describes keeps nothing but that it was there.
            var nothing = new FtraceFormat { Name = string.Create(CultureInfo.InvariantCulture, $"unknown_{id}"), Id = id, SharedFields = [], Fields = [], PrintFormat = "" };
            return Declare(nothing, new RecordedEvent(new KernelEventName("unknown", nothing.Name)));
        }
    }

    /// <summary>All events of the kernel by ID; also those that have no switch, which are in no instance.</summary>
    private Dictionary<int, KernelEventName> FindIds()
    {
        var found = new Dictionary<int, KernelEventName>();
        try
        {
            foreach (string path in Directory.EnumerateFiles(_instance.PathOf("events"), "id", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 2 }))
            {
                string[] parts = path.Split('/');
                if (int.TryParse(File.ReadAllText(path).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out int id))
                    found[id] = new KernelEventName(parts[^3], parts[^2]);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What was found until now may be enough.
        }
        return found;
    }
}

/// <summary>What the records of one event become. Immutable.</summary>
/// <param name="Id">The event's ID in the trace.</param>
/// <param name="Number">Counts up from 0 in the table.</param>
/// <param name="Name">Its name in the trace.</param>
/// <param name="Record">How its fields are copied.</param>
internal sealed record KernelEventClass(uint Id, int Number, string Name, FtraceRecordClass Record)
{
    /// <summary>Takes the kernel's addresses of its records, or null.</summary>
    public KernelAddresses? Addresses { get; init; }

    /// <summary>Where in a record the addresses lie.</summary>
    public IReadOnlyList<int> AddressOffsets { get; init; } = [];
}
