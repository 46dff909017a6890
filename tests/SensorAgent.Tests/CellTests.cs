using Grpc.Core;
using ThermalStreaming.Control;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SensorAgent.Tests;

/// <summary>An agent that moves between cells: no reading is in two of them, and none is missing.</summary>
public sealed class CellTests(ITestOutputHelper output)
{
    [Fact]
    public async Task A_device_goes_to_its_cell_and_moves_by_command_and_back()
    {
        await using var stand = await CellStand.StartAsync(cells: 2);
        using var agent = stand.Agent(("CELL_PINS", "other=0,pi=1"));
        await stand.FlowsToAsync(1);
        Assert.Empty(stand.Readings(0));

        var moving = await stand.Control.Agent.MoveToCellAsync(new() { Cell = 0 });
        Assert.Equal((2U, 1U, 0U, true), (moving.Cells, moving.Cell, moving.Target, moving.Chosen));
        Assert.Contains("cell 0", moving.Progress, StringComparison.Ordinal);
        await stand.FlowsToAsync(0);
        await ArrivedAsync(stand, 0);
        stand.EachIsInOneCell();

        await stand.Control.Agent.MoveToCellAsync(new() { FollowSettings = true });
        await stand.FlowsToAsync(1);
        var back = await ArrivedAsync(stand, 1);
        Assert.Equal((1U, false, ""), (back.Target, back.Chosen, back.Progress));
        Assert.Equal(0, await agent.StopAsync());
        stand.EachIsInOneCell();
    }

    [Fact]
    public async Task Other_settings_move_it_too_after_the_old_cell_has_what_waited_on_disk()
    {
        await using var stand = await CellStand.StartAsync(cells: 3);
        using (var agent = stand.Agent(("CELL_PINS", "pi=2")))
        {
            await stand.FlowsToAsync(2);
            // The cell is away, so readings gather on the device.
            stand.Broker(2).Kill();
            await agent.StatusAsync(status => status.GetProperty("backlog").GetInt64() > 30);
            agent.Kill();
        }
        // The cell is taken away: the settings no longer know it, and still it gets what belongs to it.
        using var moved = stand.Agent(("CELLS", "1"));
        await moved.StatusAsync(status =>
            status.GetProperty("cell").GetProperty("progress").GetString()!.StartsWith("moves to cell 0: ", StringComparison.Ordinal)
        );
        Assert.Empty(stand.Readings(0));

        await stand.Broker(2).StartAgainAsync();
        await stand.FlowsToAsync(0);
        await ArrivedAsync(stand, 0);
        Assert.Equal(0, await moved.StopAsync());
        stand.EachIsInOneCell();
        Assert.Empty(stand.Readings(1));
    }

