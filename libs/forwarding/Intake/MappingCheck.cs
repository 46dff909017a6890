using ThermalStreaming.Hosting;
using ThermalStreaming.Mappings;

namespace ThermalStreaming.Forwarding;

/// <summary>The step of <c>check</c> that shows which mappings are in use, and the topic for which the running service found no
/// mapping.</summary>
static class MappingCheck
{
    public static CheckStep Step(MappingSet mappings, RunningService service) =>
        new(
            "mappings",
            async cancellationToken =>
            {
                if (mappings.Mappings.Count == 0)
                    return CheckResult.Ok("no mapping is in use; for devices with their own topics set MAPPINGS (docs/devices.md)");
                var used = string.Join(", ", mappings.Mappings.Select(mapping => mapping.Name));
                if (
                    await service.StatusAsync(cancellationToken) is not { } status
                    || !status.TryGetProperty("unmapped", out var count)
                    || count.GetInt64() is var messages and 0
                )
                    return CheckResult.Ok($"{used}; no message without a mapping since the service was started");
                return CheckResult.Warning(
                    $"{used}; {count.GetInt64()} messages that no mapping takes, the last on {status.GetProperty("unmapped_topic").GetString()}",
                    "A device publishes messages that the mappings in use do not know. They are not stored.",
                    "If these messages are not readings, name their topic under ignore. Otherwise write a mapping: mappings show "
                        + "NAME prints one to start from, and mappings try FILE TOPIC shows the readings that it makes of a message."
                );
            }
        );
}
