using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Weir.Kernel;

/// <summary>
/// Finds a library as the loader does: in <c>/etc/ld.so.cache</c>, else in the usual directories.
/// <code>
///   0  "ld.so-1.7.0" of an old cache, which is passed over: a count u32 at 12, 12 bytes for each entry from 16
///   0  "glibc-ld.so.cache1.1"   20  entries u32   48  the entries: flags u32 | name u32 | path u32 | version u32 | hwcap u64
/// </code>
/// Names and paths are offsets from the magic. Source: glibc, sysdeps/generic/dl-cache.h.
/// </summary>
internal static class LoaderCache
{
    private const string CachePath = "/etc/ld.so.cache";
    private const int HeadBytes = 48;
    private const int EntryBytes = 24;
    private const int OldHeadBytes = 16;
    private const int OldEntryBytes = 12;

    /// <summary>Of the flags: what the libraries of this machine's words are marked with.</summary>
    private const uint X64 = 0x0303;
    private const uint Arm64 = 0x0a03;

    private static readonly string[] s_directories =
    [
        $"/lib/{Triplet}", $"/usr/lib/{Triplet}", "/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib",
    ];

    private static string Triplet => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "aarch64-linux-gnu" : "x86_64-linux-gnu";

    /// <summary>A library's path; null where nobody knows it. <c>libc</c> finds <c>libc.so.6</c>.</summary>
    public static string? Find(string name)
    {
        byte[] cache = [];
        try
        {
            cache = File.ReadAllBytes(CachePath);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Then the directories must do.
        }
        uint flags = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? Arm64 : X64;
        return Find(cache, name, flags) ?? s_directories.Select(directory => Path.Combine(directory, name)).FirstOrDefault(File.Exists);
    }

    /// <summary>A library's path by a cache's bytes, which nobody believes; null where it is not in it.</summary>
    internal static string? Find(ReadOnlySpan<byte> cache, string name, uint flags)
    {
        string? versioned = null;
        int begin = cache.IndexOf("glibc-ld.so.cache1.1"u8);
        if (begin < 0 || (begin > 0 && !IsBehindOld(cache, begin)))
            return null;
        cache = cache[begin..];
        if (cache.Length < HeadBytes)
            return null;
        uint count = BinaryPrimitives.ReadUInt32LittleEndian(cache[20..]);
        for (int at = HeadBytes; count > 0 && at <= cache.Length - EntryBytes; at += EntryBytes, count--)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(cache[at..]) != flags)
                continue;
            string key = Text(cache, BinaryPrimitives.ReadUInt32LittleEndian(cache[(at + 4)..]));
            bool isExact = key == name;
            if (!isExact && (versioned is not null || !key.StartsWith(name + ".so", StringComparison.Ordinal)))
                continue;
            string path = Text(cache, BinaryPrimitives.ReadUInt32LittleEndian(cache[(at + 8)..]));
            if (isExact)
                return path;
            versioned = path;
        }
        return versioned;
    }

    private static bool IsBehindOld(ReadOnlySpan<byte> cache, int begin) =>
        cache.StartsWith("ld.so-1.7.0"u8) && begin >= OldHeadBytes + ((long)OldEntryBytes * BinaryPrimitives.ReadUInt32LittleEndian(cache[12..]));

    private static string Text(ReadOnlySpan<byte> cache, uint offset)
    {
        if (offset >= cache.Length)
            return "";
        var text = cache[(int)offset..];
        int end = text.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? [] : text[..end]);
    }
}
