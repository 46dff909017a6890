namespace ThermalStreaming.Testing;

/// <summary>A broker that a test starts, stops, kills and starts again.</summary>
public interface ITestBroker : IAsyncDisposable
{
    /// <summary>The plain listener, on 127.0.0.1; the same after a restart.</summary>
    int Port { get; }

    /// <summary>The TLS listener; 0 without one.</summary>
    int TlsPort { get; }

    /// <summary>Cuts every connection without a word and ends.</summary>
    Task KillAsync();

    /// <summary>Says goodbye to its clients, saves what it has and ends.</summary>
    Task StopAsync();

    /// <summary>Starts it with the same ports and what it has saved, and waits until it accepts connections.</summary>
    Task StartAgainAsync();
}
