using System.Globalization;

namespace Weir.Kernel;

/// <summary>
/// Names of what a recording makes in the kernel, which say whose it is: <c>weir_PID_START</c> and, of several in one process, <c>_N</c>. START is when the process
/// began, so a later process of the same PID is not taken for the owner. The kernel takes them as names of instances and of event groups.
/// </summary>
internal static class InstanceOwner
{
    private const string Prefix = "weir_";
    private static int s_count;

    /// <summary>A name that belongs to this process and to nothing else that it has made.</summary>
    public static string NewName() => string.Create(
        CultureInfo.InvariantCulture, $"{Prefix}{Environment.ProcessId}_{StartOf(Environment.ProcessId) ?? 0}_{Interlocked.Increment(ref s_count)}");

    /// <summary>Whether a name is one of ours.</summary>
    public static bool IsOwned(string name) => name.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>Whether a name is one of ours whose owner is no more.</summary>
    public static bool IsAbandoned(string name)
    {
        if (!name.StartsWith(Prefix, StringComparison.Ordinal) || name[Prefix.Length..].Split('_') is not [var pid, var start, ..])
            return false;
        if (!int.TryParse(pid, NumberStyles.None, CultureInfo.InvariantCulture, out int owner) || !ulong.TryParse(start, NumberStyles.None, CultureInfo.InvariantCulture, out ulong began))
            return false;
        return StartOf(owner) != began;
    }

    /// <summary>When a process began, in ticks since the machine's start; null when there is no such process.</summary>
    private static ulong? StartOf(int processId)
    {
        try
        {
            // Field 22 of the file; the name, field 2, is in parentheses and may contain anything.
            string text = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/stat"));
            string[] fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return ulong.Parse(fields[19], CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
