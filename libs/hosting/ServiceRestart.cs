namespace ThermalStreaming.Hosting;

/// <summary>
/// Lets a part stop the whole service and restart it in the same process, with its options reloaded. For choices that only a start makes,
/// such as the broker of an agent. Thread-safe.
/// </summary>
public sealed class ServiceRestart
{
    volatile bool isRequested;

    /// <summary>Whether a restart was requested.</summary>
    public bool IsRequested => isRequested;

    /// <summary>Stops the running service.</summary>
    internal Action Stop { get; set; } = () => { };

    /// <summary>Begins the stop, which lets every part finish as SIGTERM does; returns before it has ended.</summary>
    public void Request()
    {
        isRequested = true;
        Stop();
    }
}
