using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Mqtt;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// The steps of <c>check</c> that every forwarder has: the broker, and the place of the journals. Each forwarder adds its destination.
/// </summary>
public static class ForwarderChecks
{
    public static IEnumerable<CheckStep> Steps(ForwarderOptions options, RunningService service, TimeProvider clock) =>
        [
            .. BrokerCheck.Steps(options.Mqtt, clock, filters: options.Subscriptions),
            .. JournalCheck.Steps(options.DataDirectory, options.Journal),
            MappingCheck.Step(options.Mappings, service),
            SenderCheck.Step(service),
            LedgerCheck.Step(service),
            DeadLetterCheck.Step(service),
        ];
}
