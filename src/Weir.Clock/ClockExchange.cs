using System.Runtime.ExceptionServices;
using System.Buffers.Binary;

namespace Weir.Clock;

/// <summary>A clock that is compared with another one.</summary>
/// <param name="Id">What tells it from others, such as the machine's boot id.</param>
/// <param name="FrequencyHz">Cycles in a second, as far as known.</param>
/// <param name="Read">Reads it, in cycles; never goes back.</param>
public sealed record ExchangedClock(Guid Id, ulong FrequencyHz, Func<ulong> Read);

/// <summary>The other side of an exchange did what the protocol does not allow, or nothing.</summary>
public sealed class ClockExchangeException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>
/// Compares the clocks of two processes, on two machines or on one, over any stream of bytes: a socket, a pipe, a virtual serial line.
/// One side asks, many times, and the other answers; who asked gets a <see cref="ClockRelation"/>.
/// <code>
///  asks                                              answers
///  Hello    frequency, id           ---------->
///                                   &lt;----------      Welcome  frequency, id
///  Question 1                       ---------->      (reads its clock)
///  (reads its clock)                &lt;----------      Answer 1, received, replied
///  ...                                               ...
///  End                              ---------->
///
///  every message: 32 bytes, little-endian
///  0       4         5      6          8                       16                     24            32
///  | magic | version | kind | zero u16 | number or frequency   | received, or id's    | replied, or  |
///  | u32   | u8 = 1  | u8   |          | u64                   | first half, u64      | second half  |
/// </code>
/// Nothing that the other side says is trusted: every message has one size, must be the next one of the protocol, and its times must rise.
/// A side that says nothing ends the exchange after some patience.
/// </summary>
public static class ClockExchange
{
    /// <summary>Bytes of every message.</summary>
    public const int MessageBytes = 32;

    /// <summary>Most questions of one exchange.</summary>
    public const int MaxRounds = 1_000_000;

    private const uint Magic = 0x4B435257; // "WRCK"
    private const byte Version = 1;

    /// <summary>Asks, and relates the other clock to mine.</summary>
    /// <param name="stream">
    /// Leads to a side that answers; not closed. After an exception it may not be used for anything else: close it, which also ends a thread
    /// that is left waiting for a side that is silent.
    /// </param>
    /// <param name="mine">My clock.</param>
    /// <param name="rounds">How many questions: hundreds, so that some meet no traffic and no preemption.</param>
    /// <param name="pause">Between two questions: over a longer time the rate is known better.</param>
    /// <param name="patience">Longest silence.</param>
    /// <param name="other">The other clock's id and frequency as it has named them.</param>
    /// <exception cref="ClockExchangeException">The other side broke the protocol, fell silent or left.</exception>
    public static ClockRelation Ask(
        Stream stream, ExchangedClock mine, int rounds, TimeSpan pause, TimeSpan patience, out (Guid Id, ulong FrequencyHz) other)
    {
        ArgumentNullException.ThrowIfNull(mine);
        ArgumentOutOfRangeException.ThrowIfLessThan(rounds, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rounds, MaxRounds);
        var measured = new ClockRound[rounds];
        (Guid Id, ulong FrequencyHz) named = default;
        RunWithPatience(patience + pause, progress =>
        {
            var link = new Link(stream, progress);
            link.Send(Kind.Hello, mine.FrequencyHz, mine.Id);
            named = link.ReceiveClock(Kind.Welcome);
            for (int i = 0; i < rounds; i++)
            {
                if (i > 0 && pause > TimeSpan.Zero)
                    Thread.Sleep(pause);
                measured[i] = AskOnce(link, mine, (ulong)i + 1);
            }
            link.Send(Kind.End, 0, 0, 0);
        });
        other = named;
        try
        {
            return ClockRelation.Create(measured, mine.FrequencyHz, other.FrequencyHz);
        }
        catch (ArgumentException e)
        {
            throw new ClockExchangeException($"the other side's answers cannot be right: {e.Message}", e);
        }
    }

    /// <summary>Answers until the other side has asked enough or has left.</summary>
    /// <param name="stream">Leads to a side that asks; not closed. See <see cref="Ask"/>.</param>
    /// <param name="mine">My clock.</param>
    /// <param name="patience">Longest silence.</param>
    /// <returns>How many questions were answered.</returns>
    /// <exception cref="ClockExchangeException">The other side broke the protocol or fell silent.</exception>
    public static int Answer(Stream stream, ExchangedClock mine, TimeSpan patience)
    {
        ArgumentNullException.ThrowIfNull(mine);
        int answered = 0;
        RunWithPatience(patience, progress =>
        {
            var link = new Link(stream, progress);
            link.ReceiveClock(Kind.Hello);
            link.Send(Kind.Welcome, mine.FrequencyHz, mine.Id);
            while (link.TryReceive(out var kind, out ulong number, out _, out _))
            {
                ulong received = mine.Read();
                if (kind == Kind.End)
                    return;
                if (kind != Kind.Question || number != (ulong)answered + 1 || answered == MaxRounds)
                    throw new ClockExchangeException($"expected question {answered + 1} of at most {MaxRounds}, or the end");
                link.Send(Kind.Answer, number, received, mine.Read());
                answered++;
            }
        });
        return answered;
    }

