using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Weir.Ring;
using Weir.Sessions;
using Weir.Tracing;
using StreamReader = Weir.Ring.StreamReader;

namespace Weir.Tests.Sessions;

[TracepointProvider("weir_tests.session")]
internal static partial class SessionEvents
{
    [Tracepoint]
    public static partial void Tick(ulong number);

    [Tracepoint(Level = TracepointLevel.Debug)]
    public static partial void Rich(string text, ReadOnlySpan<int> numbers, ReadOnlySpan<char> chars, string? note, double value, DayOfWeek day);
}

/// <summary>Programs that tests start as processes of their own.</summary>
internal static class TracedPrograms
{
    private static Tracepoint TickPoint => Weir.Tracing.Generated.Weir_Tests_Sessions_SessionEventsTracepoints.Tick;

    /// <summary>Emits numbered events without end, and says after each lot how many are committed; ends when a line comes in.</summary>
    public static int Tick(string[] arguments)
    {
        int perLot = arguments.Length > 0 ? int.Parse(arguments[0], CultureInfo.InvariantCulture) : 10;
        bool isOver = false;
        new Thread(() =>
        {
            // A closed input is no request: the program may outlive its parent.
            if (Console.In.ReadLine() != null)
                Volatile.Write(ref isOver, true);
        })
        { IsBackground = true }.Start();
        var output = new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true };
        ulong number = 0;
        bool wasEnabled = false;
        while (!Volatile.Read(ref isOver))
        {
            bool isEnabled = TickPoint.IsEnabled;
            for (int i = 0; i < perLot; i++)
                SessionEvents.Tick(++number);
            // Only what was committed while a session recorded all of the lot.
            if (isEnabled && TickPoint.IsEnabled)
                output.WriteLine($"committed {number}");
            else if (wasEnabled && !isEnabled)
                output.WriteLine($"detached {number}");
            wasEnabled = isEnabled;
            Thread.Sleep(1);
        }
        output.WriteLine($"done {number}");
        return 0;
    }

    /// <summary>Emits CLOCK_MONOTONIC, read right before each event, for as many milliseconds as given.</summary>
    public static int EmitTimes(string[] arguments)
    {
        long end = Environment.TickCount64 + long.Parse(arguments[0], CultureInfo.InvariantCulture);
        while (Environment.TickCount64 < end)
        {
            for (int i = 0; i < 10; i++)
                SessionEvents.Tick(Weir.Clock.MonotonicClock.Read());
            Thread.Sleep(10);
        }
        return 0;
    }

    /// <summary>Does nothing until a line comes in.</summary>
    public static int WaitForLine(string[] arguments)
    {
        Console.WriteLine($"ready {TickPoint.IsEnabled}");
        Console.In.ReadLine();
        return 0;
    }

    /// <summary>Counts the signals that it gets, for a moment after the first.</summary>
    public static int CountInterrupts(string[] arguments)
    {
        int count = 0;
        using var registration = PosixSignalRegistration.Create(PosixSignal.SIGINT, context =>
        {
            context.Cancel = true;
            Interlocked.Increment(ref count);
        });
        Console.WriteLine("ready");
        while (Volatile.Read(ref count) == 0)
        {
            SessionEvents.Tick(1);
            Thread.Sleep(1);
        }
        Thread.Sleep(500);
        Console.WriteLine($"interrupted {count} times");
        return 7;
    }

    /// <summary>Emits as many events as asked and says how many.</summary>
    public static int Emit(string[] arguments)
    {
        ulong count = ulong.Parse(arguments[0], CultureInfo.InvariantCulture);
        for (ulong i = 1; i <= count; i++)
            SessionEvents.Tick(i);
        Console.WriteLine($"emitted {count}");
        return 0;
    }

    /// <summary>Makes a session and measures how long a running application takes to see its start, change and stop, in ms.</summary>
    public static int MeasureLatency(string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, Program.ChildArguments(ReportChanges)) { RedirectStandardInput = true, RedirectStandardOutput = true };
        Directory.CreateDirectory(SessionHome.Path);
        using var application = Process.Start(start)!;
        application.StandardOutput.ReadLine();
        for (int round = 0; round < int.Parse(arguments[0], CultureInfo.InvariantCulture); round++)
        {
            long began = Stopwatch.GetTimestamp();
            using var session = Session.Start(new SessionOptions { Name = $"latency-{round}", Rules = [Rule("weir_tests.session:tick")], PacketBytes = 65536 });
            Console.WriteLine($"start {Since(began, application.StandardOutput.ReadLine()!, "on"):F1}");
            began = Stopwatch.GetTimestamp();
            session.Publish(session.Description with { Rules = [Rule("weir_tests.session:rich")] });
            Console.WriteLine($"change {Since(began, application.StandardOutput.ReadLine()!, "off"):F1}");
            began = Stopwatch.GetTimestamp();
            session.Publish(session.Description with { Rules = [Rule("weir_tests.session:*")] });
            Console.WriteLine($"change {Since(began, application.StandardOutput.ReadLine()!, "on"):F1}");
            began = Stopwatch.GetTimestamp();
            session.Stop();
            Console.WriteLine($"stop {Since(began, application.StandardOutput.ReadLine()!, "off"):F1}");
        }
        application.Kill();
        return 0;

        static double Since(long began, string line, string state)
        {
            string[] parts = line.Split(' ');
            if (parts[0] != state)
                throw new InvalidOperationException($"Expected '{state}', got '{line}'.");
            return Stopwatch.GetElapsedTime(began, long.Parse(parts[1], CultureInfo.InvariantCulture)).TotalMilliseconds;
        }
    }

    /// <summary>Says when a tracepoint was enabled and disabled.</summary>
    public static int ReportChanges(string[] arguments)
    {
        var output = new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true };
        bool isEnabled = TickPoint.IsEnabled;
        output.WriteLine("ready");
        while (true)
        {
            if (TickPoint.IsEnabled != isEnabled)
            {
                isEnabled = !isEnabled;
                output.WriteLine($"{(isEnabled ? "on" : "off")} {Stopwatch.GetTimestamp()}");
            }
            Thread.Sleep(0);
        }
    }

    /// <summary>Writes what enabled calls allocate, and how many bytes of the stream an event takes.</summary>
    public static int MeasureCalls(string[] arguments)
    {
        using var session = Session.Start(new SessionOptions { Name = "calls", Rules = [.. arguments.Select(Rule)], PacketBytes = 1 << 20 });
        while (!TickPoint.IsEnabled)
            Thread.Sleep(1);
        const int Calls = 10_000;
        Span<int> numbers = [1, 2, 3];
        for (int i = 0; i < 2; i++)
        {
            ulong position = Position(session);
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int call = 0; call < Calls; call++)
                SessionEvents.Tick(ulong.MaxValue);
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            ulong bytes = Position(session) - position;
            before = GC.GetAllocatedBytesForCurrentThread();
            for (int call = 0; call < Calls; call++)
                SessionEvents.Rich("plain", numbers, "spän", null, 0.5, DayOfWeek.Monday);
            allocated += GC.GetAllocatedBytesForCurrentThread() - before;
            // The first round is the one that makes what a thread needs once.
            if (i > 0)
            {
                Console.WriteLine($"allocated {allocated}");
                Console.WriteLine($"bytes {(double)bytes / Calls}");
            }
        }
        return 0;
    }

    private static ulong Position(Session session)
    {
        ulong sum = 0;
        foreach (string path in Directory.GetFiles(Directory.GetDirectories(session.BuffersDirectory).Single(), "stream_*"))
        {
            using var reader = StreamReader.TryOpen(path);
            sum += reader!.Position;
        }
        return sum;
    }

    private static EventRule Rule(string text) => EventRule.TryParse(text, out var rule, out string? error) ? rule : throw new FormatException(error);
}
