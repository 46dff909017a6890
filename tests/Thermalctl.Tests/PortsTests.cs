using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>What would make the start fail is found before it.</summary>
public sealed class PortsTests
{
    static JsonObject With(string? published)
    {
        var project = Project.With("mosquitto");
        project["services"]!["mosquitto"]!["ports"] = new JsonArray(
            new JsonObject
            {
                ["host_ip"] = "127.0.0.1",
                ["target"] = 1883,
                ["published"] = published,
            }
        );
        return project;
    }

    [Fact]
    public async Task A_port_that_a_program_has_is_named_with_another_to_write_into_env()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        await using var engine = new FakeEngine();

        var other = port < 60000 ? port + 10000 : port - 10000;
        Assert.Equal(
            $"port {port} is in use. another program (sudo ss -ltnp 'sport = :{port}' names it) has it, and mosquitto needs it. "
                + $"To fix it: stop it, or write another number into .env, for example MQTT_PORT={other}",
            await ProblemAsync(engine, With($"{port}"))
        );

        engine.Containers.Add(
            new FakeContainer
            {
                Service = "mosquitto",
                Project = "other",
                Ports = { [1883] = port },
            }
        );
        Assert.StartsWith(
            $"port {port} is in use. the container other-mosquitto-1 has it, and mosquitto needs it",
            await ProblemAsync(engine, With($"{port}")),
            StringComparison.Ordinal
        );

        engine.Containers.Add(new FakeContainer { Service = "mosquitto" });
        Assert.Null(await ProblemAsync(engine, With($"{port}")));
    }

    [Fact]
    public async Task A_free_port_and_none_at_all_are_fine()
    {
        await using var engine = new FakeEngine();

        Assert.Null(await ProblemAsync(engine, With($"{Testing.Ports.Take()}")));
        Assert.Null(await ProblemAsync(engine, With(null)));
        Assert.Null(await ProblemAsync(engine, Project.With("mosquitto", "snowflake")));
    }

    [Theory]
    [InlineData("0")]
    [InlineData("65536")]
    [InlineData("1883-1890")]
    [InlineData("mqtt")]
    public async Task What_is_not_a_port_is_named(string written)
    {
        await using var engine = new FakeEngine();

        Assert.Equal(
            $"MQTT_PORT is '{written}'. A port is a number from 1 to 65535. To fix it: correct it in .env, for example MQTT_PORT=1883",
            await ProblemAsync(engine, With(written))
        );
    }

    [Theory]
    [InlineData("lan", "127.0.0.1", true)]
    [InlineData("tools,lan", "127.0.0.1", true)]
    [InlineData("lan", "0.0.0.0", false)]
    [InlineData("land", "127.0.0.1", false)]
    [InlineData("", "127.0.0.1", false)]
    public void The_profile_of_earlier_versions_is_named(string profiles, string address, bool warns)
    {
        var project = With("8883");
        project["services"]!["mosquitto"]!["ports"]![0]!["host_ip"] = address;
        project["services"]!["setup"] = new JsonObject { ["environment"] = new JsonObject { ["COMPOSE_PROFILES"] = profiles } };
        using var errors = new StringWriter();

        LanProfile.Warn(project.Parse(), new Narrator(TextWriter.Null, errors, isInteractive: false));

        Assert.Equal(warns, errors.ToString().Contains("warning: the profile lan no longer exists", StringComparison.Ordinal));
    }

    static async Task<string?> ProblemAsync(FakeEngine engine, JsonObject project)
    {
        using var docker = new DockerEngine(engine.Socket);
        return (await Record.ExceptionAsync(() => Ports.CheckAsync(docker, project.Parse(), CancellationToken.None)))?.Message;
    }
}
