using System.Globalization;
using Microsoft.Diagnostics.Tracing;
using Microsoft.Diagnostics.Tracing.EventPipe;
using Microsoft.Diagnostics.Tracing.Parsers;
using Microsoft.Diagnostics.Tracing.Parsers.Clr;
using Weir.Graph;
using Xunit;

namespace Weir.Tests.Graph;

/// <summary>TraceEvent is the judge: of the same file it and the source must say the same, event by event.</summary>
public class NettraceSourceTests
{
    // What TraceEvent computes under a field's name, or reads at another place than the runtime writes it.
    private static readonly string[] s_known =
    [
        "Microsoft-Windows-DotNETRuntime:Method/LoadVerbose: MethodFlags",
        "Microsoft-Windows-DotNETRuntime:Method/UnloadVerbose: MethodFlags",
        "Microsoft-Windows-DotNETRuntimeRundown:Method/DCStopVerbose: MethodFlags",
        "Microsoft-Windows-DotNETRuntime:GC/PerHeapHistory: CompactMechanisms",
        "Microsoft-Windows-DotNETRuntime:GC/PerHeapHistory: ExpandMechanisms",
        "Microsoft-Windows-DotNETRuntime:Method/MethodDetails: LoaderModuleID",
        "Microsoft-Windows-DotNETRuntime:Method/MethodDetails: TypeParameters",
        "Microsoft-Windows-DotNETRuntime:JitInstrumentationDataVerbose/InstrumentationData: MethodToken",
        "Microsoft-Windows-DotNETRuntime:JitInstrumentationDataVerbose/InstrumentationData: MethodNamespace",
        "Weir-Tests-Self:Dynamic: ",
    ];

    [Theory]
    [InlineData("Weir-Tests-All:0xffffffffffffffff:5,Weir-Tests-Self:0xffffffffffffffff:5")]
    [InlineData("Weir-Tests-All:0xffffffffffffffff:5,Microsoft-Windows-DotNETRuntime:0x4c14fccbd:5,Microsoft-Windows-DotNETRuntimePrivate:0xffffffffffffffff:5,System.Threading.Tasks.TplEventSource:0x80:5")]
    [InlineData("Microsoft-Windows-DotNETRuntime:0xfffffffffffffbff:5")]
    [InlineData("Microsoft-Windows-DotNETRuntimeRundown:0xffffffffffffffff:5,Microsoft-Windows-DotNETRuntime:0x1980001:5,Microsoft-Diagnostics-DiagnosticSource:0xffffffff:5,System.Runtime:0xffffffffffffffff:5")]
    public void Events_are_those_of_TraceEvent(string configuration)
    {
        string path = Path.Combine(Directory.CreateTempSubdirectory("weir-nettrace-").FullName, "recorded.nettrace");
        try
        {
            EventPipeProgram.Record(path, configuration);
            int count = Compare(path);
            if (configuration.Contains("Weir-Tests-All", StringComparison.Ordinal))
                Assert.True(count >= 3 * 20 * 7, $"{count} events");
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        }
    }

    [Fact]
    public void The_table_of_the_runtimes_events_can_be_read()
    {
        int count = 0;
        foreach (var (provider, id, version, declared) in RuntimeEvents.Known.All)
        {
            NettracePayload.Create(declared.Fields, 8);
            Assert.Same(declared, RuntimeEvents.Known.Find(provider, id, version));
            count++;
        }
        Assert.True(count > 500, $"{count} events");
        Assert.Equal("GC/Start", RuntimeEvents.Known.Find("Microsoft-Windows-DotNETRuntime", 1, 99)!.Name);
        Assert.Null(RuntimeEvents.Known.Find("Microsoft-Windows-DotNETRuntime", 65000, 0));
    }

