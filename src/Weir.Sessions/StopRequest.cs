using System.Runtime.InteropServices;

namespace Weir.Sessions;

/// <summary>Turns Ctrl-C and the signals that ask a process to end into the end of a recording. Thread-safe.</summary>
public sealed partial class StopRequest : IDisposable
{
    private const int Interrupt = 2;
    private const int Terminate = 15;
    private const int StandardInput = 0;

    private readonly PosixSignalRegistration[] _registrations;
    private readonly ManualResetEventSlim _requested = new();
    private readonly bool _isTerminal;
    private int _count;
    private volatile int _signal;

    /// <summary>Takes the signals from now on.</summary>
    public StopRequest()
    {
        // A terminal sends Ctrl-C to all processes in its foreground, the command among them.
        _isTerminal = ForegroundGroup(StandardInput) == ProcessGroup();
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Request(context, Interrupt)),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Request(context, Terminate)),
        ];
    }

    /// <summary>How often somebody asked.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>The signal that asked last.</summary>
    public int Signal => _signal;

    /// <summary>Asks as a signal would.</summary>
    public void Ask()
    {
        _signal = Interrupt;
        Interlocked.Increment(ref _count);
        _requested.Set();
    }

    /// <summary>Waits until somebody asks; false when the time is over.</summary>
    public bool Wait(TimeSpan timeout) => _requested.Wait(timeout);

    /// <summary>Whether the n-th request has to be sent on to the command, because it got none from the terminal.</summary>
    public bool MustForward(int number) => !(_isTerminal && number == 1 && _signal == Interrupt);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        _requested.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "tcgetpgrp")]
    private static partial int ForegroundGroup(int fd);

    [LibraryImport("libc", EntryPoint = "getpgrp")]
    private static partial int ProcessGroup();

    private void Request(PosixSignalContext context, int signal)
    {
        context.Cancel = true;
        _signal = signal;
        Interlocked.Increment(ref _count);
        _requested.Set();
    }
}
