using Microsoft.Extensions.Time.Testing;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>
/// Two clients with one client id take the session from one another for ever; each must say so, also in the moments in which it is
/// connected.
/// </summary>
public sealed class RivalTests
{
    static readonly byte[] takenOver = ServerPackets.Goodbye(MqttReasonCode.SessionTakenOver);

    [Fact]
    public async Task A_session_that_is_taken_over_again_and_again_is_reported_also_while_connected()
    {
        await using var broker = new FakeBroker(
            async (connection, number) =>
            {
                await connection.AcceptAsync(sessionPresent: true);
                if (number <= 3)
                    await connection.SendAsync(takenOver);
                else
                    await connection.DrainAsync();
            }
        );
        await using var client = new RunningClient(broker.Options());

        await Wait.UntilAsync(
            () => client.Client.State is { IsReady: true, Rival: not null },
            "it is connected and names its rival",
            () => string.Join('\n', client.Snapshot().TakeLast(5))
        );

        Assert.Contains("'client'", client.Client.State.Rival, StringComparison.Ordinal);
        Assert.Contains("identity of its own", client.Client.State.Rival, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_restart_that_overlaps_is_no_rival()
    {
        await using var broker = new FakeBroker(
            async (connection, number) =>
            {
                await connection.AcceptAsync(sessionPresent: true);
                if (number <= 2)
                    await connection.SendAsync(takenOver);
                else
                    await connection.DrainAsync();
            }
        );
        await using var client = new RunningClient(broker.Options());

        await Wait.UntilAsync(() => client.Client.State is { IsReady: true, Generation: 3 }, "the third connection stands");

        Assert.All(client.Snapshot(), state => Assert.Null(state.Rival));
    }

    [Fact]
    public void Rivals_are_forgotten_when_they_have_been_away_for_a_while()
    {
        var clock = new FakeTimeProvider();
        var rivals = new Rivals(clock);

        rivals.TookOver();
        clock.Advance(TimeSpan.FromMinutes(4));
        rivals.TookOver();
        Assert.False(rivals.AreThere);
        rivals.TookOver();
        Assert.True(rivals.AreThere);
        clock.Advance(TimeSpan.FromMinutes(2));
        rivals.Look();
        Assert.False(rivals.AreThere);
    }
}