    [Fact]
    public void Version_6_is_read_as_TraceEvent_reads_it()
    {
        string path = Path.GetTempFileName();
        File.WriteAllBytes(path, NettraceBuilder.CreateVersion6());
        var (expected, _) = ReadWithTraceEvent(path, lostCount: 5);
        var actual = EventList.Read(NettraceSource.Class, path);
        Assert.Null(actual.Error);
        Assert.Equal(expected.Select(item => item.Name), actual.Events.Select(item => item.Name));
        Assert.Equal([2UL, 3UL], actual.Losses);
        var first = actual.Events[0].Fields;
        Assert.Equal(("77", "4711", "3", "[trace_id=000102030405060708090a0b0c0d0e0f, key=-5]"), (first["vpid"], first["vtid"], first["cpu_id"], first["labels"]));
        Assert.Equal("00000001-0002-0003-0405-060708090a0b", first["activity_id"]);
        Assert.Equal("[4096, 8192]", first["stack"]);
        Assert.Equal(
            ["-3", "300", "[7, 8]", "utf8", "[1, 2, 3]", "wide", "{9, 1, [5]}", "1"],
            ((string[])["signed", "unsigned", "fixed", "relative", "data", "text", "object", "flag"]).Select(name => first[name]));
        foreach (var (theirs, ours) in expected.Zip(actual.Events))
            Assert.Equal(theirs.Fields["vtid"], ours.Fields["vtid"]);
        Assert.Equal(expected[0].Fields["signed"], first["signed"]);
        Assert.Equal(expected[0].Fields["relative"], first["relative"]);
        File.Delete(path);
    }

