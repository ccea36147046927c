using Xunit;

namespace Weir.Tests;

/// <summary>Tests that need the machine, or change something of it, run beside no other test.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