    private static ClockRound AskOnce(Link link, ExchangedClock mine, ulong number)
    {
        ulong asked = mine.Read();
        link.Send(Kind.Question, number, 0, 0);
        if (!link.TryReceive(out var kind, out ulong answered, out ulong received, out ulong replied))
            throw new ClockExchangeException($"the other side left before it answered question {number}");
        ulong returned = mine.Read();
        if (kind != Kind.Answer || answered != number)
            throw new ClockExchangeException($"expected the answer to question {number}");
        return new ClockRound(asked, received, replied, returned);
    }

    /// <summary>
    /// Runs one side on a thread of its own, because not every stream can be told to wait no longer than some time.
    /// </summary>
    private static void RunWithPatience(TimeSpan patience, Action<Action> run)
    {
        int progress = 0;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                run(() => Interlocked.Increment(ref progress));
            }
            catch (Exception e)
            {
                // Whatever the stream or the clock throws belongs to whoever gave them to us.
                failure = e;
            }
        })
        { IsBackground = true, Name = "Weir clock exchange" };
        thread.Start();
        for (int seen = 0; !thread.Join(patience);)
        {
            int now = Volatile.Read(ref progress);
            if (now == seen)
                throw new ClockExchangeException($"the other side said nothing for {patience.TotalSeconds:0.###} s");
            seen = now;
        }
        if (failure is IOException or ObjectDisposedException or NotSupportedException)
            throw new ClockExchangeException($"the connection is lost: {failure.Message}", failure);
        if (failure != null)
            ExceptionDispatchInfo.Throw(failure);
    }

    private enum Kind : byte
    {
        Hello = 1,
        Welcome = 2,
        Question = 3,
        Answer = 4,
        End = 5,
    }

    /// <summary>Sends and receives messages.</summary>
    private sealed class Link(Stream stream, Action progress)
    {
        private readonly byte[] _message = new byte[MessageBytes];

        public void Send(Kind kind, ulong frequencyHz, Guid id)
        {
            Span<byte> bytes = stackalloc byte[16];
            id.TryWriteBytes(bytes);
            Send(kind, frequencyHz, BinaryPrimitives.ReadUInt64LittleEndian(bytes), BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]));
        }

        public void Send(Kind kind, ulong number, ulong first, ulong second)
        {
            var message = _message.AsSpan();
            BinaryPrimitives.WriteUInt32LittleEndian(message, Magic);
            message[4] = Version;
            message[5] = (byte)kind;
            message[6..8].Clear();
            BinaryPrimitives.WriteUInt64LittleEndian(message[8..], number);
            BinaryPrimitives.WriteUInt64LittleEndian(message[16..], first);
            BinaryPrimitives.WriteUInt64LittleEndian(message[24..], second);
            stream.Write(_message, 0, MessageBytes);
            stream.Flush();
        }

        public (Guid Id, ulong FrequencyHz) ReceiveClock(Kind expected)
        {
            if (!TryReceive(out var kind, out ulong frequency, out ulong first, out ulong second))
                throw new ClockExchangeException("the other side left before it named its clock");
            if (kind != expected)
                throw new ClockExchangeException($"expected a message of kind {(int)expected} and got one of kind {(int)kind}");
            if (frequency == 0)
                throw new ClockExchangeException("a clock of 0 Hz");
            Span<byte> id = stackalloc byte[16];
            BinaryPrimitives.WriteUInt64LittleEndian(id, first);
            BinaryPrimitives.WriteUInt64LittleEndian(id[8..], second);
            return (new Guid(id), frequency);
        }

        /// <summary>The next message; false when the other side has left in good order.</summary>
        public bool TryReceive(out Kind kind, out ulong number, out ulong first, out ulong second)
        {
            int length = stream.ReadAtLeast(_message, MessageBytes, throwOnEndOfStream: false);
            (kind, number, first, second) = (0, 0, 0, 0);
            if (length == 0)
                return false;
            if (length < MessageBytes)
                throw new ClockExchangeException($"the other side left in the middle of a message, after {length} of {MessageBytes} bytes");
            progress();
            ReadOnlySpan<byte> message = _message;
            if (BinaryPrimitives.ReadUInt32LittleEndian(message) != Magic || message[6] != 0 || message[7] != 0)
                throw new ClockExchangeException("the other side sends what is no message of a clock exchange");
            if (message[4] != Version)
                throw new ClockExchangeException($"the other side speaks version {message[4]}, and only version {Version} is known here");
            kind = (Kind)message[5];
            number = BinaryPrimitives.ReadUInt64LittleEndian(message[8..]);
            first = BinaryPrimitives.ReadUInt64LittleEndian(message[16..]);
            second = BinaryPrimitives.ReadUInt64LittleEndian(message[24..]);
            return true;
        }
    }
}
