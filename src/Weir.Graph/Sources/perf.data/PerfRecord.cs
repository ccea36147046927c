namespace Weir.Graph;

/// <summary>Types of records that a reader of events needs; from 64 on they are perf's own and not the kernel's.</summary>
internal enum PerfRecordType : uint
{
    Lost = 2,
    Comm = 3,
    Exit = 4,
    Fork = 7,
    Sample = 9,
    Mmap2 = 10,
    LostSamples = 13,
    HeaderAttribute = 64,
    TracingData = 66,
    FinishedRound = 68,
    AuxTrace = 71,
    HeaderFeature = 80,
    Compressed = 81,
    Compressed2 = 83,
}

/// <summary>Features of a file: bits of its header, and kinds of records where it was written to a pipe.</summary>
internal enum PerfFeature
{
    TracingData = 1,
    HostName = 3,
    OsRelease = 4,
    Version = 5,
    Architecture = 6,
    CommandLine = 11,
    EventDescription = 12,
    ClockData = 29,
}
