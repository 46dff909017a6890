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
        await using var broker = TakesOver(times: 3);
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
        await using var broker = TakesOver(times: 2);
        await using var client = new RunningClient(broker.Options());

        await Wait.UntilAsync(() => client.Client.State is { IsReady: true, Generation: 3 }, "the third connection stands");

        Assert.All(client.Snapshot(), state => Assert.Null(state.Rival));
    }

    [Fact]
    public async Task What_a_listener_hears_last_is_the_state_of_now()
    {
        var clock = new FakeTimeProvider();
        await using var broker = TakesOver(times: 3);
        var connecting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var forgotten = new ManualResetEventSlim();
        MqttConnectionState? second = null;
        var heard = 0;
        await using var client = new RunningClient(
            broker.Options(),
            client =>
                client.ConnectionChanged += state =>
                {
                    // A slow listener, which another thread could overtake.
                    if (state is { IsConnected: true, Rival: not null } && connecting.TrySetResult())
                        forgotten.Wait(TimeSpan.FromSeconds(1));
                    if (connecting.Task.IsCompleted && Interlocked.Increment(ref heard) == 2)
                        Volatile.Write(ref second, state);
                    if (state.Rival is null && connecting.Task.IsCompleted)
                        forgotten.Set();
                },
            clock
        );
        await Wait.UntilAsync(
            () =>
            {
                // Ends the pauses between the attempts. What follows runs beside this test.
                ThreadPool.QueueUserWorkItem(_ => clock.Advance(broker.Options().MaximumReconnectDelay));
                return connecting.Task.IsCompleted;
            },
            "the session was taken over three times, and the client has connected again"
        );

        ThreadPool.QueueUserWorkItem(_ => clock.Advance(Rivals.Memory));

        await Wait.UntilAsync(() => Volatile.Read(ref second) is not null, "both changes are told");
        Assert.Null(second!.Rival);
    }

    /// <summary>The first connections are taken over at once; the next one lasts.</summary>
    static FakeBroker TakesOver(int times) =>
        new(
            async (connection, number) =>
            {
                await connection.AcceptAsync(sessionPresent: true);
                if (number <= times)
                    await connection.SendAsync(takenOver);
                else
                    await connection.DrainAsync();
            }
        );

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
