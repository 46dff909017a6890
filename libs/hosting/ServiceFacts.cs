using System.Reflection;
using Google.Protobuf.WellKnownTypes;
using ThermalStreaming.Control;

namespace ThermalStreaming.Hosting;

/// <summary>What control services report about the service itself. Thread-safe.</summary>
/// <param name="name">Name of the service.</param>
/// <param name="health">Its parts.</param>
/// <param name="clock">Where time comes from.</param>
public sealed class ServiceFacts(string name, Health health, TimeProvider clock)
{
    static readonly string version =
        Assembly.GetEntryAssembly()?.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";

    readonly DateTimeOffset startedAt = clock.GetUtcNow();

    /// <summary>At this moment.</summary>
    public ServiceInfo Now()
    {
        var info = new ServiceInfo
        {
            Service = name,
            Replica = Environment.MachineName,
            Version = version,
            StartedAt = Timestamp.FromDateTimeOffset(startedAt),
            Time = Timestamp.FromDateTimeOffset(clock.GetUtcNow()),
            Ready = health.IsReady,
        };
        foreach (var (part, problem) in health.Parts)
        {
            info.Parts.Add(
                new Part
                {
                    Name = part,
                    Problem = problem ?? "",
                    Note = problem is null ? health.Note(part) ?? "" : "",
                }
            );
        }
        return info;
    }
}
