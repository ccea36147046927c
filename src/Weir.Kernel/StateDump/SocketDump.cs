using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;
using Weir.Ctf;

namespace Weir.Kernel;

/// <summary>
/// Dumps the sockets of each network namespace, with a process that has them open:
/// <code>
///  sl  local_address rem_address   st tx_queue:rx_queue tr:tm->when retrnsmt   uid  timeout inode      /proc/net/tcp, udp, tcp6, udp6
///  Num       RefCount Protocol Flags    Type St Inode Path                                             /proc/net/unix
/// </code>
/// Source: linux, Documentation/networking/proc_net_tcp.rst.
/// </summary>
internal sealed class SocketDump
{
    private static readonly string[] s_protocols = ["tcp", "tcp6", "udp", "udp6"];

    private readonly StateDumpOutput _output;
    private readonly ProcFile _files;
    private readonly WrittenEvent _inet;
    private readonly WrittenEvent _unix;

    public SocketDump(StateDumpOutput output, ProcFile files)
    {
        _output = output;
        _files = files;
        _inet = output.Declare(
            "weir_statedump_inet_socket", FieldOf.UInt64("inode"), FieldOf.Int32("pid"), FieldOf.UInt32("net_ns"), FieldOf.Text("protocol"),
            FieldOf.Labelled("state", 8, ("established", 1), ("syn_sent", 2), ("syn_recv", 3), ("fin_wait1", 4), ("fin_wait2", 5), ("time_wait", 6),
                ("close", 7), ("close_wait", 8), ("last_ack", 9), ("listen", 10), ("closing", 11), ("new_syn_recv", 12)),
            FieldOf.Text("local_address"), FieldOf.UInt16("local_port"), FieldOf.Text("remote_address"), FieldOf.UInt16("remote_port"), FieldOf.UInt32("uid"));
        _unix = output.Declare(
            "weir_statedump_unix_socket", FieldOf.UInt64("inode"), FieldOf.Int32("pid"), FieldOf.UInt32("net_ns"),
            FieldOf.Labelled("type", 16, ("stream", 1), ("dgram", 2), ("seqpacket", 5)),
            FieldOf.Labelled("state", 8, ("unconnected", 1), ("connecting", 2), ("connected", 3), ("disconnecting", 4)),
            FieldOf.Text("path"));
    }

    /// <summary>Dumps.</summary>
    /// <param name="namespaces">A process of each namespace, by the namespace's number.</param>
    /// <param name="owners">A process that has a socket open, by the socket's number.</param>
    public void Write(Dictionary<uint, int> namespaces, Dictionary<ulong, int> owners)
    {
        foreach (var (number, pid) in namespaces)
        {
            string directory = string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/net");
            foreach (string protocol in s_protocols)
            {
                if (_output.IsOver)
                    return;
                WriteInet(_files.Read($"{directory}/{protocol}"), protocol, number, owners);
            }
            WriteUnix(_files.Read($"{directory}/unix"), number, owners);
        }
    }

    private void WriteInet(ReadOnlySpan<byte> text, string protocol, uint networkNamespace, Dictionary<ulong, int> owners)
    {
        byte[] protocolName = Encoding.ASCII.GetBytes(protocol);
        ByteWords.TakeLine(ref text, out _);
        while (ByteWords.TakeLine(ref text, out var line))
        {
            var words = new ByteWords(line);
            words.Skip(1);
            if (!TryParse(words.Next(), out var local, out int localPort) || !TryParse(words.Next(), out var remote, out int remotePort))
                continue;
            ulong state = ByteWords.Hex(words.Next());
            words.Skip(3);
            uint user = (uint)ByteWords.Decimal(words.Next());
            words.Skip(1);
            ulong inode = (ulong)ByteWords.Decimal(words.Next());
            var event_ = Begin(_inet, inode, networkNamespace, owners);
            event_.WriteString(protocolName);
            event_.Write(state, 8);
            event_.WriteString(Encoding.ASCII.GetBytes(local.ToString()));
            event_.Write((ulong)localPort, 16);
            event_.WriteString(Encoding.ASCII.GetBytes(remote.ToString()));
            event_.Write((ulong)remotePort, 16);
            event_.Write(user, 32);
            _output.End();
        }
    }

    private void WriteUnix(ReadOnlySpan<byte> text, uint networkNamespace, Dictionary<ulong, int> owners)
    {
        ByteWords.TakeLine(ref text, out _);
        while (ByteWords.TakeLine(ref text, out var line))
        {
            var words = new ByteWords(line);
            words.Skip(4);
            ulong type = ByteWords.Hex(words.Next());
            ulong state = ByteWords.Hex(words.Next());
            ulong inode = (ulong)ByteWords.Decimal(words.Next());
            var event_ = Begin(_unix, inode, networkNamespace, owners);
            event_.Write(type, 16);
            event_.Write(state, 8);
            // As ss(8) prints it: babeltrace2 2.0 prints for an empty text that of the event before.
            event_.WriteString(words.Rest.IsEmpty ? "*"u8 : words.Rest);
            _output.End();
        }
    }

    /// <summary>The fields that both kinds of sockets have; a socket whose process is not known has 0.</summary>
    private BitWriter Begin(WrittenEvent kind, ulong inode, uint networkNamespace, Dictionary<ulong, int> owners)
    {
        var event_ = _output.Begin(kind);
        event_.Write(inode, 64);
        event_.Write((uint)owners.GetValueOrDefault(inode), 32);
        event_.Write(networkNamespace, 32);
        return event_;
    }

    /// <summary>An address and a port, such as <c>0100007F:1F90</c>: the words of the address in the machine's own byte order, the port as a number.</summary>
    internal static bool TryParse(ReadOnlySpan<byte> text, out IPAddress address, out int port)
    {
        address = IPAddress.None;
        port = 0;
        int colon = text.IndexOf((byte)':');
        if (colon is not (8 or 32))
            return false;
        Span<byte> bytes = stackalloc byte[colon / 2];
        for (int i = 0; i < colon; i += 8)
        {
            uint word = (uint)ByteWords.Hex(text.Slice(i, 8));
            if (BitConverter.IsLittleEndian)
                BinaryPrimitives.WriteUInt32LittleEndian(bytes[(i / 2)..], word);
            else
                BinaryPrimitives.WriteUInt32BigEndian(bytes[(i / 2)..], word);
        }
        address = new IPAddress(bytes);
        port = (int)ByteWords.Hex(text[(colon + 1)..]) & 0xFFFF;
        return true;
    }
}
