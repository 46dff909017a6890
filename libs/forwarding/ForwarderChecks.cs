using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Mqtt;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// The steps of <c>check</c> on this side of every forwarder: the broker and the journals' place. Its destination is each forwarder's own.
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
