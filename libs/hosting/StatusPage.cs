using System.Text.Json;

namespace ThermalStreaming.Hosting;

/// <summary>
/// The few figures that a person asks for first. Parts of a service add theirs; <c>GET /status</c> and the verb <c>status</c> show them.
/// Thread-safe once the service runs.
/// </summary>
public sealed class StatusPage
{
    readonly Lock gate = new();
    readonly List<Action<Utf8JsonWriter>> sections = [];

    /// <summary>Adds a writer of JSON properties, called on each request.</summary>
    public void Add(Action<Utf8JsonWriter> writeProperties)
    {
        lock (gate)
            sections.Add(writeProperties);
    }

    internal void Write(Utf8JsonWriter json)
    {
        Action<Utf8JsonWriter>[] all;
        lock (gate)
            all = [.. sections];
        foreach (var section in all)
            section(json);
    }
}
