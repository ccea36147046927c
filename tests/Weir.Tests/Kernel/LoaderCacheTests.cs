using System.Text;
using Weir.Kernel;
using Xunit;

namespace Weir.Tests.Kernel;

public sealed class LoaderCacheTests
{
    private const uint X64 = 0x0303;

    [Fact]
    public void A_library_is_found_by_its_name_or_without_its_version()
    {
        byte[] cache = Cache((0x0003, "libx.so.1", "/lib32/libx.so.1"), (X64, "libx.so.2", "/lib/libx.so.2"), (X64, "libx.so.1", "/lib/libx.so.1"));
        Assert.Equal("/lib/libx.so.1", LoaderCache.Find(cache, "libx.so.1", X64));
        Assert.Equal("/lib/libx.so.2", LoaderCache.Find(cache, "libx", X64));
        Assert.Null(LoaderCache.Find(cache, "lib", X64));
        byte[] old = [.. "ld.so-1.7.0\0"u8, 1, 0, 0, 0, .. new byte[12], .. cache];
        Assert.Equal("/lib/libx.so.1", LoaderCache.Find(old, "libx.so.1", X64));
    }

    [Fact]
    public void A_bad_cache_finds_nothing_and_throws_nothing()
    {
        byte[] good = Cache((X64, "libx.so.1", "/lib/libx.so.1"), (X64, "liby.so.1", "/lib/liby.so.1"));
        for (int length = 0; length < good.Length; length++)
            LoaderCache.Find(good.AsSpan(0, length), "liby.so.1", X64);
        var random = new Random(5);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bad = [.. good];
            bad[random.Next(bad.Length)] = (byte)random.Next(256);
            bad[random.Next(bad.Length)] = (byte)random.Next(256);
            LoaderCache.Find(bad, "liby.so.1", X64);
        }
    }

    [Fact]
    public void This_machines_libc_is_found()
    {
        Assert.SkipUnless(File.Exists("/etc/ld.so.cache"), "There is no /etc/ld.so.cache.");
        string? path = LoaderCache.Find("libc.so.6");
        Assert.EndsWith("/libc.so.6", path, StringComparison.Ordinal);
        Assert.True(File.Exists(path));
        Assert.Null(LoaderCache.Find("libnobody-has-this.so.1"));
    }

    private static byte[] Cache(params (uint Flags, string Name, string Path)[] entries)
    {
        int texts = 48 + (24 * entries.Length);
        var text = new List<byte>();
        var cache = new List<byte>();
        cache.AddRange([.. "glibc-ld.so.cache1.1"u8, .. BitConverter.GetBytes(entries.Length), .. new byte[24]]);
        foreach (var (flags, name, path) in entries)
        {
            int nameOffset = texts + text.Count;
            text.AddRange([.. Encoding.UTF8.GetBytes(name), 0]);
            int pathOffset = texts + text.Count;
            text.AddRange([.. Encoding.UTF8.GetBytes(path), 0]);
            cache.AddRange([.. BitConverter.GetBytes(flags), .. BitConverter.GetBytes(nameOffset), .. BitConverter.GetBytes(pathOffset), .. new byte[12]]);
        }
        return [.. cache, .. text];
    }
}
