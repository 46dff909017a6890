namespace ThermalStreaming.Thermalctl;

/// <summary>Sort order of the rows of <c>top</c>.</summary>
enum TopSort
{
    /// <summary>By the order of the data flow, then by name.</summary>
    Service,

    /// <summary>The worst first.</summary>
    State,

    /// <summary>The largest first.</summary>
    Backlog,

    /// <summary>The longest first.</summary>
    Lag,

    /// <summary>The most first.</summary>
    Rate,
}
