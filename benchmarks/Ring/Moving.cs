using System.Diagnostics;
using System.IO.Pipes;
using Microsoft.Win32.SafeHandles;
using Weir.Bench.Emit;
using Weir.Clock;
using Weir.Ring;
using StreamReader = Weir.Ring.StreamReader;

namespace Weir.Bench.Ring;

/// <summary>
/// Packets from a ring's memory to a file in memory and to a pipe, in GB/s: moved by descriptor (sendfile), copied through this process (read,
/// then write), and to the file written from the ring's own pages.
/// </summary>
internal static unsafe class Moving
{
    private const int PacketCount = 16;

    public static void Measure(Samples samples, int rounds)
    {
        foreach (int packetBytes in (ReadOnlySpan<int>)[64 << 10, 1 << 20])
        {
            var options = Rings.Options(packetBytes, PacketCount) with { Backing = RingBacking.MemoryFiles };
            var ring = RingBuffer<PacketClient<Global, Discard<NoWakeUp>, CtfCompact<MonotonicClock>, NoHooks>>.Create(options);
            using var reader = ring.OpenReader(0);
            Fill(ring, reader);
            string path = Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"weir-bench-{Environment.ProcessId}");
            using var file = File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite, options: FileOptions.DeleteOnClose);
            using var pipe = new AnonymousPipeServerStream(PipeDirection.Out);
            using var sink = new AnonymousPipeClientStream(PipeDirection.In, pipe.ClientSafePipeHandle);
            var drain = new Thread(() =>
            {
                var bytes = new byte[1 << 20];
                while (sink.Read(bytes) > 0)
                {
                }
            });
            drain.Start();
            var buffer = new byte[packetBytes];
            for (int round = -5; round < rounds; round++)
            {
                string size = $"{packetBytes >> 10}k";
                Run($"ring.move.file.{size}.descriptor", round, samples, ToFileByDescriptor);
                Run($"ring.move.file.{size}.copy", round, samples, ToFileByCopy);
                Run($"ring.move.file.{size}.write", round, samples, packet => PacketPipe.Write(reader, packet, file, (long)packet.SequenceNumber * packetBytes));
                Run($"ring.move.pipe.{size}.descriptor", round, samples, packet => PacketPipe.Move(reader, packet, pipe.SafePipeHandle));
                Run($"ring.move.pipe.{size}.copy", round, samples, packet =>
                {
                    reader.Copy(packet.SequenceNumber, buffer);
                    pipe.Write(buffer);
                });
            }
            pipe.Dispose();
            drain.Join();

            void ToFileByDescriptor(PendingPacket packet)
            {
                if (packet.SequenceNumber == 0)
                    Rewind(file);
                PacketPipe.Move(reader, packet, file);
            }

            void ToFileByCopy(PendingPacket packet)
            {
                reader.Copy(packet.SequenceNumber, buffer);
                RandomAccess.Write(file, buffer, (long)packet.SequenceNumber * packetBytes);
            }

            void Run(string name, int round, Samples samples, Action<PendingPacket> move)
            {
                long begin = Stopwatch.GetTimestamp();
                for (int i = 0; i < PacketCount - 1; i++)
                    move(new PendingPacket(StreamLayout.HeadBytes + ((long)i * packetBytes), packetBytes, (ulong)i));
                double seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
                if (round >= 0)
                    samples.Add(name, (PacketCount - 1) * (double)packetBytes / seconds / 1e9);
            }
        }
    }

    private static void Rewind(SafeFileHandle file)
    {
        using var stream = new FileStream(new SafeFileHandle(file.DangerousGetHandle(), ownsHandle: false), FileAccess.ReadWrite, 0);
        stream.Seek(0, SeekOrigin.Begin);
        stream.Flush();
    }

    private static void Fill(RingBuffer ring, StreamReader reader)
    {
        var thread = WriterThread.New();
        ulong payload = 1;
        while (reader.LostFull == 0)
            ring.Write(thread, 3, (byte*)&payload, sizeof(ulong));
        WriterThread.Free(thread);
    }
}
