namespace Weir.Graph;

/// <summary>A range of time in nanoseconds from the clocks' origin, both ends included.</summary>
/// <param name="BeginNs">First time that belongs to it.</param>
/// <param name="EndNs">Last time that belongs to it.</param>
public readonly record struct TimeRange(long BeginNs, long EndNs);
