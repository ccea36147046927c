using Weir.Ring;
using Xunit;

namespace Weir.Tests.Ring;

public sealed unsafe class MappedMemoryTests
{
    private static MappedMemory New(string path, long lengthBytes) =>
        MappedMemory.Create(RingBacking.Files(Path.GetDirectoryName(path)!), Path.GetFileName(path), lengthBytes, node: null);

    [Fact]
    public void No_room_is_an_IOException_that_names_the_file_and_leaves_none()
    {
        Assert.SkipUnless(Native.EffectiveUserId() == 0, "mounting a small file system needs root");
        string directory = TestRing.NewDirectory();
        Assert.SkipUnless(Native.Mount("tmpfs", directory, "tmpfs", 0, "size=128k") == 0, "no file system can be mounted here");
        try
        {
            string path = Path.Combine(directory, "large");
            var e = Assert.Throws<IOException>(() => New(path, 4 << 20));
            Assert.StartsWith(path, e.Message, StringComparison.Ordinal);
            Assert.Contains("no room", e.Message, StringComparison.Ordinal);
            Assert.False(File.Exists(path));

            // What was given has its room: each page can be written.
            var file = New(Path.Combine(directory, "small"), 64 << 10);
            new Span<byte>(file.Address, 64 << 10).Fill(1);
            file.Unmap();
        }
        finally
        {
            Assert.Equal(0, Native.Unmount(directory));
            Directory.Delete(directory);
        }
    }

    [Fact]
    public void An_existing_file_is_not_touched()
    {
        string path = Path.Combine(TestRing.NewDirectory(), "file");
        File.WriteAllText(path, "mine");
        Assert.Contains(path, Assert.Throws<IOException>(() => New(path, 4096)).Message, StringComparison.Ordinal);
        Assert.Equal("mine", File.ReadAllText(path));
        Assert.Contains(path, Assert.Throws<IOException>(() => MappedMemory.Open(path, 4096)).Message, StringComparison.Ordinal);
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }

    [Fact]
    public void Unmapping_twice_is_unmapping_once()
    {
        string path = Path.Combine(TestRing.NewDirectory(), "file");
        var file = New(path, 4096);
        file.Unmap();
        file.Unmap();
        Assert.True(file.Address == null);
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }

    /// <summary>Signals arrive faster than a large allocation takes.</summary>
    [Fact]
    public void Signals_do_not_stop_an_allocation()
    {
        Native.EnsureSignalIsHarmless();
        string path = Path.Combine(TestRing.NewDirectory(), "file");
        int target = 0;
        bool isDone = false;
        var sender = new Thread(() =>
        {
            while (!Volatile.Read(ref isDone))
            {
                if (Volatile.Read(ref target) is var id and not 0)
                    _ = Native.SendSignal(Environment.ProcessId, id, Native.Signal);
                Thread.SpinWait(200);
            }
        });
        sender.Start();
        try
        {
            Native.OnPinnedThread([.. Cpus.Allowed()], () =>
            {
                Volatile.Write(ref target, Native.ThreadId());
                New(path, 64 << 20).Unmap();
                Volatile.Write(ref target, 0);
            });
        }
        finally
        {
            Volatile.Write(ref isDone, true);
            sender.Join();
            Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        }
    }
}
