namespace ThermalStreaming.Runner;

/// <summary>Which test projects a run is about.</summary>
enum TestScope
{
    /// <summary>All of them.</summary>
    Everything,

    /// <summary>Those that need no container.</summary>
    Unit,

    /// <summary>Pipeline.Tests alone.</summary>
    Pipeline,

    /// <summary>Those with a test that the filter matches.</summary>
    Matching,
}
