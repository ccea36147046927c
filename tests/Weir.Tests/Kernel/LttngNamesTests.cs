using Weir.Ctf;
using Weir.Graph;
using Weir.Kernel;
using Xunit;

namespace Weir.Tests.Kernel;

public sealed unsafe class LttngNamesTests
{
    private const string SharedFields = """
        format:
            field:unsigned short common_type;	offset:0;	size:2;	signed:0;
            field:unsigned char common_flags;	offset:2;	size:1;	signed:0;
            field:unsigned char common_preempt_count;	offset:3;	size:1;	signed:0;
            field:int common_pid;	offset:4;	size:4;	signed:1;


        """;

    private static readonly FtraceFormat s_openat = Format("""
        name: sys_enter_openat
        ID: 782
        """, """
            field:int __syscall_nr;	offset:8;	size:4;	signed:1;
            field:int dfd;	offset:16;	size:8;	signed:0;
            field:const char * filename;	offset:24;	size:8;	signed:0;
            field:int flags;	offset:32;	size:8;	signed:0;
            field:umode_t mode;	offset:40;	size:8;	signed:0;

        print fmt: "dfd: 0x%08lx, filename: 0x%08lx, flags: 0x%08lx, mode: 0x%08lx", ((unsigned long)(REC->dfd)), ((unsigned long)(REC->filename)), ((unsigned long)(REC->flags)), ((unsigned long)(REC->mode))
        """);

    [Fact]
    public void FieldsAreCalledAsInLttngsTraces()
    {
        var (name, format) = LttngNames.Apply("sched", Format("""
            name: sched_switch
            ID: 1
            """, """
                field:char prev_comm[16];	offset:8;	size:16;	signed:0;
                field:pid_t prev_pid;	offset:24;	size:4;	signed:1;
                field:int prev_prio;	offset:28;	size:4;	signed:1;
                field:long prev_state;	offset:32;	size:8;	signed:1;
                field:char next_comm[16];	offset:40;	size:16;	signed:0;
                field:pid_t next_pid;	offset:56;	size:4;	signed:1;
                field:int next_prio;	offset:60;	size:4;	signed:1;
            """), ByteOrder.LittleEndian);

        Assert.Equal("sched_switch", name);
        Assert.Equal("prev_comm prev_tid prev_prio prev_state next_comm next_tid next_prio", string.Join(' ', format.Fields.Select(field => field.Name)));
        Assert.Equal("prev_pid", LttngNames.KernelField("sched", "sched_switch", "prev_tid"));
        Assert.Equal("next_comm", LttngNames.KernelField("sched", "sched_switch", "next_comm"));
        Assert.Equal("next_pid", LttngNames.KernelField("sched", "sched_switch", "next_pid"));
    }

    [Theory]
    [InlineData("irq", "softirq_entry", "irq_softirq_entry")]
    [InlineData("irq", "irq_handler_entry", "irq_handler_entry")]
    [InlineData("timer", "hrtimer_start", "timer_hrtimer_start")]
    [InlineData("timer", "timer_start", "timer_start")]
    [InlineData("irq_vectors", "x86_platform_ipi_entry", "x86_irq_vectors_ipi_entry")]
    [InlineData("exceptions", "page_fault_user", "x86_exceptions_page_fault_user")]
    [InlineData("power", "cpu_idle", "power_cpu_idle")]
    [InlineData("kmem", "mm_page_alloc", "kmem_mm_page_alloc")]
    [InlineData("kmem", "kmem_cache_free", "kmem_cache_free")]
    [InlineData("net", "netif_receive_skb", "net_if_receive_skb")]
    [InlineData("skb", "kfree_skb", "skb_kfree")]
    [InlineData("printk", "console", "printk_console")]
    [InlineData("random", "get_random_bytes", "random_get_random_bytes")]
    [InlineData("kvm", "kvm_exit", "kvm_x86_exit")]
    [InlineData("syscalls", "sys_enter_read", "syscall_entry_read")]
    [InlineData("syscalls", "sys_exit_read", "syscall_exit_read")]
    [InlineData("raw_syscalls", "sys_enter", "sys_enter")]
    [InlineData("mine", "cpu_idle", "cpu_idle")]
    public void EventsAreCalledAsInLttngsTraces(string system, string kernelName, string name)
    {
        var format = Format($"name: {kernelName}\nID: 1", "");
        Assert.Equal(name, LttngNames.Apply(system, format, ByteOrder.LittleEndian).Name);
        Assert.Equal(kernelName, LttngNames.Apply(system, format, ByteOrder.LittleEndian).Format.Name);
    }

