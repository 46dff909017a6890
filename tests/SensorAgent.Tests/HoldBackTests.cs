using System.Text.Json;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SensorAgent.Tests;

/// <summary>
/// While no forwarder says that it takes readings, they stay in the outbox. Somebody else subscribes all the time in these tests, so the
/// broker acknowledges whatever is published with reason code 0.
/// </summary>
public sealed class HoldBackTests : IDisposable
{
    static readonly ReadingKind[] both = [ReadingKind.Thermal, ReadingKind.Inverter];

    readonly TempDirectory data = new();

    public void Dispose() => data.Dispose();

    [Fact]
    public async Task At_the_very_first_start_readings_wait_for_a_forwarder_that_is_required()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        await using var spy = await Collector.StartAsync(broker.Port);
        using var agent = new AgentProcess(data.Path, broker.Port, ("FORWARDER_REQUIRED", "true"));
        var before = await HeldBackAsync(agent, spy, ReadingKind.Thermal, ReadingKind.Inverter);
        Assert.Equal(0, before);

        await using var forwarder = new SpeakingForwarder(broker.Port, both);
        await ArrivedAsync(agent, spy, before);
    }

    [Fact]
    public async Task After_a_restart_of_the_broker_readings_wait_for_a_forwarder_and_a_spy_gets_none()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        await using var spy = await Collector.StartAsync(broker.Port);
        using var agent = new AgentProcess(data.Path, broker.Port);
        await using (new SpeakingForwarder(broker.Port, both))
            await PublishedWhileHeardAsync(spy);

        broker.Kill();
        await broker.StartAgainAsync();
        var before = await HeldBackAsync(agent, spy, ReadingKind.Thermal, ReadingKind.Inverter);

        await using var forwarder = new SpeakingForwarder(broker.Port, both);
        await ArrivedAsync(agent, spy, before);
        Assert.Contains("Publishing of thermal readings resumed", agent.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task When_the_last_forwarder_falls_silent_on_a_connection_that_lasts_readings_wait()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        await using var spy = await Collector.StartAsync(broker.Port);
        using var agent = new AgentProcess(data.Path, broker.Port);
        await using (new SpeakingForwarder(broker.Port, both))
            await PublishedWhileHeardAsync(spy);

        var before = await HeldBackAsync(agent, spy, ReadingKind.Thermal, ReadingKind.Inverter);

        await using var forwarder = new SpeakingForwarder(broker.Port, both);
        await ArrivedAsync(agent, spy, before);
        Assert.Contains("thermal_agent_mqtt_reconnects_total 0", await agent.MetricsAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_agent_that_starts_again_remembers_to_wait_for_each_kind_and_a_retained_word_does_not_count()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        await using var spy = await Collector.StartAsync(broker.Port);
        using (var first = new AgentProcess(data.Path, broker.Port))
        {
            await using (new SpeakingForwarder(broker.Port, both))
                await PublishedWhileHeardAsync(spy);
            first.Kill();
        }
        await SpeakingForwarder.LeaveRetainedAsync(broker.Port, ReadingKind.Inverter);
        var seen = spy.Of(ReadingKind.Inverter).Count;

        await using var thermal = new SpeakingForwarder(broker.Port, ReadingKind.Thermal);
        using var agent = new AgentProcess(data.Path, broker.Port);
        var before = await HeldBackAsync(agent, spy, ReadingKind.Inverter);
        Assert.Equal(seen, before);
        // The other kind flows meanwhile.
        var batches = spy.Of(ReadingKind.Thermal).Count;
        await spy.UntilAsync(c => c.Of(ReadingKind.Thermal).Count > batches + 5);
        Assert.Equal(before, spy.Of(ReadingKind.Inverter).Count);

        await using var inverter = new SpeakingForwarder(broker.Port, both);
        await ArrivedAsync(agent, spy, before);
    }

    /// <summary>Waits until readings flow and the agent has heard the forwarder; from then on it requires one.</summary>
    Task PublishedWhileHeardAsync(Collector spy) =>
        spy.UntilAsync(c => both.All(kind => c.Of(kind).Count >= 3 && File.Exists(data.File($"outbox/forwarder-{Topics.Name(kind)}"))));

    /// <summary>Waits until the agent says that it holds readings back, and until some more have gathered.</summary>
    /// <returns>How many batches of the last kind the spy had, and still has.</returns>
    static async Task<int> HeldBackAsync(AgentProcess agent, Collector spy, params ReadingKind[] kinds)
    {
        await agent.StatusAsync(status =>
            kinds.All(kind =>
                Part(status, kind).Contains($"no forwarder announces that it takes {Topics.Name(kind)} readings", StringComparison.Ordinal)
            )
        );
        var held = kinds.ToDictionary(kind => kind, kind => spy.Of(kind).Count);
        var taken = (await agent.StatusAsync(_ => true)).GetProperty("readings_taken").GetInt64();
        await agent.StatusAsync(status =>
            status.GetProperty("readings_taken").GetInt64() > taken + 60 && status.GetProperty("backlog").GetInt64() > 20
        );
        Assert.All(held, kind => Assert.Equal(kind.Value, spy.Of(kind.Key).Count));
        return held[kinds[^1]];
    }

    /// <summary>Everything that was held back comes, in order, none missing, and the agent is well.</summary>
    static async Task ArrivedAsync(AgentProcess agent, Collector spy, int before)
    {
        await spy.UntilAsync(c => c.Of(ReadingKind.Inverter).Skip(before).Any(batch => !batch.Replayed));
        await agent.StatusAsync(status => status.GetProperty("ready").GetBoolean());
        foreach (var boot in spy.Batches.GroupBy(batch => (batch.Kind, batch.Batch.BootId)))
        {
            var sequences = boot.SelectMany(batch => Collector.Sequences(batch.Batch)).ToHashSet();
            Assert.True((ulong)sequences.Count == sequences.Max(), $"{boot.Key}: {sequences.Count} of {sequences.Max()} readings arrived");
        }
    }

    static string Part(JsonElement status, ReadingKind kind) =>
        status.GetProperty("parts").TryGetProperty($"publishing {Topics.Name(kind)}", out var part) ? part.GetString() ?? "" : "";
}
