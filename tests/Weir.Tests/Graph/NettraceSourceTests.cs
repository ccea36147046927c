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
    [Theory]
    [InlineData("Weir-Tests-All:0xffffffffffffffff:5")]
    [InlineData("Weir-Tests-All:0xffffffffffffffff:5,Microsoft-Windows-DotNETRuntime:0x4c14fccbd:5,Microsoft-Windows-DotNETRuntimePrivate:0xffffffffffffffff:5,Microsoft-DotNETCore-SampleProfiler:0:5,System.Threading.Tasks.TplEventSource:0x80:5")]
    [InlineData("Microsoft-Windows-DotNETRuntime:0xfffffffffffffbff:5")]
    public void Events_are_those_of_TraceEvent(string configuration)
    {
        string path = Path.Combine(Directory.CreateTempSubdirectory("weir-nettrace-").FullName, "recorded.nettrace");
        try
        {
            EventPipeProgram.Record(path, configuration);
            Compare(path);
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        }
    }

    private static void Compare(string path)
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
        for (int i = 0; i < ours.Count; i++)
        {
            string where = $"event {i}: {theirs[i].Name} of TraceEvent, {ours[i].Name}";
            Assert.True(theirs[i].Name == ours[i].Name, where);
            Assert.True(Math.Abs(theirs[i].TimeNs + startNs - ours[i].TimeNs) < 200, $"{where}: {theirs[i].TimeNs + startNs} and {ours[i].TimeNs}");
            foreach (var (name, value) in theirs[i].Fields)
            {
                if (ours[i].Fields.TryGetValue(name, out string? our))
                    Assert.True(value == our, $"{where}: {name} = {value} and {our}");
                else
                    Assert.False(theirs[i].Name.StartsWith("Weir-Tests", StringComparison.Ordinal), $"{where}: no {name}, which is {value}");
            }
        }
    }

    private static (List<ListedEvent> Events, long StartNs) ReadWithTraceEvent(string path)
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
                fields[item.PayloadNames[i]] = Format(item.PayloadValue(i));
            events.Add(new ListedEvent((long)Math.Round(item.TimeStampRelativeMSec * 1e6), $"{item.ProviderName}:{item.EventName}", fields));
        };
        source.Process();
        Assert.Equal(0, source.EventsLost);
        return (events, (source.SessionStartTime.ToUniversalTime() - DateTime.UnixEpoch).Ticks * 100);
    }

    private static string Format(object? value) => value switch
    {
        null => "",
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
