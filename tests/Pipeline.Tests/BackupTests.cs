using System.Text.Json;
using ThermalStreaming.Testing;
using static ThermalStreaming.Pipeline.Tests.PipelineProject;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>
/// "Backup and restore" of docs/operations.md, by its commands: a backup while readings flow, more readings, and the loss of everything but
/// the destinations.
/// </summary>
public sealed class BackupTests(ITestOutputHelper output)
{
    /// <summary>What is not the installation's: Snowflake and S3 do not burn with the card.</summary>
    static readonly string[] destinations = ["snowflake-data", "localstack-data"];

    [Fact]
    public async Task An_installation_comes_back_from_an_older_backup_with_every_reading_once()
    {
        await using var project = await PipelineProject.StartAsync(
            null,
            null,
            Agent,
            Broker,
            SnowpipeForwarder,
            S3Forwarder,
            Snowflake,
            S3
        );
        // The Compose file of these tests has a volume that ./up does not know.
        await Docker.RunAsync("volume", "rm", "--force", $"{project.Name}_sensor-agent-2-data");
        using var copy = new UpCopy();
        using var place = new TempDirectory();
        var backup = place.File("thermal.backup");

        await Scenario.RunAsync(
            project,
            output,
            "a backup while readings flow, the loss of the volumes, a restore",
            async _ =>
            {
                await using var before = Fleet.Publish(project, "before");
                await before.MoreAsync(50);

                var made = await copy.RunAsync(project, "--backup", backup);

                Assert.Contains("keep it where nobody else can read it", made, StringComparison.Ordinal);
                Assert.DoesNotContain("holds undelivered readings", made, StringComparison.Ordinal);
                Assert.Equal("600", (await UpCopy.BashAsync("/", "stat -c %a \"$1\"", backup)).Text.Trim());
                // What ran before runs again, and goes on.
                await project.ReadyAsync();
                await before.MoreAsync(50);
                await project.ExpectExactlyOnceAsync([before]);
                // A sender elsewhere that repeats its last minutes to an older ledger is what no backup can promise for (decision 34).
                before.Settle();
                await EmptyAgentAsync(project);
                var lost = await IdentityAsync(project);

                await LoseAsync(project);
                var (refused, why) = await copy.TryAsync(project, [], "--restore", place.File("other.backup"), "--no-build");
                Assert.True(refused == 2, why);
                await copy.RunAsync(project, "--restore", backup, "--no-build");

                await project.ReadyAsync();
                Assert.Equal(lost, await IdentityAsync(project));
                await using var after = Fleet.Publish(project, "after");
                await after.MoreAsync(50);
                await project.ExpectExactlyOnceAsync([before, after]);
                await EmptyAgentAsync(project);
                await ExpectAgentOnceAsync(project);
            }
        );
    }

    /// <summary>The identity that the sessions at the broker are named by.</summary>
    static async Task<string> IdentityAsync(PipelineProject project) => await project.CredentialAsync(Agent, "installation");

    /// <summary>Ends the agent, and waits until what it took is delivered.</summary>
    static async Task EmptyAgentAsync(PipelineProject project)
    {
        await project.StopServiceAsync(Agent);
        var stopped = TimeProvider.System.GetTimestamp();
        await Until.TrueAsync("what the agent has taken is delivered", TimeSpan.FromMinutes(1), () => project.IsDeliveredAsync(stopped));
    }

    /// <summary>Every container, and every volume but those that stand in for other people's services.</summary>
    static async Task LoseAsync(PipelineProject project)
    {
        (await project.ComposeAsync(["--profile", "*", "down", "--remove-orphans"])).OrThrow();
        var volumes = await Docker.RunAsync("volume", "ls", "--quiet", "--filter", $"label=com.docker.compose.project={project.Name}");
        var own = volumes
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(volume => !destinations.Any(name => volume == $"{project.Name}_{name}"))
            .ToList();
        Assert.Contains($"{project.Name}_mosquitto-authority", own);
        await Docker.RunAsync(["volume", "rm", .. own]);
    }

    /// <summary>Every reading of the agent is there once, without a gap in any of its lives.</summary>
    static async Task ExpectAgentOnceAsync(PipelineProject project)
    {
        var wrong = new List<string>();
        var lives = 0;
        var inverters = (await project.Bucket.ObjectsAsync()).SelectMany(stored => stored.Lines).Select(Reading);
        foreach (var rows in new[] { Arrived.From(await project.ThermalRowsAsync()).Rows, Arrived.From(inverters).Rows })
        {
            foreach (var ((device, boot), sequences) in rows.Where(stream => stream.Key.Device == "agent-1"))
            {
                lives++;
                wrong.AddRange(
                    sequences
                        .Where(same => same.Value.Count > 1)
                        .Select(same => $"{device} {boot}: {same.Key} is there {same.Value.Count} times")
                );
                if (sequences.Keys.Max() != sequences.Count)
                    wrong.Add($"{device} {boot}: {sequences.Count} readings, the last is {sequences.Keys.Max()}");
            }
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong.Take(40)));
        // Thermal and inverter readings, before the backup, after it, and after the restore.
        Assert.True(lives >= 6, $"{lives} lives of the agent have arrived");
    }

    /// <summary>A quarantined line holds its reading and the reasons.</summary>
    static JsonElement Reading(JsonElement line) => line.TryGetProperty("reading", out var reading) ? reading : line;
}
