using System.Text;
using Weir.Ctf;

namespace Weir.Kernel;

/// <summary>
/// Writes the names of the kernel's functions that a recording has addresses of, into a stream of its trace: an event <c>kernel_symbol</c>
/// for each function, at the time of the recording's beginning. So no reader needs the kernel that was recorded.
/// <code>
///  kernel_symbol { address u64, size u64, name string, module string }      an address of it lies in [address, address + size)
/// </code>
/// </summary>
internal static class KernelSymbolStream
{
    private const string FileName = "symbols_0";
    private const string EventName = "kernel_symbol";

    /// <summary>Writes them; nothing where there are no addresses.</summary>
    /// <param name="trace">The trace, whose metadata is still open.</param>
    /// <param name="addresses">The addresses that events have.</param>
    /// <param name="symbols">The kernel's functions.</param>
    /// <param name="time">The time of the events, in the trace's cycles.</param>
    /// <param name="packetBytes">Bytes of a packet.</param>
    public static void Write(KernelTrace trace, KernelAddresses addresses, KernelFunctions symbols, ulong time, int packetBytes)
    {
        var found = new SortedDictionary<ulong, SymbolTable.Entry>();
        foreach (ulong address in addresses.All)
        {
            if (symbols.Find(address) is { } symbol)
                found.TryAdd(symbol.Address, symbol);
        }
        if (found.Count == 0)
            return;
        var streamClass = trace.AddStreamClass(null, LttngEventHeader.Compact);
        uint id = trace.Declare(streamClass, EventName, new StructureFieldClass(
        [
            new("address", new IntegerFieldClass(64) { DisplayBase = DisplayBase.Hexadecimal }),
            new("size", new IntegerFieldClass(64)),
            new("name", new StringFieldClass()),
            new("module", new StringFieldClass()),
        ]));
        using var stream = trace.OpenStream(streamClass, FileName, cpu: 0, instance: 0, packetBytes);
        foreach (var symbol in found.Values)
        {
            var fields = stream.BeginEvent(id, time);
            fields.Write(symbol.Address, 64);
            fields.Write(symbol.SizeBytes, 64);
            fields.WriteString(Encoding.UTF8.GetBytes(symbol.Name));
            fields.WriteString(Encoding.UTF8.GetBytes(symbol.Module));
            stream.EndEvent();
        }
    }
}