    [Fact]
    public void A_manifest_in_the_file_gives_names_and_types()
    {
        string path = Path.GetTempFileName();
        File.WriteAllBytes(path, NettraceBuilder.CreateWithManifest("""
            <instrumentationManifest><provider name="Weir-Old">
              <events><event value="5" version="0" symbol="WorkStart" opcode="win:Start" template="t5" /></events>
              <templates><template tid="t5"><data name="id" inType="win:Int32" /><data name="label" inType="win:UnicodeString" /></template></templates>
            </provider></instrumentationManifest>
            """));
        var list = EventList.Read(NettraceSource.Class, path);
        Assert.Null(list.Error);
        Assert.Equal(["Weir-Old:Work/Start", "Weir-Old:ManifestData", "Weir-Old:ManifestData"], list.Events.Select(item => item.Name));
        Assert.Equal(("42", "text"), (list.Events[0].Fields["id"], list.Events[0].Fields["label"]));
        Assert.Equal("1", list.Events[2].Fields["ChunkNumber"]);
        File.Delete(path);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Changed_and_cut_files_give_events_or_an_error(int kind)
    {
        string path = Path.GetTempFileName();
        if (kind == 0)
            File.WriteAllBytes(path, NettraceBuilder.CreateVersion6());
        else
            EventPipeProgram.Record(path, "Weir-Tests-Self:0xffffffffffffffff:5,Microsoft-Windows-DotNETRuntime:0x8001:4");
        byte[] good = File.ReadAllBytes(path);
        int whole = EventList.Read(NettraceSource.Class, path).Events.Count;
        Assert.True(whole > 0);
        int seed = Environment.TickCount;
        var random = new Random(seed);
        for (int i = 0; i < (kind == 0 ? 4000 : 300); i++)
        {
            byte[] bad = i % 3 == 0 ? good[..random.Next(good.Length)] : [.. good];
            for (int changes = i % 3 == 0 ? 0 : random.Next(1, 5); changes > 0; changes--)
                bad[random.Next(bad.Length)] = random.Next(2) == 0 ? (byte)random.Next(256) : (byte)(random.Next(2) * 255);
            File.WriteAllBytes(path, bad);
            EventList? list = null;
            var failure = Record.Exception(() => list = EventList.Read(NettraceSource.Class, path));
            Assert.True(failure is null, $"seed {seed}, round {i}: {failure}");
            if (i % 3 != 0)
                continue;
            Assert.NotNull(list!.Error);
            Assert.InRange(list.Events.Count, 0, whole);
        }
        File.Delete(path);
    }

    private static int Compare(string path)
    {
        var (expected, startNs) = ReadWithTraceEvent(path);
        var actual = EventList.Read(NettraceSource.Class, path);
        Assert.Null(actual.Error);
        Assert.NotEmpty(expected);
        Assert.Equal(expected.Count, actual.Events.Count);
        Assert.Equal(actual.Events.Select(item => item.TimeNs), actual.Events.Select(item => item.TimeNs).Order());
        // Where two threads wrote at one time, either may come first.
        var ours = actual.Events.OrderBy(item => item.TimeNs).ThenBy(item => item.Fields["vtid"], StringComparer.Ordinal).ToList();
        var theirs = expected.OrderBy(item => item.TimeNs).ThenBy(item => item.Fields["vtid"], StringComparer.Ordinal).ToList();
        var different = new Dictionary<string, string>();
        for (int i = 0; i < ours.Count; i++)
        {
            string where = $"event {i}: {theirs[i].Name} of TraceEvent, {ours[i].Name}";
            Assert.True(theirs[i].Name == ours[i].Name || IsNamedOtherwise(theirs[i].Name, ours[i].Name), where);
            Assert.True(Math.Abs(theirs[i].TimeNs + startNs - ours[i].TimeNs) < 200, $"{where}: {theirs[i].TimeNs + startNs} and {ours[i].TimeNs}");
            foreach (var (name, value) in theirs[i].Fields)
            {
                bool isThere = ours[i].Fields.TryGetValue(name, out string? our);
                if (isThere ? value != our && !IsUnsigned(value, our!) : theirs[i].Name.StartsWith("Weir-Tests", StringComparison.Ordinal))
                    different.TryAdd($"{theirs[i].Name}: {name}", $"{value} and {our}, event {i}");
            }
        }
        foreach (string known in s_known)
            different.Remove(known);
        Assert.Empty(different);
        return ours.Count;
    }

    /// <summary>TraceEvent does not know all of the runtime's events, and takes others apart by a name in their payload.</summary>
    private static bool IsNamedOtherwise(string theirs, string ours) =>
        theirs.Contains(":EventID(", StringComparison.Ordinal) || ours == "Microsoft-Windows-DotNETRuntime:GC/DynamicEvent";

    /// <summary>TraceEvent reads some of the runtime's unsigned numbers as signed.</summary>
    private static bool IsUnsigned(string theirs, string ours) =>
        long.TryParse(theirs, CultureInfo.InvariantCulture, out long signed) && signed < 0
        && (ours == ((uint)signed).ToString(CultureInfo.InvariantCulture) || ours == ((ulong)signed).ToString(CultureInfo.InvariantCulture));

    private static (List<ListedEvent> Events, long StartNs) ReadWithTraceEvent(string path, int lostCount = 0)
    {
        var events = new List<ListedEvent>();
        using var source = new EventPipeEventSource(path);
        source.Clr.All += _ => { };
        new ClrRundownTraceEventParser(source).All += _ => { };
        new ClrPrivateTraceEventParser(source).All += _ => { };
        new SampleProfilerTraceEventParser(source).All += _ => { };
        source.Dynamic.All += _ => { };
        source.AllEvents += item =>
        {
            var fields = new Dictionary<string, string> { ["vtid"] = item.ThreadID.ToString(CultureInfo.InvariantCulture) };
            for (int i = 0; i < item.PayloadNames.Length; i++)
            {
                if (item.PayloadValue(i) is { } value)
                    fields[item.PayloadNames[i]] = Format(value);
            }
            events.Add(new ListedEvent((long)Math.Round(item.TimeStampRelativeMSec * 1e6), $"{item.ProviderName}:{item.EventName}", fields));
        };
        source.Process();
        Assert.Equal(lostCount, source.EventsLost);
        return (events, (source.SessionStartTime.ToUniversalTime() - DateTime.UnixEpoch).Ticks * 100);
    }

    private static string Format(object value) => value switch
    {
        bool flag => flag ? "1" : "0",
        DateTime time => time.ToUniversalTime().ToString("yyyy-MM-ddTHH:mm:ss.fffffffZ", CultureInfo.InvariantCulture),
        float single => ((double)single).ToString("R", CultureInfo.InvariantCulture),
        double real => real.ToString("R", CultureInfo.InvariantCulture),
        Enum symbol => Convert.ToInt64(symbol, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture),
        string text => text,
        Array array => $"[{string.Join(", ", array.Cast<object>().Select(Format))}]",
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    };
}