    [Fact]
    public void ArgumentsHaveTheirOwnTypes()
    {
        var little = LttngNames.Apply("syscalls", s_openat, ByteOrder.LittleEndian).Format;
        Assert.Equal(["dfd@16 s32", "filename@24 u64x", "flags@32 s32", "mode@40 u16"], little.Fields.Select(Describe));
        var big = LttngNames.Apply("syscalls", s_openat, ByteOrder.BigEndian).Format;
        Assert.Equal(["dfd@20 s32", "filename@24 u64x", "flags@36 s32", "mode@46 u16"], big.Fields.Select(Describe));
    }

    [Theory]
    [InlineData(ByteOrder.LittleEndian)]
    [InlineData(ByteOrder.BigEndian)]
    public void CopiedArgumentsHaveTheValuesOfTheRecord(ByteOrder byteOrder)
    {
        // openat(AT_FDCWD, 0x7f0012345678, O_CREAT, 0640): the kernel's unsigned longs, dfd without its sign in the high half.
        Span<byte> record = new byte[48];
        Put(record[16..], 0xffffff9c);
        Put(record[24..], 0x7f0012345678);
        Put(record[32..], 0x40);
        Put(record[40..], 0x1a0);

        var made = FtraceRecordClass.Create(LttngNames.Apply("syscalls", s_openat, byteOrder).Format, byteOrder);
        using var fields = new BitWriter();
        fixed (byte* at = record)
            Assert.True(made.TryCopy(at, record.Length, fields));

        var expected = new byte[18];
        (ulong Value, int Bytes)[] values = [(0xffffff9c, 4), (0x7f0012345678, 8), (0x40, 4), (0x1a0, 2)];
        int offset = 0;
        foreach (var (value, bytes) in values)
        {
            for (int i = 0; i < bytes; i++)
                expected[offset + (byteOrder == ByteOrder.LittleEndian ? i : bytes - 1 - i)] = (byte)(value >> (8 * i));
            offset += bytes;
        }
        Assert.Equal(expected, fields.Written.ToArray());

        void Put(Span<byte> target, ulong value)
        {
            for (int i = 0; i < 8; i++)
                target[byteOrder == ByteOrder.LittleEndian ? i : 7 - i] = (byte)(value >> (8 * i));
        }
    }

    [Fact]
    public void TheTableGoesBeforeTheTypesOfArguments()
    {
        var format = Format("name: sys_enter_mmap\nID: 1", """
                field:int __syscall_nr;	offset:8;	size:4;	signed:1;
                field:unsigned long addr;	offset:16;	size:8;	signed:0;
                field:unsigned long len;	offset:24;	size:8;	signed:0;
                field:unsigned long prot;	offset:32;	size:8;	signed:0;
                field:unsigned long flags;	offset:40;	size:8;	signed:0;
                field:unsigned long fd;	offset:48;	size:8;	signed:0;
                field:unsigned long off;	offset:56;	size:8;	signed:0;
            """);
        var (name, changed) = LttngNames.Apply("syscalls", format, ByteOrder.LittleEndian);
        Assert.Equal("syscall_entry_mmap", name);
        Assert.Equal(["addr@16 u64x", "len@24 u64", "prot@32 s32", "flags@40 s32", "fd@48 s32", "offset@56 s64"], changed.Fields.Select(Describe));
        Assert.Equal("off", LttngNames.KernelField("syscalls", "sys_enter_mmap", "offset"));
    }

