using System.Runtime.CompilerServices;

namespace Weir.Tests.Ring;

/// <summary>A thread that stores words in a stream and its ring while they are read.</summary>
internal sealed unsafe class FuzzDisturber : IDisposable
{
    private readonly Thread _thread;
    private FuzzTarget? _target;
    private ulong _seed;
    private bool _isIdle = true;
    private bool _isStopped;

    public FuzzDisturber()
    {
        _thread = new Thread(Run) { IsBackground = true };
        _thread.Start();
    }

    public void Begin(FuzzTarget target, ulong seed)
    {
        _seed = seed;
        Volatile.Write(ref _isIdle, false);
        Volatile.Write(ref _target, target);
    }

    public void End()
    {
        Volatile.Write(ref _target, null);
        var wait = default(SpinWait);
        while (!Volatile.Read(ref _isIdle))
            wait.SpinOnce(-1);
    }

    public void Dispose()
    {
        Volatile.Write(ref _isStopped, true);
        _thread.Join();
    }

    private void Run()
    {
        var wait = default(SpinWait);
        while (!Volatile.Read(ref _isStopped))
        {
            if (Volatile.Read(ref _target) is not { } target)
            {
                Volatile.Write(ref _isIdle, true);
                wait.SpinOnce(-1);
                continue;
            }
            var draw = new FuzzDraw(_seed);
            while (Volatile.Read(ref _target) != null)
            {
                // By turns wrong and right, so that some questions get far.
                bool isRing = draw.Next(3) == 0;
                byte* file = isRing ? target.Ring : target.Stream;
                int offset = isRing ? draw.RingWord(target)
                    : draw.Next(2) == 0 ? draw.HeadWord()
                    : draw.ControlWord();
                Unsafe.WriteUnaligned(file + offset, draw.Value(file + offset, target));
                Thread.SpinWait(draw.Next(50));
                Unsafe.WriteUnaligned(file + offset, BitConverter.ToUInt64(isRing ? target.Original.Ring : target.Original.Stream, offset));
                Thread.SpinWait(draw.Next(50));
            }
        }
    }
}
