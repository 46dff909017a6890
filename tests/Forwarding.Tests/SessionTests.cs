using System.Diagnostics;
using System.Globalization;
using System.Text;
using ThermalStreaming.Mqtt;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>What the broker holds for a forwarder is fetched, whatever happens to the forwarder's volume and to the broker.</summary>
public sealed class SessionTests(ITestOutputHelper output) : IAsyncLifetime
{
    const string Installation = "0f1e2d3c";
    const string Service = "snowpipe-forwarder";
    readonly TempDirectory directory = new();
    readonly Destination destination = new();
    MosquittoProcess broker = null!;

    public async ValueTask InitializeAsync() =>
        broker = await MosquittoProcess.StartAsync(
            new BrokerSettings { Persistence = true, Configuration = ["max_queued_messages 100000", "max_inflight_messages 1000"] }
        );

    public async ValueTask DisposeAsync()
    {
        await broker.DisposeAsync();
        directory.Dispose();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_new_volume_takes_over_what_the_broker_holds_for_the_lost_one(int replicas)
    {
        using (var lost = new TempDirectory())
        {
            List<Replica> running = [];
            for (var i = 0; i < replicas; i++)
                running.Add(await StartAsync(lost.Path, TimeSpan.FromDays(1)));
            foreach (var replica in running)
                await replica.DisposeAsync();
        }
        using var sender = new OldSender(broker.Port, "telemetry/v1/esp32/thermal");
        for (var i = 1; i <= 300; i++)
            await sender.SendAsync(Reading(i), CancellationToken.None);

        await using var fresh = await StartAsync(directory.Path, TimeSpan.FromSeconds(1));

        await Eventually.TrueAsync(
            () => destination.Rows.Count >= 300,
            () => $"{destination.Rows.Count} of 300 rows; {string.Join(", ", fresh.Health.Parts)}",
            60
        );
        AssertOnce(300);
        // The sessions of the slots that are no more take no share of what comes now.
        await Eventually.TrueAsync(() => Directory.GetDirectories(directory.File("slots")).Length == 1);
        for (var i = 301; i <= 400; i++)
            await sender.SendAsync(Reading(i), CancellationToken.None);
        await Eventually.TrueAsync(() => destination.Rows.Count >= 400, () => $"{destination.Rows.Count} of 400 rows");
        AssertOnce(400);
    }

    [Fact]
    public async Task A_sender_of_mqtt_3_1_1_loses_nothing_when_the_broker_is_killed_and_started_again()
    {
        await using var replica = await StartAsync(directory.Path, TimeSpan.FromMinutes(1));
        using var sender = new OldSender(broker.Port, "telemetry/v1/esp32/thermal");
        await File.WriteAllTextAsync(directory.File("installation"), Installation + "\n");
        var sent = 0;
        for (var round = 0; round < 5; round++)
        {
            for (var i = 0; i < 20; i++)
                await sender.SendAsync(Reading(++sent), CancellationToken.None);
            // What the broker acknowledged and lost with its memory is another matter: here it has handed everything over, and has saved
            // the session.
            await Eventually.TrueAsync(
                () => destination.Rows.Count >= sent && IsSaved($"{Service}-{Installation}-slot-0"),
                () => $"{destination.Rows.Count} of {sent}"
            );
            broker.Kill();
            var first = sender.SendAsync(Reading(++sent), CancellationToken.None);
            await RestoreSubscriptionsAsync();
            await broker.StartAgainAsync();
            await first;
            // The sender is connected now, the forwarder still waits for its next attempt, or not: it makes no difference.
        }

        await Eventually.TrueAsync(
            () => destination.Rows.Count >= sent,
            () => $"{destination.Rows.Count} of {sent}; missing {string.Join(' ', Missing(sent))}"
        );
        AssertOnce(sent);
    }

    [Fact]
    public async Task Subscriptions_are_restored_for_sessions_of_this_installation_only_and_once_and_after_a_power_cut()
    {
        await File.WriteAllTextAsync(directory.File("installation"), Installation + "\n");
        foreach (
            var id in new[] { $"{Service}-{Installation}-slot-0", $"s3-forwarder-{Installation}-slot-12", $"{Service}-ffffffff-slot-0" }
        )
            await HoldSessionAsync(id);
        // A payload that the broker holds, and that names sessions.
        using (var sender = new OldSender(broker.Port, "held/by"))
            await sender.SendAsync($"{{\"x\":\"snowpipe-forwarder-01234567-slot-7 {Service}-ffffffff-slot-1\"}}", CancellationToken.None);
        await broker.StopAsync();
        var saved = await File.ReadAllBytesAsync(broker.DatabaseFile);

        var said = await RestoreSubscriptionsAsync();
        var restored = await File.ReadAllBytesAsync(broker.DatabaseFile);
        Assert.Equal($"restored the subscriptions of s3-forwarder-{Installation}-slot-12 {Service}-{Installation}-slot-0", said);
        Assert.True(restored.AsSpan().StartsWith(saved));

        // Again, without a save by the broker in between; and with each length that a power cut can have left.
        for (var length = saved.Length; length <= restored.Length; length += length < restored.Length - 9 ? 9 : 1)
        {
            await File.WriteAllBytesAsync(broker.DatabaseFile, restored[..length]);
            await RestoreSubscriptionsAsync();
            Assert.Equal(restored, await File.ReadAllBytesAsync(broker.DatabaseFile));
        }
        await broker.StartAgainAsync();
    }

    /// <summary>A session that stays at the broker, with a message for it.</summary>
    async Task HoldSessionAsync(string clientId)
    {
        await using var client = new MqttNetClient();
        Assert.Equal(0, await client.ConnectAsync(broker.Port, clientId, sessionExpiry: uint.MaxValue));
        Assert.Equal(1, await client.SubscribeAsync("held/by"));
    }

    bool IsSaved(string clientId)
    {
        try
        {
            return File.ReadAllBytes(broker.DatabaseFile).AsSpan().IndexOf(Encoding.ASCII.GetBytes(clientId)) >= 0;
        }
        catch (IOException)
        {
            return false;
        }
    }

    async Task<string> RestoreSubscriptionsAsync()
    {
        var script = Path.Combine(Root(), "mosquitto", "restore-subscriptions.sh");
        var subscriptions = directory.File("subscriptions");
        await File.WriteAllLinesAsync(
            subscriptions,
            [
                "snowpipe-forwarder $share/snowpipe-forwarder/telemetry/v1/+/thermal",
                "s3-forwarder $share/s3-forwarder/telemetry/v1/+/inverter",
                "s3-forwarder $share/s3-forwarder/Zähler/+/stand",
                "snowpipe-forwarder $share/snowpipe-forwarder/tele/+/SENSOR",
            ]
        );
        using var process = Process.Start(
            new ProcessStartInfo("sh", [script, broker.DatabaseFile, directory.File("installation"), "/dev/null", subscriptions])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        var errors = process.StandardError.ReadToEndAsync();
        var text = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await errors);
        output.WriteLine(text);
        return text.Trim();
    }

    Task<Replica> StartAsync(string dataDirectory, TimeSpan adoptionGrace)
    {
        var options = Replica.Options(dataDirectory, broker.Port, adoptionGrace: adoptionGrace);
        return Replica.StartAsync(
            new ForwarderOptions
            {
                ServiceName = Service,
                Kind = options.Kind,
                DataDirectory = dataDirectory,
                Slots = 1,
                SlotAdoptionGrace = adoptionGrace,
                SlotDrainQuiet = options.SlotDrainQuiet,
                DeadLettersMaxBytes = options.DeadLettersMaxBytes,
                Mqtt = options.Mqtt with { MaximumReconnectDelay = new MqttOptions().MaximumReconnectDelay },
                Journal = options.Journal,
                Installation = Installation,
            },
            destination.CreateSink
        );
    }

    static string Reading(int number) =>
        string.Create(CultureInfo.InvariantCulture, $$"""{"temperature": 21.5, "boot_id": "b", "sequence": {{number}}}""");

    void AssertOnce(int count) =>
        Assert.Equal(Enumerable.Range(1, count).Select(i => (ulong)i), destination.Rows.Select(row => row.Sequence).Order());

    IEnumerable<ulong> Missing(int count) =>
        Enumerable.Range(1, count).Select(i => (ulong)i).Except(destination.Rows.Select(row => row.Sequence));

    static string Root()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory!.FullName, "ThermalStreaming.slnx")))
            directory = directory.Parent;
        return directory.FullName;
    }
}