    [Fact]
    public void ExitsKeepTheirResult()
    {
        var (name, changed) = LttngNames.Apply("syscalls", Format("name: sys_exit_read\nID: 1", """
                field:int __syscall_nr;	offset:8;	size:4;	signed:1;
                field:long ret;	offset:16;	size:8;	signed:1;

            print fmt: "0x%lx", REC->ret
            """), ByteOrder.LittleEndian);
        Assert.Equal("syscall_exit_read", name);
        Assert.Equal(["ret@16 s64"], changed.Fields.Select(Describe));

        // An address.
        var mapped = Format("name: sys_exit_mmap\nID: 1", "    field:long ret;	offset:16;	size:8;	signed:1;");
        Assert.Equal(["ret@16 u64x"], LttngNames.Apply("syscalls", mapped, ByteOrder.LittleEndian).Format.Fields.Select(Describe));
    }

    [Fact]
    public void OldKernelsNumberGoesAndAnArgumentOfThatNameStays()
    {
        var changed = LttngNames.Apply("syscalls", Format("name: sys_enter_io_submit\nID: 1", """
                field:int nr;	offset:8;	size:4;	signed:1;
                field:aio_context_t ctx_id;	offset:16;	size:8;	signed:0;
                field:long nr;	offset:24;	size:8;	signed:0;
            """), ByteOrder.LittleEndian).Format;
        Assert.Equal(["ctx_id@16 u64", "nr@24 s64"], changed.Fields.Select(Describe));
    }

    [Fact]
    public void ATextThatTheKernelHasReadStandsForItsAddress()
    {
        var changed = LttngNames.Apply("syscalls", Format("name: sys_enter_chdir\nID: 1", """
                field:int __syscall_nr;	offset:8;	size:4;	signed:1;
                field:const char * filename;	offset:16;	size:8;	signed:0;
                field:__data_loc char[] __filename_val;	offset:24;	size:4;	signed:0;
            """), ByteOrder.LittleEndian).Format;
        var field = Assert.Single(changed.Fields);
        Assert.Equal("filename", field.Name);
        Assert.True(field.IsText);
    }

    [Fact]
    public void ArgumentsOfA32BitKernelStayAsWideAsTheyAre()
    {
        var changed = LttngNames.Apply("syscalls", Format("name: sys_enter_lseek\nID: 1", """
                field:int __syscall_nr;	offset:8;	size:4;	signed:1;
                field:unsigned int fd;	offset:12;	size:4;	signed:0;
                field:off_t offset;	offset:16;	size:4;	signed:0;
                field:unsigned int whence;	offset:20;	size:4;	signed:0;
            """), ByteOrder.BigEndian).Format;
        Assert.Equal(["fd@12 u32", "offset@16 s32", "whence@20 u32"], changed.Fields.Select(Describe));
    }

    [Fact]
    public void WhatLttngDoesNotHaveStaysAsItIs()
    {
        var format = Format("name: oom_score_adj_update\nID: 1", "    field:pid_t pid;	offset:8;	size:4;	signed:1;");
        var (name, same) = LttngNames.Apply("oom", format, ByteOrder.LittleEndian);
        Assert.Equal("oom_score_adj_update", name);
        Assert.Same(format.Fields, same.Fields);
    }

    [Fact]
    public void AFieldThatIsThereAlreadyIsNotNamedTwice()
    {
        var format = Format("name: sched_wakeup\nID: 1", """
                field:pid_t pid;	offset:8;	size:4;	signed:1;
                field:pid_t tid;	offset:12;	size:4;	signed:1;
            """);
        Assert.Equal(["pid", "tid"], LttngNames.Apply("sched", format, ByteOrder.LittleEndian).Format.Fields.Select(field => field.Name));
    }

    [Fact]
    public void NoTwoEventsOfTheTableHaveOneName()
    {
        Assert.True(LttngEventTable.Events.Count > 500, $"{LttngEventTable.Events.Count} events");
        Assert.Empty(LttngEventTable.Events.GroupBy(item => item.Name ?? item.KernelName).Where(group => group.Count() > 1).Select(group => group.Key));
    }

