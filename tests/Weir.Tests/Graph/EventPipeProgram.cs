using System.Diagnostics.Tracing;
using System.Runtime.CompilerServices;

namespace Weir.Tests.Graph;

/// <summary>A program to record with EventPipe: events of every type, and work for the runtime's own events.</summary>
internal static class EventPipeProgram
{
    private static readonly object s_lock = new();

    /// <summary>Records it into a file; the lines of what it was called with and the runtime's providers are in <paramref name="configuration"/>.</summary>
    public static void Record(string path, string configuration) => Child.Run(Run, [], new()
    {
        ["DOTNET_EnableEventPipe"] = "1",
        ["DOTNET_EventPipeConfig"] = configuration,
        ["DOTNET_EventPipeOutputPath"] = path,
        ["DOTNET_EventPipeCircularMB"] = "256",
    });

    public static int Run(string[] arguments)
    {
        var threads = new List<Thread>();
        for (int i = 0; i < 3; i++)
        {
            int number = i;
            threads.Add(new Thread(() => Work(number)));
            threads[^1].Start();
        }
        foreach (var thread in threads)
            thread.Join();
        Task.Run(() => GC.Collect()).Wait();
        return arguments.Length;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Work(int number)
    {
        for (int i = 0; i < 20; i++)
        {
            AllTypesSource.Log.WorkStart(i);
            AllTypesSource.Log.Numbers((sbyte)-i, (byte)i, (short)(-300 * i), (ushort)(300 * i), -100_000 * i, 100_000u * (uint)i, long.MinValue + i, ulong.MaxValue - (ulong)i);
            AllTypesSource.Log.Reals(i / 7f, Math.PI * i);
            AllTypesSource.Log.Others(i % 2 == 0, (char)('a' + i), $"text {i} é€𝄞", new Guid(i, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), new DateTime(2024, 5, 6, 7, 8, 9, DateTimeKind.Utc).AddTicks(i), (nint)(-i), (Color)(i % 3));
            SelfDescribingSource.Log.Arrays([1, 2, i], "after");
            SelfDescribingSource.Log.Reals($"é{i}", [i / 2.0, 1]);
            AllTypesSource.Log.Odd("begin");
            AllTypesSource.Log.Received(i);
            SelfDescribingSource.Log.Write("Dynamic", new { A = i, B = "b", C = new { D = 1.5, E = (byte)4 } });
            try
            {
                lock (s_lock)
                {
                    if (i % 5 == 0)
                        Thread.Sleep(2);
                    throw new InvalidOperationException($"thrown {number} {i}");
                }
            }
            catch (InvalidOperationException)
            {
            }
            if (i % 10 == 0)
                GC.Collect(i / 10);
            AllTypesSource.Log.WorkStop(i);
        }
    }

    internal enum Color
    {
        Red,
        Green,
        Blue,
    }

    [EventSource(Name = "Weir-Tests-All")]
    private sealed class AllTypesSource : EventSource
    {
        public static readonly AllTypesSource Log = new();

        [Event(1)]
        public void WorkStart(int id) => WriteEvent(1, id);

        [Event(2)]
        public void WorkStop(int id) => WriteEvent(2, id);

        [Event(3, Level = EventLevel.Warning)]
        public void Numbers(sbyte a, byte b, short c, ushort d, int e, uint f, long g, ulong h) => WriteEvent(3, a, b, c, d, e, f, g, h);

        [Event(4)]
        public void Reals(float single, double @double) => WriteEvent(4, single, @double);

        [Event(5)]
        public void Others(bool flag, char letter, string text, Guid guid, DateTime time, nint pointer, Color color) =>
            WriteEvent(5, flag, letter, text, guid, time, pointer, color);

        [Event(8, Opcode = EventOpcode.Start, Task = (EventTask)20)]
        public void Odd(string text) => WriteEvent(8, text);

        [Event(9, Opcode = EventOpcode.Receive, Task = (EventTask)21)]
        public void Received(int value) => WriteEvent(9, value);
    }

    [EventSource(Name = "Weir-Tests-Self")]
    private sealed class SelfDescribingSource : EventSource
    {
        public static readonly SelfDescribingSource Log = new();

        private SelfDescribingSource()
            : base(EventSourceSettings.EtwSelfDescribingEventFormat)
        {
        }

        [Event(1)]
        public void Arrays(int[] values, string after) => WriteEvent(1, values, after);

        [Event(2)]
        public void Reals(string text, double[] reals) => WriteEvent(2, text, reals);
    }
}
