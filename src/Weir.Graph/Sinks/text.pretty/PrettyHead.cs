using System.Runtime.CompilerServices;

namespace Weir.Graph;

/// <summary>
/// The beginning of most lines: a time in the same second as the time before, less than a second after it. Then all but two times nine digits is
/// constant. Other lines are left to <see cref="PrettyClock"/>, whose text this is to the byte.
/// </summary>
/// <param name="clock">What knows the second and the time before.</param>
/// <param name="beforeTime">The text before the time.</param>
/// <param name="betweenTimes">The text between the time and the delta's sign.</param>
internal sealed class PrettyHead(PrettyClock clock, Literal beforeTime, byte[] betweenTimes)
{
    private const ulong NanosecondsPerSecond = 1_000_000_000;

    private readonly Literal _betweenTimes = new([.. betweenTimes, .. "+0."u8]);
    private Literal? _secondText;
    private Literal _beforeNanoseconds = new([]);

    /// <summary>Appends the time, the delta and what follows; false, and nothing is done, where the line is another.</summary>
    public bool TryAppend(TextBuffer text, in Message message, Literal afterDelta)
    {
        ulong nanoseconds = unchecked((ulong)(message.TimeNs - clock.SecondNs));
        if (clock.SecondText is not { } second || !message.HasTime || message.TimeNs < 0 || nanoseconds >= NanosecondsPerSecond
            || !clock.TryMoveTo(message.TimeNs, out uint delta))
            return false;
        if (_secondText != second)
        {
            _secondText = second;
            _beforeNanoseconds = new Literal([.. beforeTime.Text, .. second.Text]);
        }
        ref byte to = ref text.Reserve(_beforeNanoseconds.Length + _betweenTimes.Length + afterDelta.Length + (2 * DecimalText.MaxBytes) + (3 * Literal.BlockBytes));
        to = ref _beforeNanoseconds.CopyTo(ref to);
        DecimalText.WriteNine(ref to, (uint)nanoseconds);
        to = ref _betweenTimes.CopyTo(ref Unsafe.Add(ref to, 9));
        DecimalText.WriteNine(ref to, delta);
        text.End(ref afterDelta.CopyTo(ref Unsafe.Add(ref to, 9)));
        return true;
    }
}
