namespace ThermalStreaming.Thermalctl;

/// <summary>By what the rows of <c>top</c> are sorted.</summary>
enum TopSort
{
    /// <summary>In the order of the data's way, then by name.</summary>
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