    [Fact]
    public async Task A_move_survives_kills_at_any_moment()
    {
        var (random, seed) = Seed.Next();
        output.WriteLine($"THERMAL_TEST_SEED={seed}");
        await using var stand = await CellStand.StartAsync(cells: 2);
        for (var round = 0; round < 6; round++)
        {
            var (from, to) = (round % 2, 1 - round % 2);
            var settings = ("CELL_PINS", $"pi={from}");
            using (var first = stand.Agent(settings))
            {
                if (round == 0)
                    await stand.FlowsToAsync(from);
                await SayAsync(() => stand.Control.Agent.MoveToCellAsync(new() { Cell = (uint)to }).ResponseAsync);
                await Task.Delay(TimeSpan.FromMilliseconds(random.Next(0, 3000)), TimeProvider.System);
                first.Kill();
            }
            using (var second = stand.Agent(settings))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(random.Next(0, 6000)), TimeProvider.System);
                second.Kill();
            }
            using var third = stand.Agent(settings);
            await stand.FlowsToAsync(to);
            await ArrivedAsync(stand, to);
            Assert.Equal(0, await third.StopAsync());
            stand.EachIsInOneCell();
        }
    }

    [Fact]
    public async Task What_the_old_cell_has_stays_there_when_the_outbox_forgets_how_far_it_was()
    {
        await using var stand = await CellStand.StartAsync(cells: 2);
        using (var agent = stand.Agent(("CELL_PINS", "pi=0")))
        {
            await stand.FlowsToAsync(0);
            await stand.Control.Agent.MoveToCellAsync(new() { Cell = 1 });
            await stand.FlowsToAsync(1);
            await ArrivedAsync(stand, 1);
            Assert.Equal(0, await agent.StopAsync());
        }
        var cursors = Directory.GetFiles(stand.DataDirectory, "cursor*", SearchOption.AllDirectories);
        Assert.NotEmpty(cursors);
        foreach (var cursor in cursors)
            File.Delete(cursor);

        using var again = stand.Agent(("CELL_PINS", "pi=0"));
        await stand.FlowsToAsync(1);
        Assert.Equal(0, await again.StopAsync());
        stand.EachIsInOneCell();
    }

    [Fact]
    public async Task A_stop_while_the_agent_starts_again_stays_a_stop()
    {
        await using var stand = await CellStand.StartAsync(cells: 2);
        using var agent = stand.Agent(("CELL_PINS", "pi=0"));
        await stand.FlowsToAsync(0);
        await stand.Control.Agent.MoveToCellAsync(new() { Cell = 1 });
        // Said just before it begins to stop for the new start.
        await stand.At(0).UntilAsync(_ => agent.Log.Contains("This device has moved", StringComparison.Ordinal));

        Assert.Equal(0, await agent.StopAsync());
    }

    [Fact]
    public async Task A_move_to_the_present_cell_ends_one_that_has_begun()
    {
        await using var stand = await CellStand.StartAsync(cells: 2);
        using var agent = stand.Agent(("CELL_PINS", "pi=0"), ("REPLAY_WINDOW", "1h"));
        await stand.FlowsToAsync(0);
        await stand.Control.Agent.MoveToCellAsync(new() { Cell = 1 });
        await agent.StatusAsync(status => status.GetProperty("backlog").GetInt64() > 20);

        var status = await stand.Control.Agent.MoveToCellAsync(new() { Cell = 0 });

        Assert.Equal(("", 0U), (status.Progress, status.Target));
        await stand.FlowsToAsync(0);
        Assert.Equal(0, await agent.StopAsync());
        Assert.Empty(stand.Readings(1));
        stand.EachIsInOneCell();
    }

    [Fact]
    public async Task A_cell_that_is_lost_can_be_left_at_once()
    {
        await using var stand = await CellStand.StartAsync(cells: 2);
        using var agent = stand.Agent(("CELL_PINS", "pi=0"), ("REPLAY_WINDOW", "1h"));
        await stand.FlowsToAsync(0);
        stand.Broker(0).Kill();

        await stand.Control.Agent.MoveToCellAsync(new() { Cell = 1, Abandon = true });

        await stand.FlowsToAsync(1);
        await ArrivedAsync(stand, 1);
        // Nothing is missing; what both have is what the lost cell may or may not have stored.
        Assert.Superset(stand.Readings(0), stand.Readings(1));
        Assert.Contains("left its cell without waiting", agent.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Moves_that_cannot_be_are_refused()
    {
        await using var stand = await CellStand.StartAsync(cells: 2);
        using (var agent = stand.Agent())
        {
            await agent.StatusAsync(_ => true);
            Assert.Equal(StatusCode.InvalidArgument, await RefusalAsync(stand, new() { Cell = 2 }));
            Assert.Equal(StatusCode.InvalidArgument, await RefusalAsync(stand, new()));
            Assert.Equal(StatusCode.InvalidArgument, await RefusalAsync(stand, new() { Cell = 1, FollowSettings = true }));
        }
        using var lone = stand.Agent(("MQTT_HOST", "127.0.0.10"), ("CELLS", "1"));
        await lone.StatusAsync(_ => true);
        Assert.Equal(StatusCode.FailedPrecondition, await RefusalAsync(stand, new() { Cell = 0 }));
    }

    static async Task<StatusCode> RefusalAsync(CellStand stand, MoveToCellRequest request) =>
        (await Assert.ThrowsAsync<RpcException>(() => stand.Control.Agent.MoveToCellAsync(request).ResponseAsync)).StatusCode;

    /// <summary>Waits until the agent says that it is in a cell to stay.</summary>
    static Task<CellStatus> ArrivedAsync(CellStand stand, uint cell) =>
        SayAsync(async () =>
            (await stand.Control.Agent.GetStatusAsync(new())).Cell is { } status && status.Cell == cell && status.Target == cell
                ? status
                : throw new RpcException(new Status(StatusCode.Unavailable, "It is not there yet."))
        );

    static Task<CellStatus> ArrivedAsync(CellStand stand, int cell) => ArrivedAsync(stand, (uint)cell);

    /// <summary>Calls until there is an answer: the agent may start, or start again.</summary>
    static async Task<T> SayAsync<T>(Func<Task<T>> call)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            try
            {
                return await call();
            }
            catch (RpcException e) when (e.StatusCode is StatusCode.Unavailable or StatusCode.Cancelled && !timeout.IsCancellationRequested)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, CancellationToken.None);
            }
        }
    }
}
