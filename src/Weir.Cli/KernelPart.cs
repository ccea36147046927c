using System.Diagnostics.CodeAnalysis;
using Weir.Clock;
using Weir.Kernel;
using Weir.Sessions;
using Weir.Tracing;

namespace Weir.Cli;

/// <summary>The kernel as a part of a recording.</summary>
internal sealed class KernelPart : IRecordingPart
{
    private readonly KernelRecordingOptions _options;
    private KernelRecording? _recording;
    private ClockKind _clock;
    private ulong _end;

    private KernelPart(KernelRecordingOptions options) => _options = options;

    /// <summary>The part that rules ask for; null without rules. False with what is wrong in a sentence.</summary>
    public static bool TryCreate(
        string[] rules, string? bufferSize, bool isRaw, bool hasStateDump, RecordingOptions recording, out KernelPart? part, [NotNullWhen(false)] out string? wrong)
    {
        part = null;
        wrong = null;
        if (rules.Length == 0)
        {
            wrong = isRaw ? "--raw: keeps the kernel's pages, and no rule asks for the kernel: -k SYSTEM:EVENT does" : null;
            return wrong is null;
        }
        var parsed = new List<KernelRule>();
        foreach (string text in rules)
        {
            if (!KernelRule.TryParse(text, out var rule, out wrong))
                return false;
            parsed.Add(rule);
        }
        int bufferBytes = KernelRecordingOptions.DefaultBufferBytes;
        if (bufferSize is not null && !CommandLineValues.TryParseSize(bufferSize, out bufferBytes))
        {
            wrong = $"--kernel-buffer-size: '{bufferSize}' is no size; 512k, 8M or 1G are";
            return false;
        }
        part = new KernelPart(new KernelRecordingOptions
        {
            Rules = parsed,
            BufferBytes = bufferBytes,
            PacketBytes = recording.PacketBytes,
            IsWholeMachine = recording.IsWholeMachine,
            IsRaw = isRaw,
            HasStateDump = hasStateDump,
        });
        return true;
    }

    public ClockKind ChooseClock(ClockKind wanted) => Refusing(() => KernelRecording.ChooseClock(wanted));

    public void Start(SessionDescription session, string outputDirectory) => Refusing(() =>
    {
        _clock = session.Clock;
        _recording = KernelRecording.Prepare(_options, session, outputDirectory);
        _recording.Start();
        return true;
    });

    public void BeginCommandStart() => Refusing(() =>
    {
        _recording!.BeginCommandStart();
        return true;
    });

    public void EndCommandStart() => _recording!.EndCommandStart();

    public void Stop()
    {
        _recording!.Stop();
        _end = TraceClock.ReadOrdered(_clock);
    }

    public RecordingPartResult Finish(ClockCorrelation clock)
    {
        var result = _recording!.Finish(clock, _end);
        return new RecordingPartResult
        {
            TraceDirectory = result.TraceDirectory,
            Events = [.. result.Events.Select(item => new EventStatistics(item.Name, item.Count, item.Bytes))],
            FileBytes = result.FileBytes,
            Losses = new LossCounts { KernelBufferFull = result.Lost, NotWritten = result.NotWritten },
            Problems =
            [
                .. _recording.Removed.Select(name => $"{name}, which a killed recording had left behind in the kernel, was removed"),
                .. result.Problems,
            ],
        };
    }

    public void Dispose() => _recording?.Dispose();

    private static T Refusing<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (KernelException e)
        {
            throw new SessionException(e.Message, e);
        }
    }
}
