using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>When a forwarder tells agents that it takes readings.</summary>
public sealed class PresenceTests
{
    static Task<Replica> StartAsync(TempDirectory directory, RefusingBroker broker) =>
        Replica.StartAsync(
            Replica.Options(directory.Path, broker.Port, mappings: MappedIntakeTests.Mappings("tasmota")),
            new Destination().CreateSink,
            waitUntilReady: false
        );

    /// <summary>Agents publish on our own topics: a mapping that the broker does not allow is no reason to hold their readings back.</summary>
    [Fact]
    public async Task A_refused_subscription_of_a_mapping_is_reported_and_agents_are_heard_all_the_same()
    {
        using var directory = new TempDirectory();
        await using var broker = new RefusingBroker(filter => filter.EndsWith("tele/+/SENSOR", StringComparison.Ordinal));
        await using var replica = await StartAsync(directory, broker);

        await Eventually.TrueAsync(() => broker.Published.Contains("forwarders/v1/thermal"), () => string.Join(", ", replica.Health.Parts));

        Assert.Contains("$share/forwarder/tele/+/SENSOR", broker.Refused);
        Assert.Contains(
            replica.Health.Parts,
            part => part.Key == "mqtt slot-0" && part.Value?.Contains("tele/+/SENSOR", StringComparison.Ordinal) == true
        );
    }

    [Fact]
    public async Task Without_its_own_subscription_a_forwarder_takes_no_readings_and_says_nothing()
    {
        using var directory = new TempDirectory();
        await using var broker = new RefusingBroker(filter => filter.EndsWith("/thermal", StringComparison.Ordinal));
        await using var replica = await StartAsync(directory, broker);

        // Tried again after a second: the intake loop has come round.
        await Eventually.TrueAsync(() => broker.Refused.Count >= 2, () => string.Join(", ", replica.Health.Parts));

        Assert.Empty(broker.Published);
    }
}
