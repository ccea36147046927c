using System.Globalization;
using System.Net.Sockets;
using Weir.Clock;
using Weir.Tests.Sessions;
using Xunit;

namespace Weir.Tests.Clock;

public sealed class ClockExchangeTests
{
    private const ulong Hz = 1_000_000_000;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);
    private static readonly Guid s_id = new("11112222-3333-4444-5555-666677778888");

    private static ulong Now() => MonotonicClock.Read();

    /// <summary>A clock that is ahead by an offset and fast by some millionths, made of this machine's.</summary>
    private static ulong Shifted(ulong now, ulong offset, int ppm) => now + offset + (ulong)((Int128)now * ppm / 1_000_000);

    /// <summary>Two processes on one machine: what the other's clock says is known exactly, and must lie within the bounds.</summary>
    [Theory]
    [InlineData("0", 0)]
    [InlineData("1000000000000000", 50)]
    [InlineData("3600000000000", -200)]
    public void Between_two_processes_the_bounds_hold_the_truth(string offset, int ppm)
    {
        using var place = new Place();
        string path = place.In("clock");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        using var answerer = place.Start(Place.Role(AnswerShifted, path, offset, ppm.ToString(CultureInfo.InvariantCulture)));
        using var stream = new NetworkStream(listener.Accept(), ownsSocket: true);
        ulong begin = Now();
        var relation = ClockExchange.Ask(
            stream, new ExchangedClock(Guid.Empty, Hz, Now), 300, TimeSpan.FromMilliseconds(1), s_patience, out var other);
        ulong end = Now();
        var finished = answerer.WaitForEnd();
        Assert.Equal((0, "300\n"), (finished.Status, finished.Output));
        Assert.Equal((s_id, Hz), other);
        Assert.Equal(300, relation.Rounds);
        Assert.InRange(ppm, relation.RateErrorPpm.Least - 1, relation.RateErrorPpm.Most + 1);
        ulong wide = 0;
        for (ulong at = begin; at <= end; at += (end - begin) / 50)
        {
            var (earliest, latest) = relation.Bound(at);
            Assert.InRange(Shifted(at, ulong.Parse(offset, CultureInfo.InvariantCulture), ppm), earliest, latest);
            wide = Math.Max(wide, latest - earliest);
        }
        // Some round bounds each end; so nothing is wider than a round and what an unknown rate adds over the time of them all.
        double rates = (relation.RateErrorPpm.Most - relation.RateErrorPpm.Least) * 1e-6 * (end - begin);
        Assert.InRange(wide, 1UL, (relation.BestRoundTrip * 2) + (ulong)rates + 10);
    }

    internal static int AnswerShifted(string[] arguments)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(arguments[0]));
        using var stream = new NetworkStream(socket);
        ulong offset = ulong.Parse(arguments[1], CultureInfo.InvariantCulture);
        int ppm = int.Parse(arguments[2], CultureInfo.InvariantCulture);
        Console.WriteLine(ClockExchange.Answer(stream, new ExchangedClock(s_id, Hz, () => Shifted(Now(), offset, ppm)), s_patience));
        return 0;
    }

    private static (NetworkStream Mine, NetworkStream Theirs) Connect()
    {
        string path = Path.Combine(Path.GetTempPath(), $"weir-{Guid.NewGuid():N}");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(path));
        File.Delete(path);
        return (new NetworkStream(socket, ownsSocket: true), new NetworkStream(listener.Accept(), ownsSocket: true));
    }

    private static byte[] Message(byte kind, ulong number, ulong first = 0, ulong second = 0, byte version = 1, uint magic = 0x4B435257)
    {
        var message = new byte[ClockExchange.MessageBytes];
        BitConverter.TryWriteBytes(message, magic);
        message[4] = version;
        message[5] = kind;
        BitConverter.TryWriteBytes(message.AsSpan(8), number);
        BitConverter.TryWriteBytes(message.AsSpan(16), first);
        BitConverter.TryWriteBytes(message.AsSpan(24), second);
        return message;
    }

    public static TheoryData<byte[], string> WrongAnswers => new()
    {
        { [], "left before it named its clock" },
        { Message(2, Hz)[..31], "after 31 of 32 bytes" },
        { [.. Enumerable.Repeat((byte)'x', 32)], "no message of a clock exchange" },
        { Message(2, Hz, version: 9), "speaks version 9" },
        { Message(2, 0), "a clock of 0 Hz" },
        { Message(4, 1), "kind 2 and got one of kind 4" },
        { Message(2, Hz), "left before it answered question 1" },
        { [.. Message(2, Hz), .. Message(4, 2, 5, 6)], "expected the answer to question 1" },
        { [.. Message(2, Hz), .. Message(3, 1, 5, 6)], "expected the answer to question 1" },
        { [.. Message(2, Hz), .. Message(4, 1, 5, 4)], "cannot be right" },
        { [.. Message(2, Hz), .. Message(4, 1, 0, ulong.MaxValue)], "cannot be right" },
    };

    [Theory]
    [MemberData(nameof(WrongAnswers))]
    public void A_side_that_answers_wrongly_is_an_error(byte[] answers, string error)
    {
        var (mine, theirs) = Connect();
        using (mine)
        using (theirs)
        {
            theirs.Write(answers);
            theirs.Socket.Shutdown(SocketShutdown.Send);
            var thrown = Assert.Throws<ClockExchangeException>(() => ClockExchange.Ask(
                mine, new ExchangedClock(Guid.Empty, Hz, Now), 1, TimeSpan.Zero, s_patience, out _));
            Assert.Contains(error, thrown.Message, StringComparison.Ordinal);
        }
    }

    public static TheoryData<byte[], string> WrongQuestions => new()
    {
        { [], "left before it named its clock" },
        { Message(3, 1), "kind 1 and got one of kind 3" },
        { [.. Message(1, Hz), .. Message(3, 2)], "expected question 1" },
        { [.. Message(1, Hz), .. Message(3, 1), .. Message(3, 1)], "expected question 2" },
        { [.. Message(1, Hz), .. Message(200, 1)], "expected question 1" },
        { [.. Message(1, Hz), 7], "after 1 of 32 bytes" },
    };

    [Theory]
    [MemberData(nameof(WrongQuestions))]
    public void A_side_that_asks_wrongly_is_an_error(byte[] questions, string error)
    {
        var (mine, theirs) = Connect();
        using (mine)
        using (theirs)
        {
            theirs.Write(questions);
            theirs.Socket.Shutdown(SocketShutdown.Send);
            var thrown = Assert.Throws<ClockExchangeException>(() => ClockExchange.Answer(mine, new ExchangedClock(s_id, Hz, Now), s_patience));
            Assert.Contains(error, thrown.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>The exchange runs on a thread of its own, where an exception would end the process.</summary>
    [Fact]
    public void What_a_stream_throws_reaches_the_caller()
    {
        using var unconnected = new System.IO.Pipes.NamedPipeClientStream($"weir-{Guid.NewGuid():n}");
        var clock = new ExchangedClock(Guid.NewGuid(), 1_000_000_000, MonotonicClock.Read);
        Assert.Throws<InvalidOperationException>(() => ClockExchange.Answer(unconnected, clock, TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public void A_silent_side_ends_the_exchange()
    {
        var patience = TimeSpan.FromMilliseconds(50);
        var clock = new ExchangedClock(s_id, Hz, Now);
        var (mine, theirs) = Connect();
        using (mine)
        using (theirs)
        {
            var thrown = Assert.Throws<ClockExchangeException>(() => ClockExchange.Ask(mine, clock, 1, TimeSpan.Zero, patience, out _));
            Assert.Contains("said nothing for 0.05 s", thrown.Message, StringComparison.Ordinal);
        }
        (mine, theirs) = Connect();
        using (mine)
        using (theirs)
        {
            mine.Write(Message(1, Hz));
            var thrown = Assert.Throws<ClockExchangeException>(() => ClockExchange.Answer(theirs, clock, patience));
            Assert.Contains("said nothing for 0.05 s", thrown.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_side_that_leaves_after_its_questions_is_no_error()
    {
        var (mine, theirs) = Connect();
        using (mine)
        using (theirs)
        {
            theirs.Write([.. Message(1, Hz), .. Message(3, 1)]);
            theirs.Socket.Shutdown(SocketShutdown.Send);
            Assert.Equal(1, ClockExchange.Answer(mine, new ExchangedClock(s_id, Hz, Now), s_patience));
        }
    }
}
