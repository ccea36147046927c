using Weir.Clock;
using Weir.Ring;

namespace Weir.Tests.Ring;

/// <summary>The hooks of a ring whose writers go step by step.</summary>
internal readonly struct SteppedHooks : IRingHooks
{
    public static void At(RingPoint point) => SteppedWriter.OfThisThread?.Park(point);
}

/// <summary>A clock whose every reading is later than all before it, by so much that a compact time goes round after a few.</summary>
internal readonly struct SteppedClock : ITraceClock
{
    private const ulong Cycles = (1UL << 25) + 12345;

    public static ClockKind Kind => ClockKind.Monotonic;

    public static ulong Read() => SteppedWriter.OfThisThread?.Tick(Cycles) ?? 1;

    public static ulong ReadOrdered() => Read();
}

/// <summary>A real thread that writes records, parked at each hook until it is told to go on.</summary>
internal sealed unsafe class SteppedWriter : IDisposable
{
    [ThreadStatic] private static SteppedWriter? t_ofThisThread;

    private readonly SteppedRing _ring;
    private readonly SemaphoreSlim _go = new(0);
    private readonly SemaphoreSlim _stopped = new(0);
    private readonly Thread _thread;
    private Exception? _failure;
    private WriterThread* _block;
    private int _ownSlot;
    private uint _id;
    private bool _isParking;
    private bool _isDying;
    private bool _isDisposed;

    public SteppedWriter(SteppedRing ring)
    {
        _ring = ring;
        _thread = new Thread(Run) { IsBackground = true };
        _thread.Start();
        _stopped.Wait();
    }

    public static SteppedWriter? OfThisThread => t_ofThisThread;

    /// <summary>Who it pretends to be; each has its own line in the ring's table, if there are enough of them.</summary>
    public int Slot
    {
        get => _block->Slot;
        set
        {
            _block->Slot = value;
            _block->LastStream = null;
            _block->LastEnd = 0;
            _block->LastTime = 0;
            Number = 0;
        }
    }

    /// <summary>Where it is parked; null between writes.</summary>
    public RingPoint? Point { get; private set; }

    /// <summary>What the last write came to.</summary>
    public CommitResult Result { get; private set; }

    /// <summary>The time that it read last.</summary>
    public ulong Time { get; set; }

    /// <summary>Writes that it began as this <see cref="Slot"/>.</summary>
    public int Number { get; private set; }

    /// <summary>The position when it last read it.</summary>
    public ulong SeenPosition { get; set; }

    /// <summary>Goes on to the next hook, or to the write's end.</summary>
    public RingPoint? Step() => Go(isParking: true);

    /// <summary>Begins a write and goes on to the first hook.</summary>
    public RingPoint? Begin(uint id)
    {
        _id = id;
        Number++;
        return Go(isParking: true);
    }

    /// <summary>Leaves the write where it stands, for ever.</summary>
    public void Die()
    {
        _isDying = true;
        Go(isParking: false);
        _isDying = false;
    }

    public void Park(RingPoint point)
    {
        if (!_isParking)
            return;
        Point = point;
        _stopped.Release();
        _go.Wait();
        if (_isDying)
            throw new DeathException();
    }

    public ulong Tick(ulong cycles) => Time = _ring.Clock += cycles;

    public void Dispose()
    {
        if (Point != null)
            Die();
        _isDisposed = true;
        _go.Release();
        _thread.Join();
        _go.Dispose();
        _stopped.Dispose();
    }

    private RingPoint? Go(bool isParking)
    {
        _isParking = isParking;
        _go.Release();
        _stopped.Wait();
        if (_failure != null)
            throw new InvalidOperationException($"writer {Slot} failed", _failure);
        return Point;
    }

    private void Run()
    {
        try
        {
            Native.Pin(_ring.PinnedCpu);
            t_ofThisThread = this;
            _block = WriterThread.New();
            _ownSlot = _block->Slot;
            byte* payload = stackalloc byte[SteppedRing.MaxPayloadBytes];
            while (true)
            {
                _stopped.Release();
                _go.Wait();
                if (_isDisposed)
                    break;
                int length = SteppedRing.PayloadBytes(_id);
                SteppedRing.Fill(new Span<byte>(payload, length), Slot, Number);
                try
                {
                    Result = _ring.Ring.Write(_block, _id, payload, length);
                }
                catch (DeathException)
                {
                }
                Point = null;
            }
            _block->Slot = _ownSlot;
            WriterThread.Free(_block);
        }
        catch (Exception e)
        {
            _failure = e;
            _stopped.Release();
        }
    }

    private sealed class DeathException : Exception;
}
