namespace ThermalStreaming.Forwarding.Tests;

/// <summary>Tests that measure the whole process run when no other does.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
