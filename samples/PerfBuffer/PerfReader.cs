using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;

namespace PerfBuffer;

/// <summary>
/// Reads the buffers of all CPUs as one reads those of <c>perf_event_open</c>: linux, include/uapi/linux/perf_event.h. Nothing here knows
/// who wrote them, but where in the file the control page lies.
/// </summary>
internal static unsafe class PerfReader
{
    private const int ControlPageOffset = 4096;
    private const int DataHead = 1024;
    private const int DataTail = 1032;
    private const int DataOffset = 1040;
    private const int DataSize = 1048;

    public static int Run(string directory, Func<bool> isOver)
    {
        var buffers = new SortedDictionary<string, Buffer>(StringComparer.Ordinal);
        long samples = 0;
        bool isLast = false;
        Console.WriteLine("ready");
        while (!isLast)
        {
            isLast = isOver();
            // A CPU that a writer comes to for the first time has a file from then on.
            foreach (string path in Directory.GetFiles(directory, "stream_*"))
            {
                if (!buffers.ContainsKey(path) && Buffer.TryMap(path) is { } buffer)
                    buffers.Add(path, buffer);
            }
            long before = samples;
            foreach (var buffer in buffers.Values)
                samples += buffer.ReadAll();
            if (samples == before && !isLast)
                Thread.Sleep(1);
        }
        Console.WriteLine($"read: {samples} samples from {buffers.Count} CPUs");
        return 0;
    }

    private sealed class Buffer
    {
        private readonly byte* _control;
        private readonly byte* _data;
        private readonly ulong _size;

        private Buffer(byte* control)
        {
            _control = control;
            _data = control + *(ulong*)(control + DataOffset);
            _size = *(ulong*)(control + DataSize);
        }

        /// <summary>Maps a file from its control page on; null while its writer is making it.</summary>
        public static Buffer? TryMap(string path)
        {
            using var file = MemoryMappedFile.CreateFromFile(path, FileMode.Open);
            var view = file.CreateViewAccessor(ControlPageOffset, 0);
            byte* control = null;
            view.SafeMemoryMappedViewHandle.AcquirePointer(ref control);
            control += view.PointerOffset;
            return Volatile.Read(ref *(ulong*)(control + DataSize)) == 0 ? null : new Buffer(control);
        }

        public long ReadAll()
        {
            // Acquire: the head before the records. Partner: the writer stores it after them.
            ulong head = Volatile.Read(ref *(ulong*)(_control + DataHead));
            ulong tail = *(ulong*)(_control + DataTail);
            long samples = 0;
            Span<byte> record = new byte[ushort.MaxValue];
            while (tail < head)
            {
                Copy(tail, record[..8]);
                ushort size = BinaryPrimitives.ReadUInt16LittleEndian(record[6..]);
                Copy(tail, record[..size]);
                Check(record[..size]);
                samples++;
                tail += size;
            }
            // Release: the records before the tail, behind which the writer may write again.
            Volatile.Write(ref *(ulong*)(_control + DataTail), tail);
            return samples;
        }

        /// <summary>A record may lie over the buffer's end.</summary>
        private void Copy(ulong position, Span<byte> target)
        {
            ulong offset = position & (_size - 1);
            int first = (int)Math.Min((ulong)target.Length, _size - offset);
            new ReadOnlySpan<byte>(_data + offset, first).CopyTo(target);
            new ReadOnlySpan<byte>(_data, target.Length - first).CopyTo(target[first..]);
        }

        private static void Check(ReadOnlySpan<byte> record)
        {
            const uint PerfRecordSample = 9;
            if (BinaryPrimitives.ReadUInt32LittleEndian(record) != PerfRecordSample)
                throw new InvalidDataException("not a sample");
            int rawBytes = BinaryPrimitives.ReadInt32LittleEndian(record[40..]);
            var raw = record.Slice(44, rawBytes);
            int number = BinaryPrimitives.ReadInt32LittleEndian(raw);
            if (raw.Slice(sizeof(int), number % 200).ContainsAnyExcept((byte)number))
                throw new InvalidDataException("a sample's bytes are not those that were written");
        }
    }
}
