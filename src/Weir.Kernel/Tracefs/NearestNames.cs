namespace Weir.Kernel;

/// <summary>What somebody may have meant who wrote a name that is not there.</summary>
internal static class NearestNames
{
    /// <summary>The names that differ from <paramref name="wanted"/> in few letters, or contain it, the nearest first.</summary>
    public static IReadOnlyList<string> Find(string wanted, IEnumerable<string> names, int count)
    {
        // One letter in three may be wrong; more is another word.
        int limit = Math.Max(1, wanted.Length / 3);
        string part = wanted[(wanted.LastIndexOf(':') + 1)..].Trim('*', '?');
        return
        [
            .. names.Distinct()
                .Select(name => (Name: name, Distance: part.Length > 2 && name.Contains(part, StringComparison.OrdinalIgnoreCase) ? 0 : Distance(wanted, name)))
                .Where(item => item.Distance <= limit)
                .OrderBy(item => item.Distance)
                .ThenBy(item => Math.Abs(item.Name.Length - wanted.Length))
                .ThenBy(item => item.Name, StringComparer.Ordinal)
                .Take(count)
                .Select(item => item.Name),
        ];
    }

    /// <summary>Letters to insert, remove or replace until one text is the other: Levenshtein's distance, a row at a time.</summary>
    internal static int Distance(string left, string right)
    {
        int[] row = [.. Enumerable.Range(0, right.Length + 1)];
        for (int i = 0; i < left.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i + 1;
            for (int j = 0; j < right.Length; j++)
            {
                int above = row[j + 1];
                int replaced = diagonal + (left[i] == right[j] ? 0 : 1);
                row[j + 1] = Math.Min(replaced, Math.Min(above, row[j]) + 1);
                diagonal = above;
            }
        }
        return row[right.Length];
    }
}
