using System.Runtime.InteropServices;
using System.Text;

namespace FtracePages;

/// <summary>
/// An event as the kernel's own are: behind the id, which the ring writes (<c>common_type</c>), the other fields that all of them have.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal readonly record struct WorkerStep(byte Flags, byte PreemptCount, int ProcessId, uint Worker, uint Step)
{
    public const uint Id = 1;

    public const string Format = """
        name: step
        ID: 1
        format:
        	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
        	field:unsigned char common_flags;	offset:2;	size:1;	signed:0;
        	field:unsigned char common_preempt_count;	offset:3;	size:1;	signed:0;
        	field:int common_pid;	offset:4;	size:4;	signed:1;

        	field:unsigned int worker;	offset:8;	size:4;	signed:0;
        	field:unsigned int step;	offset:12;	size:4;	signed:0;

        print fmt: "worker=%u step=%u", REC->worker, REC->step

        """;

    public WorkerStep(int processId, uint worker, uint step)
        : this(0, 0, processId, worker, step)
    {
    }
}

/// <summary>
/// Writes a trace.dat, version 6: what the pages and the events look like, in the kernel's own words, then each CPU's pages. Source:
/// trace-cmd, Documentation/trace-cmd/trace-cmd.dat.v6.5.txt.
/// </summary>
internal static class TraceDat
{
    public const int PageBytes = 4096;

    /// <summary>What <c>events/header_page</c> of tracefs says for such pages.</summary>
    public const string HeaderPage =
        "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n" +
        "\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n" +
        "\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n" +
        "\tfield: char data;\toffset:16;\tsize:4080;\tsigned:0;\n";

    /// <summary>What <c>events/header_event</c> says.</summary>
    public const string HeaderEvent =
        "# compressed entry header\n" +
        "\ttype_len    :    5 bits\n" +
        "\ttime_delta  :   27 bits\n" +
        "\tarray       :   32 bits\n\n" +
        "\tpadding     : type == 29\n" +
        "\ttime_extend : type == 30\n" +
        "\ttime_stamp : type == 31\n" +
        "\tdata max type_len  == 28\n";

    public static void Write(string path, SortedDictionary<int, List<byte[]>> pagesByCpu)
    {
        int cpus = pagesByCpu.Count == 0 ? 1 : pagesByCpu.Keys.Max() + 1;
        using var file = new BinaryWriter(File.Create(path));
        file.Write([0x17, 0x08, 0x44, .. "tracing"u8]);
        WriteText("6");
        file.Write((byte)0); // little-endian
        file.Write((byte)sizeof(ulong));
        file.Write(PageBytes);
        WriteText("header_page");
        WriteSized(HeaderPage);
        WriteText("header_event");
        WriteSized(HeaderEvent);
        file.Write(0); // ftrace's own formats
        file.Write(1); // systems of events
        WriteText("worker");
        file.Write(1);
        WriteSized(WorkerStep.Format);
        file.Write(0); // kallsyms
        file.Write(0); // printk's formats
        string commands = $"{Environment.ProcessId} FtracePages\n";
        WriteSized(commands);
        file.Write(cpus);
        WriteText("options  ");
        file.Write((ushort)0);
        WriteText("flyrecord");

        long offset = RoundUp(file.BaseStream.Position + (cpus * 2 * sizeof(ulong)));
        for (int cpu = 0; cpu < cpus; cpu++)
        {
            long bytes = pagesByCpu.TryGetValue(cpu, out var pages) ? pages.Count * (long)PageBytes : 0;
            file.Write(offset);
            file.Write(bytes);
            offset += bytes;
        }
        foreach (byte[] page in pagesByCpu.Values.SelectMany(pages => pages))
        {
            file.Write(new byte[RoundUp(file.BaseStream.Position) - file.BaseStream.Position]);
            file.Write(page);
        }
        file.Write(new byte[RoundUp(file.BaseStream.Position) - file.BaseStream.Position]);

        void WriteText(string text)
        {
            file.Write(Encoding.ASCII.GetBytes(text));
            file.Write((byte)0);
        }

        void WriteSized(string text)
        {
            file.Write((long)text.Length);
            file.Write(Encoding.ASCII.GetBytes(text));
        }
    }

    private static long RoundUp(long offset) => (offset + PageBytes - 1) / PageBytes * PageBytes;
}
