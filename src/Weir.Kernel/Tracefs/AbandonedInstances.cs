namespace Weir.Kernel;

/// <summary>Finds and removes what recordings that were killed have left in the kernel: instances and dynamic events.</summary>
public static class AbandonedInstances
{
    private static readonly string[] s_dynamicEventFiles = ["uprobe_events", "kprobe_events"];

    /// <summary>The names of what killed recordings have left.</summary>
    public static IReadOnlyList<string> Find(TracefsMount tracefs)
    {
        ArgumentNullException.ThrowIfNull(tracefs);
        return [.. Instances(tracefs), .. DynamicEvents(tracefs).Select(item => item.Name)];
    }

    /// <summary>Removes what killed recordings have left; returns what is gone now.</summary>
    public static IReadOnlyList<string> Remove(TracefsMount tracefs)
    {
        ArgumentNullException.ThrowIfNull(tracefs);
        // Events that an instance has enabled cannot be removed before it.
        var abandoned = Instances(tracefs).ToList();
        if (abandoned.Any(name => FunctionGraphList.IsUsedBy(Path.Combine(tracefs.InstancesPath, name))))
            FunctionGraphList.Clear(tracefs);
        var removed = abandoned.Where(name => TracefsInstance.Remove(Path.Combine(tracefs.InstancesPath, name))).ToList();
        foreach (var (name, file) in DynamicEvents(tracefs))
        {
            if (TracefsFile.TryWrite(Path.Combine(tracefs.Path, file), $"-:{name}", append: true) == 0)
                removed.Add(name);
        }
        return removed;
    }

    private static IEnumerable<string> Instances(TracefsMount tracefs)
    {
        try
        {
            return [.. Directory.GetDirectories(tracefs.InstancesPath).Select(path => Path.GetFileName(path)!).Where(InstanceOwner.IsAbandoned).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Lines such as <c>p:weir_12_3456_1/malloc /lib/libc.so.6:0x98860</c>.</summary>
    private static IEnumerable<(string Name, string File)> DynamicEvents(TracefsMount tracefs)
    {
        foreach (string file in s_dynamicEventFiles)
        {
            string path = Path.Combine(tracefs.Path, file);
            if (!File.Exists(path))
                continue;
            foreach (string line in Lines(path))
            {
                int colon = line.IndexOf(':', StringComparison.Ordinal);
                int end = line.IndexOf(' ', StringComparison.Ordinal);
                if (colon < 0 || end < colon)
                    continue;
                string name = line[(colon + 1)..end];
                if (InstanceOwner.IsAbandoned(name.Split('/')[0]))
                    yield return (name, file);
            }
        }
    }

    private static string[] Lines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
