using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;
using static ThermalStreaming.Pipeline.Tests.PipelineProject;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>
/// What a user of the broker can do to the memory and the disk of a forwarder, in a container with the memory limit that compose.yaml sets.
/// </summary>
[Trait("Category", "Security")]
public sealed partial class LedgerAttackTests(ITestOutputHelper output)
{
    const int Messages = 6,
        Streams = 35_000;

    /// <summary>Devices that together exceed the 32 MiB of the whole ledger, each with the streams that one device may have.</summary>
    const int Devices = 200,
        StreamsOfDevice = 1024;

    [Fact]
    public async Task A_device_that_makes_up_boot_ids_and_floods_dead_letters_neither_stops_the_forwarder_nor_costs_others_anything()
    {
        await using var project = await PipelineProject.StartAsync(
            new Dictionary<string, string> { ["DEAD_LETTERS_MAX_BYTES"] = "1MiB" },
            null,
            Broker,
            Snowflake,
            SnowpipeForwarder
        );

        await Scenario.RunAsync(
            project,
            output,
            $"{Messages} messages of 7 MB with {Streams} boot ids each, and {Devices} devices with {StreamsOfDevice}",
            async _ =>
            {
                await using var honest = Fleet.Publish(project, "honest", kinds: ReadingKind.Thermal);
                await using var attacker = Fleet.Publish(project, "attacker", count: 1, messagesPerSecond: 1, kinds: ReadingKind.Thermal);
                await honest.MoreAsync(50);
                var before = await RunOfAsync(project);

                // All at once.
                await Task.WhenAll(
                    Enumerable
                        .Range(0, Messages)
                        .Select(message =>
                            attacker.PublishRawAsync(ReadingKind.Thermal, MadeUp($"{message}", Streams), Payload.JsonContentType)
                        )
                );
                await StoredAsync(project, Messages * Streams);
                // Counted after they are stored.
                await Until.TrueAsync(
                    "all but the streams that one device may have are forgotten",
                    TimeSpan.FromMinutes(1),
                    async () => await project.FigureAsync(SnowpipeForwarder, "streams_forgotten") >= (Messages * Streams) - StreamsOfDevice
                );
                await honest.MoreAsync(20);
                for (var device = 0; device < Devices; device++)
                    await attacker.PublishRawAsync(
                        ReadingKind.Thermal,
                        MadeUp($"d{device:000}", StreamsOfDevice),
                        Payload.JsonContentType,
                        $"{attacker.Name}-made-up-{device}"
                    );
                await StoredAsync(project, All);
                // More than those of the first device: the bound of the whole ledger was reached.
                await Until.TrueAsync(
                    "check shows that streams of several devices are forgotten",
                    TimeSpan.FromMinutes(1),
                    async () =>
                        Forgotten().Match((await project.ExecuteAsync(SnowpipeForwarder, "check")).Text) is { Success: true } match
                        && long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) > Messages * Streams
                );
                await project.ExpectExactlyOnceAsync([honest, attacker], TimeSpan.FromMinutes(5));
                Assert.Equal(before, await RunOfAsync(project));

                // What the attack has left on disk is loaded at the next start.
                await using var later = Fleet.Publish(project, "later", kinds: ReadingKind.Thermal);
                await later.MoreAsync(20);
                await project.KillAsync(SnowpipeForwarder);
                await project.StartServiceAsync(SnowpipeForwarder);
                await project.ReadyAsync();
                await later.MoreAsync(20);
                await project.ExpectExactlyOnceAsync([later]);
                var attacked = (await project.ThermalRowsAsync())
                    .Where(row => row.GetProperty("boot_id").GetString()!.StartsWith("made-up-", StringComparison.Ordinal))
                    .ToList();
                Assert.Equal(All, attacked.Count);
                Assert.Equal(All, attacked.Select(row => row.GetProperty("boot_id").GetString()).Distinct().Count());
            }
        );
        await Scenario.RunAsync(
            project,
            output,
            "a flood of dead letters",
            async _ =>
            {
                await using var honest = Fleet.Publish(project, "mistaken", kinds: ReadingKind.Thermal);
                await using var attacker = Fleet.Publish(project, "flood", count: 1, messagesPerSecond: 1, kinds: ReadingKind.Thermal);
                await honest.PublishRawAsync(ReadingKind.Thermal, "one mistake"u8.ToArray(), Payload.JsonContentType);
                for (var message = 0; message < 40; message++)
                    await attacker.PublishRawAsync(ReadingKind.Thermal, new byte[100_000], Payload.JsonContentType);

                await project.ExpectExactlyOnceAsync([honest, attacker]);
                var letters = (await project.ExecuteAsync(SnowpipeForwarder, "dead-letters", "list", "--json")).OrThrow().Output;
                Assert.Contains(Convert.ToBase64String("one mistake"u8), letters, StringComparison.Ordinal);
                Assert.InRange(await project.FigureAsync(SnowpipeForwarder, "dead_letters_deleted_unread"), 30, 40);
                Assert.Equal(0, await project.FigureAsync(SnowpipeForwarder, "dead_letters_deleted_refused"));
                Assert.Matches(
                    "3[0-9] letters that could not be read, 0 refused by the destination and 0 about objects that were not loaded were deleted",
                    (await project.ExecuteAsync(SnowpipeForwarder, "check")).Text
                );
                Assert.Contains(
                    $"of telemetry/v1/{attacker.Devices[0].Device}/thermal with the file",
                    await project.LogsAsync(400),
                    StringComparison.Ordinal
                );
            }
        );
    }

    [GeneratedRegex("([0-9]+) streams were forgotten")]
    private static partial Regex Forgotten();

    static int All => (Messages * Streams) + (Devices * StreamsOfDevice);

    static async Task StoredAsync(PipelineProject project, int readings)
    {
        await Until.TrueAsync(
            $"{readings} made-up readings are stored",
            TimeSpan.FromMinutes(3),
            async () => await project.FigureAsync(SnowpipeForwarder, "stored") >= readings,
            () => "If the forwarder refuses them, its log says why."
        );
        Progress.Say(
            $"  {readings} stored, {await project.FigureAsync(SnowpipeForwarder, "streams_forgotten")} streams forgotten; memory "
                + $"{await MemoryAsync(project)}"
        );
    }

    /// <summary>One message, of 7 MB with 35,000 streams, each reading from a boot of its own.</summary>
    static byte[] MadeUp(string message, int streams)
    {
        var text = new StringBuilder(streams * 200).Append('[');
        for (var i = 0; i < streams; i++)
            text.Append(
                CultureInfo.InvariantCulture,
                $"{(i > 0 ? "," : "")}{{\"boot_id\":\"made-up-{message}-{i:00000}-{new string('x', 44)}\",\"sequence\":1,\"temperature\":20.5,\"humidity\":40,\"local_hostname\":\"{new string('h', 50)}\"}}"
            );
        return Encoding.UTF8.GetBytes(text.Append(']').ToString());
    }

    /// <summary>Changes when the container starts again, for whatever reason.</summary>
    static async Task<string> RunOfAsync(PipelineProject project) =>
        await Docker.RunAsync(
            "inspect",
            "--format",
            "{{.Id}} {{.State.StartedAt}} {{.RestartCount}} {{.State.OOMKilled}}",
            (await project.ReplicasAsync(SnowpipeForwarder))[0].Id
        );

    static async Task<string> MemoryAsync(PipelineProject project) =>
        await Docker.RunAsync("stats", "--no-stream", "--format", "{{.MemUsage}}", (await project.ReplicasAsync(SnowpipeForwarder))[0].Id);
}
