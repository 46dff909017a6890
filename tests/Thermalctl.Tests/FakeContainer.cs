// The names are Docker's, whatever the properties here are called.
#pragma warning disable CA1507
using System.Text.Json.Nodes;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>A container that <see cref="FakeEngine"/> knows of.</summary>
sealed class FakeContainer
{
    public required string Service { get; init; }

    public int Number { get; init; } = 1;

    public string Project { get; init; } = "home";

    /// <summary>Made by <c>docker compose run</c>.</summary>
    public bool IsOneOff { get; init; }

    public string Status { get; set; } = "running";

    public int ExitCode { get; set; }

    public string? Health { get; set; } = "healthy";

    /// <summary>What its health check said, run by run.</summary>
    public string[] HealthLog { get; set; } = [];

    public string? LogLimit { get; set; } = "5m";

    public string Address { get; set; } = "127.0.0.1";

    /// <summary>Published ports of the machine, by the container's own.</summary>
    public Dictionary<int, int> Ports { get; init; } = [];

    /// <summary>What it logged, by output (1 or 2).</summary>
    public List<(byte Stream, string Text)> Log { get; } = [];

    /// <summary>Answers to commands in it: the words of the command, and exit code, output and errors.</summary>
    public Dictionary<string, (int Code, string Output, string Errors)> Commands { get; } = [];

    public string Id => $"{Project}-{Service}-{Number}-id-of-64-digits";

    public string Name => $"/{Project}-{Service}-{Number}";

    public JsonObject Labels =>
        new()
        {
            ["com.docker.compose.project"] = Project,
            ["com.docker.compose.service"] = Service,
            ["com.docker.compose.container-number"] = $"{Number}",
            ["com.docker.compose.oneoff"] = IsOneOff ? "True" : "False",
        };

    public JsonObject Summary =>
        new()
        {
            ["Id"] = Id,
            ["Names"] = new JsonArray(Name),
            ["State"] = Status,
            ["Labels"] = Labels,
            ["Ports"] = new JsonArray([
                .. Ports.Select(port => new JsonObject
                {
                    ["PrivatePort"] = port.Key,
                    ["PublicPort"] = port.Value,
                    ["IP"] = "127.0.0.1",
                }),
            ]),
        };

    public JsonObject Details =>
        new()
        {
            ["Id"] = Id,
            ["Name"] = Name,
            ["State"] = new JsonObject
            {
                ["Status"] = Status,
                ["ExitCode"] = ExitCode,
                ["Health"] = Health is null
                    ? null
                    : new JsonObject
                    {
                        ["Status"] = Health,
                        ["Log"] = new JsonArray([.. HealthLog.Select(said => new JsonObject { ["Output"] = said })]),
                    },
            },
            ["Config"] = new JsonObject
            {
                ["Hostname"] = "abc",
                ["Image"] = $"thermal-streaming/{Service}:dev",
                ["Env"] = new JsonArray("A=1"),
                ["Cmd"] = new JsonArray("run"),
                ["User"] = "1654:1654",
                ["Labels"] = Labels,
            },
            ["HostConfig"] = new JsonObject
            {
                ["Binds"] = new JsonArray("data:/data:rw"),
                ["NetworkMode"] = "home_default",
                ["RestartPolicy"] = new JsonObject { ["Name"] = "unless-stopped" },
                ["PortBindings"] = new JsonObject { ["1883/tcp"] = new JsonArray() },
                ["LogConfig"] = new JsonObject
                {
                    ["Type"] = "local",
                    ["Config"] = LogLimit is null ? null : new JsonObject { ["max-size"] = LogLimit },
                },
            },
            ["NetworkSettings"] = new JsonObject
            {
                ["Networks"] = new JsonObject { ["home_default"] = new JsonObject { ["IPAddress"] = Address } },
            },
        };
}
