namespace Weir.Ctf;

/// <summary>How far decoding came.</summary>
public enum DecodeStatus : byte
{
    /// <summary>Everything was decoded.</summary>
    Done,

    /// <summary>The bytes end before the field does.</summary>
    OutOfBytes,

    /// <summary>A variant's selector selects no option.</summary>
    NoOption,

    /// <summary>Two numbers of different byte order share a byte.</summary>
    ByteOrderChange,

    /// <summary>Arrays have more elements without bits than anybody may want to see.</summary>
    TooManyElements,

    /// <summary>No more events in the packet.</summary>
    EndOfPacket,

    /// <summary>The event header's ID is not that of an event record class.</summary>
    UnknownEvent,

    /// <summary>An event record takes no bits, so nobody can say how many there are.</summary>
    EmptyRecord,

    /// <summary>An integer in LEB128 has more than 64 bits.</summary>
    IntegerTooLong,

    /// <summary>Text is not what its encoding, UTF-16 or UTF-32, allows.</summary>
    BadText,
}
