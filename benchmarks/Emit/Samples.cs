using System.Globalization;

namespace Weir.Bench.Emit;

/// <summary>
/// The file of what was measured, one line for each: "sample TAB name TAB value" for each timed round, and
/// "emitted TAB name TAB events" for all events of the process, so that the trace can be checked against it. Medians are the script's.
/// </summary>
internal sealed class Samples(string path) : IDisposable
{
    private readonly StreamWriter _lines = new(path, append: true);

    public void Add(string name, double value) => _lines.Write(string.Create(CultureInfo.InvariantCulture, $"sample\t{name}\t{value:F5}\n"));

    public void AddEmitted(string name, long events) => _lines.Write($"emitted\t{name}\t{events}\n");

    public void Dispose() => _lines.Dispose();
}
