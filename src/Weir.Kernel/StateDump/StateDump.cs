using Weir.Clock;
using Weir.Ctf;
using Weir.Graph;

namespace Weir.Kernel;

/// <summary>
/// Writes what the machine is like when a recording begins, as events of a stream of their own, by the names and fields of LTTng's state dump
/// where it has them: a trace is then understood without the machine that it comes from. A thread does it beside the recording.
/// </summary>
/// <remarks>Names and fields: lttng-modules 2.13, include/instrumentation/events/lttng-statedump.h.</remarks>
internal sealed class StateDump : IDisposable
{
    /// <summary>How long the end of a recording waits for a dump that is not complete.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);

    private readonly StateDumpOutput _output;
    private readonly List<string> _problems;
    private readonly Thread _thread;
    private string? _problem;
    private bool _isStarted;
    private bool _isFinished;

    /// <summary>Makes ready.</summary>
    /// <param name="trace">The trace that gets the stream.</param>
    /// <param name="clock">Its clock.</param>
    /// <param name="problems">Gets a sentence where the dump is not complete.</param>
    /// <param name="maxBytes">It is cut behind so many bytes.</param>
    /// <exception cref="TraceWriteException">The files cannot be made.</exception>
    public StateDump(KernelTrace trace, ClockKind clock, List<string> problems, long maxBytes = StateDumpOutput.MaxBytes)
    {
        _output = new StateDumpOutput(trace, clock, maxBytes);
        _problems = problems;
        _thread = new Thread(Run) { IsBackground = true, Name = "weir state dump" };
    }

    /// <summary>What the stream holds, once finished.</summary>
    public OwnStreamsResult Result => _output.Result;

    /// <summary>Begins to dump.</summary>
    public void Start()
    {
        _isStarted = true;
        _thread.Start();
    }

    /// <summary>Waits for the end of the dump, for some seconds; then it is cut.</summary>
    public void Finish()
    {
        if (_isFinished)
            return;
        _isFinished = true;
        if (_isStarted)
        {
            _output.LimitTime(s_patience);
            _thread.Join();
        }
        if (_problem is not null)
            _problems.Add(_problem);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Finish();
        _output.Dispose();
    }

    private void Run()
    {
        try
        {
            var files = new ProcFile();
            Write(_output.Declare("lttng_statedump_start"));
            // What is small and always the same comes first, so that a dump that is cut has it.
            new MachineDump(_output, files).Write();
            var processes = new ProcessDump(_output, files);
            processes.Write();
            new SocketDump(_output, files).Write(processes.NetworkNamespaces, processes.SocketOwners);
            new ModuleDump(_output, files).Write(processes.Processes);
            if (_output.IsOver)
                _problem = $"the state dump was cut after {_output.Result.FileBytes >> 10} KiB: it has not all processes, files, sockets and modules of this machine";
            else
                Write(_output.Declare("lttng_statedump_end"));
            if (files.CutFiles > 0)
                _problem ??= $"the state dump has {files.CutFiles} files of /proc in part only, because they are too long";
            _output.Flush();
            _problem ??= _output.Problem;
        }
        catch (Exception e) when (e is CtfException or IOException or UnauthorizedAccessException)
        {
            _problem = $"the state dump is not complete: {e.Message}";
        }
    }

    private void Write(WrittenEvent kind)
    {
        _output.Begin(kind);
        _output.End();
    }
}
