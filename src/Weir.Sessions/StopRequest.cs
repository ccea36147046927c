using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Weir.Sessions;

/// <summary>Turns Ctrl-C and the signals that ask a process to end into the end of a recording. Thread-safe.</summary>
public sealed partial class StopRequest : IDisposable
{
    private const int HangUp = 1;
    private const int Interrupt = 2;
    private const int Terminate = 15;
    private const nint DefaultHandler = 0;

    private readonly PosixSignalRegistration[] _registrations;
    private readonly ManualResetEventSlim _requested = new();
    private int _count;
    private int _forwarded;
    private volatile int _signal;
    private volatile bool _isFirstFromTerminal;

    /// <summary>Takes the signals from now on.</summary>
    public StopRequest()
    {
        // Scripts start background commands with it ignored, and then end them with it.
        if (IsIgnored(Interrupt))
            _ = SetHandler(Interrupt, DefaultHandler);
        var registrations = new List<PosixSignalRegistration>
        {
            PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Request(context, Interrupt)),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Request(context, Terminate)),
        };
        if (!IsIgnored(HangUp))
            registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => Request(context, HangUp)));
        _registrations = [.. registrations];
    }

    /// <summary>How often somebody asked.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>The signal that asked last.</summary>
    public int Signal => _signal;

    /// <summary>Waits until somebody asks; false when the time is over.</summary>
    public bool Wait(TimeSpan timeout)
    {
        // The system's own waits end after 24 days.
        var longest = TimeSpan.FromDays(1);
        for (; timeout > longest; timeout -= longest)
        {
            if (_requested.Wait(longest))
                return true;
        }
        return _requested.Wait(timeout);
    }

    /// <summary>Sends on to the command what it has not got yet. One thread at a time.</summary>
    internal void Forward(Process command)
    {
        while (_forwarded < Count)
        {
            // A first request in the terminal's words reached the command by itself; a further one means it.
            bool isKnown = _forwarded++ == 0 && _isFirstFromTerminal;
            if (!isKnown && !command.HasExited)
                _ = LibC.Kill(command.Id, _signal);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        _requested.Dispose();
    }

    private void Request(PosixSignalContext context, int signal)
    {
        context.Cancel = true;
        Request(signal);
    }

    private void Request(int signal)
    {
        if (Count == 0)
            _isFirstFromTerminal = signal == Interrupt && IsInForeground();
        _signal = signal;
        Interlocked.Increment(ref _count);
        _requested.Set();
    }

    /// <summary>Whether the terminal sends its Ctrl-C to this process: to all in its foreground, the command among them.</summary>
    private static bool IsInForeground()
    {
        try
        {
            using var terminal = File.OpenHandle("/dev/tty");
            return ForegroundGroup(terminal) == ProcessGroup();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // None that controls us.
            return false;
        }
    }

    /// <summary>Whether this program was started with a signal ignored, as nohup does.</summary>
    private static bool IsIgnored(int signal)
    {
        try
        {
            const string Key = "SigIgn:";
            string? line = File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith(Key, StringComparison.Ordinal));
            return line != null && ulong.TryParse(line.AsSpan(Key.Length).Trim(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong mask)
                && (mask >> (signal - 1) & 1) != 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint SetHandler(int signal, nint handler);

    [LibraryImport("libc", EntryPoint = "tcgetpgrp")]
    private static partial int ForegroundGroup(SafeFileHandle terminal);

    [LibraryImport("libc", EntryPoint = "getpgrp")]
    private static partial int ProcessGroup();
}
