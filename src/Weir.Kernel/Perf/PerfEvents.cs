using System.Text;
using Weir.Ctf;

namespace Weir.Kernel;

/// <summary>The kinds of events that the kernel's records of counters become.</summary>
internal sealed class PerfEvents
{
    public PerfEvents(KernelTrace trace, DataStreamClass stream)
    {
        var labels = PerfCounters.All.Select((counter, index) => (counter.Name, (long)index)).ToArray();
        Sample = WrittenEvent.Declare(
            trace, stream, "perf_sample",
            [
                FieldOf.Labelled("counter", 8, labels), FieldOf.Int32("pid"), FieldOf.Int32("tid"), FieldOf.UInt32("cpu"), FieldOf.UInt64("period"),
                FieldOf.Hex64("ip"), FieldOf.Hex64("addr"), .. FieldOf.HexSequence("kernel_stack", 64), .. FieldOf.HexSequence("user_stack", 64),
            ]);
        Map = WrittenEvent.Declare(
            trace, stream, "perf_mmap",
            [
                FieldOf.Int32("pid"), FieldOf.Int32("tid"), FieldOf.Hex64("start"), FieldOf.Hex64("end"), FieldOf.Hex64("offset"),
                .. FieldOf.HexSequence("build_id", 8), FieldOf.Text("path"),
            ]);
        Name = WrittenEvent.Declare(trace, stream, "perf_comm", FieldOf.Int32("pid"), FieldOf.Int32("tid"), FieldOf.UInt8("is_exec"), FieldOf.Text("comm"));
        Fork = WrittenEvent.Declare(trace, stream, "perf_fork", FieldOf.Int32("pid"), FieldOf.Int32("ppid"), FieldOf.Int32("tid"), FieldOf.Int32("ptid"));
        Exit = WrittenEvent.Declare(trace, stream, "perf_exit", FieldOf.Int32("pid"), FieldOf.Int32("ppid"), FieldOf.Int32("tid"), FieldOf.Int32("ptid"));
        Symbol = WrittenEvent.Declare(
            trace, stream, "perf_symbol", FieldOf.Int32("pid"), FieldOf.Hex64("address"), FieldOf.UInt64("offset"), FieldOf.UInt64("size"),
            FieldOf.Text("name"), FieldOf.Text("module"));
    }

    public WrittenEvent Sample { get; }

    public WrittenEvent Map { get; }

    public WrittenEvent Name { get; }

    public WrittenEvent Fork { get; }

    public WrittenEvent Exit { get; }

    public WrittenEvent Symbol { get; }

    public IEnumerable<WrittenEvent> All => [Sample, Map, Name, Fork, Exit, Symbol];

    /// <summary>Writes what an address of a stack means.</summary>
    public void WriteSymbol(KernelStream stream, ulong time, in ResolvedSymbol symbol)
    {
        var event_ = stream.BeginEvent(Symbol, time);
        event_.Write((uint)symbol.Pid, 32);
        event_.Write(symbol.Address, 64);
        event_.Write(symbol.OffsetBytes, 64);
        event_.Write(symbol.SizeBytes, 64);
        event_.WriteString(Encoding.UTF8.GetBytes(symbol.Name));
        event_.WriteString(Encoding.UTF8.GetBytes(symbol.Module));
        stream.EndEvent();
    }
}
