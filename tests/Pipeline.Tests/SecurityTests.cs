using System.Globalization;
using System.Net.Sockets;
using static ThermalStreaming.Pipeline.Tests.PipelineProject;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>Stolen credentials of each of the broker's users against the whole project, while honest devices publish.</summary>
[Collection(nameof(WholePipeline))]
[Trait("Category", "Security")]
public sealed class SecurityTests(WholePipeline pipeline, ITestOutputHelper output)
{
    [Fact]
    public Task Honest_readings_arrive_once_while_every_user_attacks() =>
        pipeline.ScenarioAsync(
            output,
            "attacks with the credentials of each user",
            async project =>
            {
                await using var fleet = Fleet.Publish(project, "honest");
                await fleet.MoreAsync(20);
                var esp = (await project.ComposeAsync(["run", "--rm", "--no-deps", "-T", "setup", "setup", "enroll", "stolen-esp"]))
                    .OrThrow()
                    .Output.Split('\n')[0]
                    .Trim();
                // The running broker takes it over by itself, with a restart: one more thing that must cost no reading.
                await Until.TrueAsync(
                    "the broker knows the device",
                    TimeSpan.FromMinutes(1),
                    async () =>
                        (await PublishAsync(project, "stolen-esp", esp, "telemetry/v1/stolen-esp/status", "x")).Contains(
                            "RC:",
                            StringComparison.Ordinal
                        )
                );
                var installation = await project.CredentialAsync(Agent, "installation");
                var agent = await project.CredentialAsync(Agent, "password");
                var s3 = ($"s3-forwarder-{installation}-slot-9", await project.CredentialAsync(S3Forwarder, "password"));
                var victim = fleet.Devices[0].Device;
                var forged =
                    $$"""{"device_id": "{{victim}}", "boot_id": "{{fleet.Devices[0].Boot}}", "sequence": 1000000, "temperature": 1}""";

                foreach (var (user, password) in new[] { ("sensor-agent", agent), ("stolen-esp", esp), s3 })
                {
                    foreach (
                        var filter in new[]
                        {
                            "$share/snowpipe-forwarder/telemetry/v1/+/thermal",
                            "$share/thieves/telemetry/v1/+/thermal",
                            "telemetry/v1/+/thermal",
                            "#",
                        }
                    )
                        Assert.Contains(
                            ": 135",
                            await ToolAsync(project, "mosquitto_sub", user, password, "-t", filter, "-q", "1", "-E", "-W", "3"),
                            StringComparison.Ordinal
                        );
                    Assert.Contains(
                        "RC:135",
                        await PublishAsync(project, user, password, $"telemetry/v1/{victim}/thermal", forged),
                        StringComparison.Ordinal
                    );
                    // With a forwarder's client id: it gets its own session all the same.
                    await ToolAsync(
                        project,
                        "mosquitto_sub",
                        user,
                        password,
                        "-i",
                        $"snowpipe-forwarder-{installation}-slot-0",
                        "-t",
                        "forwarders/v1/thermal",
                        "-W",
                        "2"
                    );
                    Assert.Contains(
                        "154",
                        await ToolAsync(
                            project,
                            "mosquitto_pub",
                            user,
                            password,
                            "-t",
                            $"telemetry/v1/{victim}/thermal",
                            "-m",
                            "x",
                            "--will-topic",
                            "a",
                            "--will-retain"
                        ),
                        StringComparison.Ordinal
                    );
                }
                List<TcpClient> idle = [];
                var port = int.Parse(
                    (await project.ComposeAsync(["port", Broker, "8883"])).OrThrow().Output.Trim().Split(':')[^1],
                    CultureInfo.InvariantCulture
                );
                for (var i = 0; i < 500; i++)
                {
                    var socket = new TcpClient();
                    idle.Add(socket);
                    await socket.ConnectAsync("127.0.0.1", port);
                }
                await fleet.MoreAsync(50);
                idle.ForEach(socket => socket.Dispose());

                await project.ReadyAsync();
                await project.ExpectExactlyOnceAsync([fleet]);
                await new AgentDelivery(project).ExpectExactlyOnceAsync(atLeast: 20);
            }
        );

    static async Task<string> ToolAsync(PipelineProject project, string tool, string user, string password, params string[] arguments) =>
        (
            await project.ComposeAsync([
                "exec",
                "-T",
                Broker,
                tool,
                "-h",
                "127.0.0.1",
                "-V",
                "5",
                "-d",
                "-u",
                user,
                "-P",
                password,
                .. arguments,
            ])
        ).Text;

    static Task<string> PublishAsync(PipelineProject project, string user, string password, string topic, string message) =>
        ToolAsync(project, "mosquitto_pub", user, password, "-t", topic, "-q", "1", "-m", message);
}
