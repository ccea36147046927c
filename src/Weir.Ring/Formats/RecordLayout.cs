namespace Weir.Ring;

/// <summary>
/// The head of every record: compact while the id is below 31 and less than 2^27 cycles have passed since the stream's previous
/// record (or the packet's begin), else extended. Little-endian, packed; the payload follows.
/// <code>
///  compact   bits 0-4 id, bits 5-31 the low 27 bits of the time                               4 bytes
///  extended  byte 0 = 31 | u32 id | u64 time                                                  13 bytes
/// </code>
/// Ids begin at 1, so the first byte of a record that is there is never zero: on the atomic path it is stored last, and a zero is
/// a record that was reserved and not finished.
/// </summary>
public static class RecordLayout
{
    /// <summary>Bytes of the compact head.</summary>
    public const int CompactBytes = 4;

    /// <summary>Bytes of the extended head.</summary>
    public const int ExtendedBytes = 1 + 4 + 8;

    /// <summary>Bits of the id in the compact head.</summary>
    public const int IdBits = 5;

    /// <summary>Bits of the time in the compact head.</summary>
    public const int TimeBits = 27;

    /// <summary>The compact id that announces the extended head; ids from here on need it.</summary>
    public const uint ExtendedId = 31;

    /// <summary>The smallest id of an event.</summary>
    public const uint FirstId = 1;
}
