using ThermalStreaming.Control;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>The verb <c>cells</c>, as a process.</summary>
public sealed class CellCommandTests : IDisposable
{
    readonly TempDirectory directory = new();
    readonly string token;

    public CellCommandTests()
    {
        token = directory.File("token");
        File.WriteAllText(token, FakeService.Token + "\n");
    }

    public void Dispose() => directory.Dispose();

    /// <summary>The numbers were computed with sha256sum: they are the contract of docs/scaling.md.</summary>
    [Fact]
    public async Task Where_says_what_the_formula_gives_and_pins_go_before_it()
    {
        var plain = await OperatorProcess.RunAsync("cells", "where", "pi-attic", "pi-cellar", "shelly-porch", "--cells", "4");
        var (_, pinned) = await OperatorProcess.JsonAsync(["cells", "where", "pi-attic", "--cells", "4", "--pins", "pi-attic=3"]);

        Assert.Equal((0, "pi-attic 1\npi-cellar 1\nshelly-porch 3\n"), (plain.ExitCode, plain.Output));
        Assert.Equal(3, (int)pinned["pi-attic"]!);
    }

    [Theory]
    [InlineData("", "", "Neither CELLS in .env nor --cells is set")]
    [InlineData("0", "", "from 1 to 1000")]
    [InlineData("2", "pi=2", "'pi=2' names cell 2, but there are cells 0 to 1")]
    [InlineData("2", "pi=0,pi=1", "'pi' is listed twice")]
    [InlineData("2", "pi", "'pi' is not DEVICE=CELL")]
    [InlineData("2", "a/b=1", "'a/b' cannot be the name of a device")]
    public async Task Where_refuses_what_it_cannot_compute(string cells, string pins, string expected)
    {
        string[] options =
        [
            .. cells.Length > 0 ? ["--cells", cells] : Array.Empty<string>(),
            .. pins.Length > 0 ? ["--pins", pins] : Array.Empty<string>(),
        ];

        var answer = await OperatorProcess.RunAsync(["cells", "where", "pi", .. options]);

        Assert.Equal(2, answer.ExitCode);
        Assert.Contains(expected, answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Move_waits_until_the_agent_has_arrived_and_status_shows_it()
    {
        var agent = new FakeAgent { StepsOfAMove = 2 };
        agent.Status.Cell = new CellStatus
        {
            Cells = 3,
            Cell = 1,
            Target = 1,
        };
        await using var service = await FakeService.StartAsync(agent);
        string[] options = ["--agent", service.Address, "--token-file", token];

        var before = await OperatorProcess.RunAsync(["cells", "status", .. options]);
        var moved = await OperatorProcess.RunAsync(["cells", "move", "2", "--wait", .. options]);
        var (code, after) = await OperatorProcess.JsonAsync(["cells", "status", .. options]);

        Assert.Contains("in cell 1 of 3, as the settings say", before.Output, StringComparison.Ordinal);
        Assert.Equal(0, moved.ExitCode);
        Assert.Contains("moves to cell 2", moved.Output, StringComparison.Ordinal);
        Assert.Contains("in cell 2 of 3, chosen by command", moved.Output, StringComparison.Ordinal);
        Assert.Equal((0, 2), (code, (int)after["replicas"]![0]!["cell"]!));
        Assert.Equal((2U, false, false), agent.Moves.Select(move => (move.Cell, move.Abandon, move.FollowSettings)).Single());
    }

    [Fact]
    public async Task Move_to_auto_follows_the_settings_and_nonsense_is_refused()
    {
        var agent = new FakeAgent();
        agent.Status.Cell = new CellStatus { Cells = 3 };
        await using var service = await FakeService.StartAsync(agent);
        string[] options = ["--agent", service.Address, "--token-file", token];

        Assert.Equal(0, (await OperatorProcess.RunAsync(["cells", "move", "auto", "--abandon", .. options])).ExitCode);
        Assert.Equal(2, (await OperatorProcess.RunAsync(["cells", "move", "-1", .. options])).ExitCode);
        Assert.Equal(2, (await OperatorProcess.RunAsync(["cells", "move", "two", .. options])).ExitCode);

        Assert.Equal((false, true, true), agent.Moves.Select(move => (move.HasCell, move.Abandon, move.FollowSettings)).Single());
    }
}
