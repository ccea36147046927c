using System.Globalization;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Weir.Ctf;

namespace Weir.Kernel;

/// <summary>Dumps what a machine has: CPUs, interrupts, block devices, network interfaces and their addresses.</summary>
internal sealed class MachineDump
{
    private readonly StateDumpOutput _output;
    private readonly ProcFile _files;
    private readonly WrittenEvent _cpu;
    private readonly WrittenEvent _interrupt;
    private readonly WrittenEvent _blockDevice;
    private readonly WrittenEvent _interface;
    private readonly WrittenEvent _address;

    public MachineDump(StateDumpOutput output, ProcFile files)
    {
        _output = output;
        _files = files;
        _cpu = output.Declare(
            "lttng_statedump_cpu_topology", FieldOf.Text("architecture"), FieldOf.UInt16("cpu_id"), FieldOf.Text("vendor"), FieldOf.UInt8("family"),
            FieldOf.UInt8("model"), FieldOf.Text("model_name"), FieldOf.UInt16("physical_id"), FieldOf.UInt16("core_id"), FieldOf.UInt16("cores"));
        _interrupt = output.Declare("lttng_statedump_interrupt", FieldOf.UInt32("irq"), FieldOf.Text("name"), FieldOf.Text("action"), FieldOf.Int32("tid"));
        _blockDevice = output.Declare("lttng_statedump_block_device", FieldOf.UInt32("dev"), FieldOf.Text("diskname"));
        _interface = output.Declare(
            "lttng_statedump_network_interface", FieldOf.Text("name"),
            new StructureMember("address_ipv4", new IntegerFieldClass(32) { ByteOrder = ByteOrder.BigEndian, DisplayBase = DisplayBase.Hexadecimal }));
        _address = output.Declare(
            "weir_statedump_network_address", FieldOf.Text("interface"), FieldOf.Text("address"), FieldOf.UInt8("prefix_length"), FieldOf.UInt8("is_up"));
    }

    public void Write()
    {
        WriteCpus();
        WriteInterrupts();
        WriteBlockDevices();
        WriteInterfaces();
    }

    /// <summary>Entries of /proc/cpuinfo, which begin with <c>processor : N</c>; what other processors than x86 do not say there is 0.</summary>
    private void WriteCpus()
    {
        string architecture = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 or Architecture.X86 => "x86",
            Architecture.Arm64 => "aarch64",
            var other => other.ToString(),
        };
        string all = Encoding.UTF8.GetString(_files.Read("/proc/cpuinfo"));
        foreach (string entry in all.Split("\n\n"))
        {
            byte[] bytes = Encoding.UTF8.GetBytes(entry);
            if (ByteWords.Find(bytes, "processor"u8) is not { IsEmpty: false } number || !char.IsAsciiDigit((char)number[0]))
                continue;
            long cpu = ByteWords.Decimal(number);
            var event_ = _output.Begin(_cpu);
            event_.WriteString(Encoding.ASCII.GetBytes(architecture));
            event_.Write((ulong)cpu, 16);
            event_.WriteString(Or(ByteWords.Find(bytes, "vendor_id"u8), "unknown"u8));
            event_.Write((ulong)ByteWords.Decimal(ByteWords.Find(bytes, "cpu family"u8)), 8);
            event_.Write((ulong)ByteWords.Decimal(ByteWords.Find(bytes, "model"u8)), 8);
            event_.WriteString(Or(ByteWords.Find(bytes, "model name"u8), "unknown"u8));
            event_.Write(Topology(cpu, "physical_package_id"), 16);
            event_.Write(Topology(cpu, "core_id"), 16);
            event_.Write((ulong)ByteWords.Decimal(ByteWords.Find(bytes, "cpu cores"u8)), 16);
            _output.End();
        }
    }

    private ulong Topology(long cpu, string name) =>
        (ulong)ByteWords.Decimal(_files.Read(string.Create(CultureInfo.InvariantCulture, $"/sys/devices/system/cpu/cpu{cpu}/topology/{name}")));

    /// <summary>An event for each handler; interrupts that nobody handles have none. The thread of a handler is not told by /sys.</summary>
    private void WriteInterrupts()
    {
        foreach (int number in ProcFile.Numbers("/sys/kernel/irq"))
        {
            string directory = string.Create(CultureInfo.InvariantCulture, $"/sys/kernel/irq/{number}");
            byte[] chip = _files.Read($"{directory}/chip_name").TrimEnd((byte)'\n').ToArray();
            var actions = _files.Read($"{directory}/actions").TrimEnd((byte)'\n');
            while (actions.Length > 0)
            {
                int end = actions.IndexOf((byte)',');
                var event_ = _output.Begin(_interrupt);
                event_.Write((uint)number, 32);
                event_.WriteString(Or(chip, "unnamed_irq_chip"u8));
                event_.WriteString(end < 0 ? actions : actions[..end]);
                event_.Write(0, 32);
                _output.End();
                actions = end < 0 ? [] : actions[(end + 1)..];
            }
        }
    }

    /// <summary>Lines <c>major minor blocks name</c> behind a heading.</summary>
    private void WriteBlockDevices()
    {
        var text = _files.Read("/proc/partitions");
        while (ByteWords.TakeLine(ref text, out var line))
        {
            var words = new ByteWords(line);
            var major = words.Next();
            if (major is not [>= (byte)'0' and <= (byte)'9', ..])
                continue;
            ulong minor = (ulong)ByteWords.Decimal(words.Next());
            words.Skip(1);
            var event_ = _output.Begin(_blockDevice);
            // As the kernel keeps it: 12 bits and 20.
            event_.Write(((ulong)ByteWords.Decimal(major) << 20) | minor, 32);
            event_.WriteString(words.Next());
            _output.End();
        }
    }

    private void WriteInterfaces()
    {
        foreach (var item in FindInterfaces())
        {
            bool hasIPv4 = false;
            byte[] name = Encoding.UTF8.GetBytes(item.Name);
            foreach (var address in FindAddresses(item))
            {
                if (address.Address.AddressFamily == AddressFamily.InterNetwork)
                {
                    WriteInterface(name, address.Address.GetAddressBytes());
                    hasIPv4 = true;
                }
                var event_ = _output.Begin(_address);
                event_.WriteString(name);
                event_.WriteString(Encoding.ASCII.GetBytes(address.Address.ToString()));
                event_.Write((ulong)address.PrefixLength, 8);
                event_.Write(item.OperationalStatus == OperationalStatus.Down ? 0u : 1, 8);
                _output.End();
            }
            if (!hasIPv4)
                WriteInterface(name, [0, 0, 0, 0]);
        }
    }

    private static NetworkInterface[] FindInterfaces()
    {
        try
        {
            return NetworkInterface.GetAllNetworkInterfaces();
        }
        catch (NetworkInformationException)
        {
            return [];
        }
    }

    private static UnicastIPAddressInformation[] FindAddresses(NetworkInterface item)
    {
        try
        {
            return [.. item.GetIPProperties().UnicastAddresses];
        }
        catch (NetworkInformationException)
        {
            // It is gone.
            return [];
        }
    }

    private void WriteInterface(byte[] name, byte[] address)
    {
        var event_ = _output.Begin(_interface);
        event_.WriteString(name);
        event_.WriteBytes(address);
        _output.End();
    }

    private static ReadOnlySpan<byte> Or(ReadOnlySpan<byte> text, ReadOnlySpan<byte> otherwise) => text.IsEmpty ? otherwise : text;
}
