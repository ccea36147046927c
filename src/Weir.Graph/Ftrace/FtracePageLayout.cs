using Weir.Ctf;

namespace Weir.Graph;

/// <summary>Where things lie in a page of the kernel's ring buffer, as <c>events/header_page</c> of tracefs says.</summary>
public sealed record FtracePageLayout
{
    /// <summary>Order of the bytes of all numbers.</summary>
    public required ByteOrder ByteOrder { get; init; }

    /// <summary>Offset of the page's time, 8 bytes.</summary>
    public int TimeOffset { get; init; }

    /// <summary>Offset of the number of bytes in the page, beside which flags stand.</summary>
    public int CommitOffset { get; init; } = 8;

    /// <summary>Size of that: 4 or 8.</summary>
    public int CommitBytes { get; init; } = 8;

    /// <summary>Offset of the first event.</summary>
    public int DataOffset { get; init; } = 16;

    /// <summary>Size of a page.</summary>
    public int PageBytes { get; init; } = 4096;

    /// <summary>Reads the description; what it does not say is as in kernels of the given size of <c>long</c>.</summary>
    /// <exception cref="CtfException">It describes no page.</exception>
    public static FtracePageLayout Parse(string headerPage, ByteOrder byteOrder, int longBytes)
    {
        var layout = new FtracePageLayout { ByteOrder = byteOrder, CommitBytes = longBytes, DataOffset = 8 + longBytes };
        foreach (var field in FormatParser.ParseFields(headerPage, longBytes))
        {
            layout = field.Name switch
            {
                "timestamp" when field.SizeBytes == 8 => layout with { TimeOffset = field.OffsetBytes },
                "commit" => layout with { CommitOffset = field.OffsetBytes, CommitBytes = field.SizeBytes },
                "data" => layout with { DataOffset = field.OffsetBytes, PageBytes = field.OffsetBytes + field.SizeBytes },
                "timestamp" => throw new CtfException($"a page's time of {field.SizeBytes} bytes is not known: expected 8"),
                _ => layout,
            };
        }
        if (layout.CommitBytes is not (4 or 8) || layout.DataOffset is < 12 or > 4096 || layout.CommitOffset + layout.CommitBytes > layout.DataOffset || layout.TimeOffset + 8 > layout.DataOffset)
            throw new CtfException("a page's header is not as the kernel's: expected time, commit and then data");
        return layout;
    }
}
