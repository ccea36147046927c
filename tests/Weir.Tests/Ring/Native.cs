using System.Runtime.InteropServices;
using Weir.Clock;

namespace Weir.Tests.Ring;

/// <summary>System calls that only the tests make.</summary>
internal static unsafe partial class Native
{
    public const int Signal = 12; // SIGUSR2, which the runtime leaves alone
    public const int SigKill = 9;

    private const int RestartCalls = 0x10000000;
    private const int ActionBytes = 152;
    private const int ActionFlagsOffset = 136;

    private static readonly nint s_emptyHandler = InstallEmptyHandler();

    [LibraryImport("libc", EntryPoint = "gettid")]
    public static partial int ThreadId();

    [LibraryImport("libc", EntryPoint = "tgkill")]
    public static partial int SendSignal(int processId, int threadId, int signal);

    [LibraryImport("libc", EntryPoint = "kill")]
    public static partial int Kill(int processId, int signal);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint EffectiveUserId();

    [LibraryImport("libc", EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Mount(string source, string target, string type, ulong flags, string data);

    [LibraryImport("libc", EntryPoint = "umount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Unmount(string target);

    public const int NonBlocking = 0x800;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags);

    /// <summary>One call of the system's, which pseudo-files need: they answer no read at a position.</summary>
    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(SafeHandle file, byte[] target, nint lengthBytes);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity", SetLastError = true)]
    private static partial int SetAffinity(int threadId, nuint maskBytes, byte* mask);

    [LibraryImport("libc", EntryPoint = "sigaction", SetLastError = true)]
    private static partial int SetAction(int signal, byte* action, byte* old);

    /// <summary>Binds the calling thread to CPUs.</summary>
    public static void Pin(params ReadOnlySpan<int> cpus)
    {
        byte* mask = stackalloc byte[1024];
        new Span<byte>(mask, 1024).Clear();
        foreach (int cpu in cpus)
            mask[cpu / 8] |= (byte)(1 << (cpu % 8));
        Assert(SetAffinity(0, 1024, mask) == 0, "sched_setaffinity");
    }

    /// <summary>Lets <see cref="Signal"/> interrupt a thread and do nothing else: its handler is one return instruction.</summary>
    public static void EnsureSignalIsHarmless() => Assert(s_emptyHandler != 0, "sigaction");

    /// <summary>Runs an action on a thread of its own, bound to CPUs, and passes on what it throws.</summary>
    public static void OnPinnedThread(ReadOnlySpan<int> cpus, Action action)
    {
        int[] kept = cpus.ToArray();
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                Pin(kept);
                action();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        if (failure != null)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
    }

    private static nint InstallEmptyHandler()
    {
        ReadOnlySpan<byte> ret = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? [0xc0, 0x03, 0x5f, 0xd6] : [0xc3];
        nint handler = ExecutableMemory.Map(ret, null, out _);
        byte* action = stackalloc byte[ActionBytes];
        new Span<byte>(action, ActionBytes).Clear();
        *(nint*)action = handler;
        *(int*)(action + ActionFlagsOffset) = RestartCalls;
        return handler != 0 && SetAction(Signal, action, null) == 0 ? handler : 0;
    }

    private static void Assert(bool isTrue, string call)
    {
        if (!isTrue)
            throw new InvalidOperationException($"{call}: {Marshal.GetLastPInvokeErrorMessage()}");
    }
}