    [Fact]
    public void ThisKernelsEventsBecomeRecordsWithNamesOfTheirOwn()
    {
        const string Events = TracefsMount.UsualPath + "/events";
        Assert.SkipUnless(Directory.Exists(Events), $"The kernel's tracing files are not mounted, or not to be read: {Events}.");
        var names = new Dictionary<string, string>();
        int known = 0;
        foreach (string path in Directory.EnumerateFiles(Events, "format", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 2 }))
        {
            string system = path.Split('/')[^3];
            var format = FormatParser.Parse(File.ReadAllText(path), nint.Size);
            var (name, changed) = LttngNames.Apply(system, format, ByteOrder.LittleEndian);
            Assert.True(names.TryAdd(name, path) || IsDynamic(system, format), $"{path} and {names[name]} are both called {name}");
            var made = FtraceRecordClass.Create(changed, ByteOrder.LittleEndian);
            Assert.True(made.MinimumBytes <= FtraceRecordClass.Create(format, ByteOrder.LittleEndian).MinimumBytes, path);
            Assert.Equal(changed.Fields.Count, changed.Fields.Select(field => field.Name).Distinct().Count());
            foreach (var field in changed.Fields)
            {
                string kernelName = LttngNames.KernelField(system, format.Name, field.Name);
                Assert.True(format.Fields.Any(original => original.Name == kernelName), $"{path}: no '{kernelName}' for '{field.Name}'");
                Assert.NotEqual("__syscall_nr", field.Name);
            }
            known += LttngEventTable.Find(system, format.Name) is null ? 0 : 1;
        }
        Assert.True(known > 50, $"{known} events of this kernel are in the table");
    }

    /// <summary>Events that somebody made with probes: two groups may have one name.</summary>
    private static bool IsDynamic(string system, FtraceFormat format) => format.FindShared("common_type") is null || LttngEventTable.Find(system, format.Name) is null;

    [Fact]
    public void ThePageHasTheTable()
    {
        string page = File.ReadAllText(Path.Combine(RepositoryRoot(), "docs", "kernel-events.md"));
        string[] lines = page.Split('\n');
        foreach (var item in LttngEventTable.Events)
        {
            Assert.Contains($"`{item.KernelName}`", page, StringComparison.Ordinal);
            foreach (string field in item.Different.Concat(item.Absent))
                Assert.True(lines.Any(line => line.Contains($"`{item.KernelName}`", StringComparison.Ordinal) && line.Contains($"`{field}`", StringComparison.Ordinal)), $"docs/kernel-events.md has no line with `{item.KernelName}` and `{field}`");
        }
    }

    [Fact]
    public void TheEnvironmentIsThatOfLttngsKernelTraces()
    {
        var created = new DateTimeOffset(2024, 2, 3, 4, 5, 6, TimeSpan.FromHours(-5));
        var entries = LttngEnvironment.Create("mine", created).ToDictionary(entry => entry.Name);
        Assert.Equal("kernel", entries["domain"].Text);
        Assert.Equal("lttng-modules", entries["tracer_name"].Text);
        Assert.Equal((2L, 13L), (entries["tracer_major"].Number, entries["tracer_minor"].Number));
        Assert.Equal("20240203T040506-0500", entries["trace_creation_datetime"].Text);
        Assert.Equal("mine", entries["trace_name"].Text);
        Assert.Equal("weir", entries["recorder"].Text);
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The rest is Linux's.");
        Assert.Equal("Linux", entries["sysname"].Text);
        Assert.Equal(File.ReadAllText("/proc/sys/kernel/osrelease").Trim(), entries["kernel_release"].Text);
    }

    private static string RepositoryRoot()
    {
        string directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "Weir.slnx")))
            directory = Path.GetDirectoryName(directory) ?? throw new InvalidOperationException("Weir.slnx was not found above the test directory.");
        return directory;
    }

    private static string Describe(FtraceField field) =>
        $"{field.Name}@{field.OffsetBytes} {(field.IsSigned ? 's' : 'u')}{field.SizeBytes * 8}{(field.IsHexadecimal || field.IsPointer ? "x" : "")}";

    private static FtraceFormat Format(string head, string fields) => FormatParser.Parse($"{head}\n{SharedFields}{fields}\n", 8);
}
