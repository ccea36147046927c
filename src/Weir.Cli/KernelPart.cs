using System.Diagnostics.CodeAnalysis;
using Weir.Clock;
using Weir.Kernel;
using Weir.Sessions;
using Weir.Tracing;

namespace Weir.Cli;

/// <summary>What the command line says of the kernel.</summary>
/// <param name="Rules">The rules, as texts.</param>
/// <param name="BufferSize">Bytes of each CPU's buffer, as a text; null where it is not said.</param>
/// <param name="IsOverwriting">Whether a full buffer is to lose the oldest events.</param>
/// <param name="IsDiscarding">Whether it is to lose the newest.</param>
/// <param name="IsRaw">Whether the kernel's pages are kept as they are.</param>
/// <param name="IsPacked">Whether those pages are packed at the end.</param>
/// <param name="HasStateDump">Whether the trace says what the machine was like.</param>
internal sealed record KernelChoices(string[] Rules, string? BufferSize, bool IsOverwriting, bool IsDiscarding, bool IsRaw, bool IsPacked, bool HasStateDump)
{
    /// <summary>What of it does not go together, in a sentence; null for nothing.</summary>
    public string? FindContradiction()
    {
        if (IsOverwriting && IsDiscarding)
            return "--overwrite and --discard: a full buffer loses either its oldest events or the newest";
        if (IsPacked && !IsRaw)
            return "--compress: packs the kernel's pages, which --raw keeps";
        if (Rules.Length > 0)
            return null;
        const string Missing = "and no rule asks for the kernel: -k SYSTEM:EVENT does";
        if (IsRaw)
            return $"--raw: keeps the kernel's pages, {Missing}";
        return IsOverwriting ? $"--overwrite: programs' buffers lose the newest events when they are full; only the kernel's can lose the oldest, {Missing}" : null;
    }
}

/// <summary>The kernel as a part of a recording.</summary>
internal sealed class KernelPart : IRecordingPart
{
    private readonly KernelRecordingOptions _options;
    private KernelRecording? _recording;
    private ClockKind _clock;
    private ulong _end;

    private KernelPart(KernelRecordingOptions options) => _options = options;

    /// <summary>The part that rules ask for; null without rules. False with what is wrong in a sentence.</summary>
    public static bool TryCreate(KernelChoices choices, RecordingOptions recording, out KernelPart? part, [NotNullWhen(false)] out string? wrong)
    {
        part = null;
        wrong = choices.FindContradiction();
        if (wrong is not null || choices.Rules.Length == 0)
            return wrong is null;
        var parsed = new List<KernelRule>();
        foreach (string text in choices.Rules)
        {
            if (!KernelRule.TryParse(text, out var rule, out wrong))
                return false;
            parsed.Add(rule);
        }
        int bufferBytes = KernelRecordingOptions.DefaultBufferBytes;
        if (choices.BufferSize is not null && !CommandLineValues.TryParseSize(choices.BufferSize, out bufferBytes))
        {
            wrong = $"--kernel-buffer-size: '{choices.BufferSize}' is no size; 512k, 8M or 1G are";
            return false;
        }
        part = new KernelPart(new KernelRecordingOptions
        {
            Rules = parsed,
            BufferBytes = bufferBytes,
            PacketBytes = recording.PacketBytes,
            IsWholeMachine = recording.IsWholeMachine,
            IsDiscarding = choices.IsDiscarding,
            IsRaw = choices.IsRaw,
            IsPacked = choices.IsPacked,
            HasStateDump = choices.HasStateDump,
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
