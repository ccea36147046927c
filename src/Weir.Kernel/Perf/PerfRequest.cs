using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Weir.Kernel;

/// <summary>
/// A counter and how often it makes a sample: <c>cpu-clock@99hz</c> about so often a second, <c>page-faults@1000</c> each time that it has
/// counted so many. Without either it is 997 times a second for what goes on all the time, and each one for what happens now and then.
/// </summary>
/// <param name="Counter">The counter.</param>
/// <param name="Rate">Counts, or samples a second; at least 1.</param>
/// <param name="IsFrequency">Whether it is samples a second.</param>
internal sealed record PerfRequest(PerfCounter Counter, ulong Rate, bool IsFrequency)
{
    /// <summary>A prime, so that samples do not keep step with what happens each millisecond.</summary>
    public const ulong DefaultFrequency = 997;

    /// <summary>Parses what stands behind <c>perf:</c>; says in a sentence's end what is wrong.</summary>
    public static bool TryParse(string target, [NotNullWhen(true)] out PerfRequest? request, [NotNullWhen(false)] out string? wrong)
    {
        request = null;
        int at = target.IndexOf('@', StringComparison.Ordinal);
        string name = at < 0 ? target : target[..at];
        if (PerfCounters.Find(name) is not { } counter)
        {
            wrong = $"there is no counter '{name}'; {PerfCounters.Suggest(name)}";
            return false;
        }
        wrong = null;
        if (at < 0)
        {
            request = new PerfRequest(counter, counter.IsSteady ? DefaultFrequency : 1, counter.IsSteady);
            return true;
        }
        string rate = target[(at + 1)..];
        bool isFrequency = rate.EndsWith("hz", StringComparison.OrdinalIgnoreCase);
        string digits = isFrequency ? rate[..^2] : rate;
        // The kernel takes the highest bit of a period for a sign.
        if (!ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) || value is 0 or > long.MaxValue)
        {
            wrong = $"'{rate}' is no rate; 1000 is a sample for each thousand that are counted, 99hz about 99 samples a second";
            return false;
        }
        request = new PerfRequest(counter, value, isFrequency);
        return true;
    }
}
