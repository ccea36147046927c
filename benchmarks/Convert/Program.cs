using System.Globalization;
using Weir.Benchmarks.Convert;

// trace DIR BYTES STREAMS PACKET_BYTES [index]   write a trace and print: events, first time, last time (ns since the Epoch)
// run PROGRAM [ARGUMENT]...                      run it, read its output to the end and print: status, user s, system s, wall s, peak KiB, bytes
switch (args)
{
    case ["trace", var directory, var bytes, var streams, var packetBytes, .. var rest]:
        var made = new TraceMaker(directory, int.Parse(packetBytes, CultureInfo.InvariantCulture))
            .Make(long.Parse(bytes, CultureInfo.InvariantCulture), int.Parse(streams, CultureInfo.InvariantCulture), rest is ["index"]);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{made.Events}\t{made.FirstNs}\t{made.LastNs}"));
        return 0;
    case ["run", var program, .. var arguments]:
        Console.WriteLine(MeasuredRun.Of(program, arguments));
        return 0;
    default:
        Console.Error.WriteLine("usage: ConvertBench trace DIR BYTES STREAMS PACKET_BYTES [index] | run PROGRAM [ARGUMENT]...");
        return 2;
}
