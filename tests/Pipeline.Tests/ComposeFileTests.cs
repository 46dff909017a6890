using System.Globalization;
using ThermalStreaming.Testing;
using YamlDotNet.RepresentationModel;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>What <c>docker compose config</c> says about the project as it is shipped.</summary>
public sealed class ComposeFileTests
{
    static readonly string[] run = ["compose.yaml", "compose.override.yaml"];
    static readonly string[] production = ["compose.yaml"];
    static readonly string[] everyProfile = ["--profile", "*"];

    public static TheoryData<string, bool> Ways =>
        new()
        {
            { "compose.yaml,compose.override.yaml", false },
            { "compose.yaml", false },
            { "compose.yaml", true },
            { "compose.yaml,compose.hardware.yaml", false },
            { "compose.agent.yaml", true },
            { "compose.agent.yaml,compose.hardware.yaml", false },
        };

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Every_service_is_hardened(string files, bool allProfiles)
    {
        var services = await ServicesAsync(files.Split(','), allProfiles);

        Assert.NotEmpty(services);
        Assert.All(
            services,
            service =>
            {
                var (name, it) = service;
                Assert.False(
                    Text(it, "user") is null or "" or "root"
                        || Text(it, "user")!.StartsWith("0:", StringComparison.Ordinal)
                        || Text(it, "user") == "0",
                    $"{name} runs as root"
                );
                Assert.True(Text(it, "read_only") == "true", $"{name} has a writable root file system");
                Assert.Contains("ALL", List(it, "cap_drop"));
                Assert.True(
                    List(it, "security_opt")
                        .Any(option =>
                            option.StartsWith("no-new-privileges", StringComparison.Ordinal)
                            && !option.EndsWith("false", StringComparison.Ordinal)
                        ),
                    $"{name} may gain privileges"
                );
                Assert.Equal("true", Text(it, "init"));
                Assert.NotEqual("true", Text(it, "privileged"));
                Assert.Null(Text(it, "container_name"));
                Assert.True(
                    long.Parse(Text(it, "mem_limit")!, CultureInfo.InvariantCulture) is > 0 and <= 2L << 30,
                    $"{name} has no sensible memory limit"
                );
                Assert.InRange(int.Parse(Text(it, "pids_limit")!, CultureInfo.InvariantCulture), 1, 1000);
                Assert.Equal("local", Text(it["logging"], "driver"));
                Assert.NotNull(Text(it["logging"]["options"], "max-size"));
                Assert.NotNull(Text(it["logging"]["options"], "max-file"));
                if (Text(it, "restart") == "no")
                    return;
                Assert.Equal("unless-stopped", Text(it, "restart"));
                Assert.NotNull(Text(it, "stop_grace_period"));
                Assert.True(it.Children.ContainsKey("healthcheck"), $"{name} has no health check");
                // Engine 20.10, which Debian 12 has, refuses it.
                Assert.False(((YamlMappingNode)it["healthcheck"]).Children.ContainsKey("start_interval"), $"{name} needs Engine 25");
            }
        );
    }

    /// <summary>Docker passes its own proxy to every container.</summary>
    [Fact]
    public async Task The_stand_ins_are_reached_without_a_proxy()
    {
        var services = await ServicesAsync(run, allProfiles: true);
        var uses = 0;
        foreach (var (name, service) in services)
        {
            if (!service.Children.TryGetValue("environment", out var environment))
                continue;
            var addresses = ((YamlMappingNode)environment).Select(setting => ((YamlScalarNode)setting.Value).Value ?? "");
            foreach (var address in addresses.Where(address => address.StartsWith("http://", StringComparison.Ordinal)))
            {
                uses++;
                var host = new Uri(address).Host;
                Assert.Contains(host, services.Select(it => it.Name));
                foreach (var variable in (string[])["NO_PROXY", "no_proxy"])
                    Assert.Contains(host, (Text(environment, variable) ?? "").Split(','));
            }
        }
        Assert.True(uses >= 4, $"only {uses} addresses were found");
    }

    [Fact]
    public async Task Nothing_is_published_beyond_this_machine()
    {
        foreach (var files in new[] { run, production })
        {
            foreach (var (name, service) in await ServicesAsync(files, allProfiles: false))
            {
                foreach (var port in service.Children.TryGetValue("ports", out var ports) ? ((YamlSequenceNode)ports).Children : [])
                    Assert.True(
                        Text(port, "host_ip") == "127.0.0.1",
                        $"{name} publishes {Text(port, "published")} on {Text(port, "host_ip") ?? "every address"}"
                    );
                Assert.NotEqual("host", Text(service, "network_mode"));
            }
        }
    }

    [Fact]
    public async Task Health_and_metrics_are_for_the_project_alone()
    {
        foreach (var (name, service) in await ServicesAsync(run, allProfiles: true))
        {
            foreach (var port in service.Children.TryGetValue("ports", out var ports) ? ((YamlSequenceNode)ports).Children : [])
                Assert.False(Text(port, "target") is "8080" or "8081", $"{name} publishes {Text(port, "target")}");
        }
    }

    [Fact]
    public async Task The_agent_sees_only_the_files_of_the_machine_that_it_reads()
    {
        var (_, agent) = (await ServicesAsync(production, allProfiles: false)).Single(service => service.Item1 == "sensor-agent");

        var mounts = ((YamlSequenceNode)agent["volumes"]).Children.Where(mount => Text(mount, "type") == "bind").ToList();

        Assert.Equal(
            ["/proc/1/net/fib_trie", "/proc/1/net/route", "/sys/class/net", "/sys/devices"],
            mounts.Select(mount => Text(mount, "source")).Order(StringComparer.Ordinal)
        );
        Assert.All(mounts, mount => Assert.Equal("true", Text(mount, "read_only")));
    }

    /// <summary>Whoever has it has the machine. The operator's program gets it from ./up and ./check, for as long as they run.</summary>
    [Fact]
    public async Task No_service_gets_the_socket_of_docker()
    {
        foreach (var (name, service) in await ServicesAsync(run, allProfiles: true))
        {
            foreach (var mount in service.Children.TryGetValue("volumes", out var volumes) ? ((YamlSequenceNode)volumes).Children : [])
                Assert.False(
                    Text(mount, "source")!.Contains("docker", StringComparison.OrdinalIgnoreCase),
                    $"{name} mounts {Text(mount, "source")}"
                );
        }
    }

    [Fact]
    public async Task The_agent_gets_the_bus_and_its_group_and_only_with_the_file_for_hardware()
    {
        var (_, without) = (await ServicesAsync(production, allProfiles: false)).Single(service => service.Item1 == "sensor-agent");
        Assert.False(without.Children.ContainsKey("devices") || without.Children.ContainsKey("group_add"));
        Assert.Equal("simulate", Text(without["environment"], "SOURCE"));

        var (_, with) = (await ServicesAsync([.. production, "compose.hardware.yaml"], allProfiles: false)).Single(service =>
            service.Item1 == "sensor-agent"
        );

        var device = Assert.Single(((YamlSequenceNode)with["devices"]).Children);
        Assert.Equal(("/dev/i2c-1", "/dev/i2c-1"), (Text(device, "source"), Text(device, "target")));
        Assert.Equal(["998"], List(with, "group_add"));
        Assert.Equal("hardware", Text(with["environment"], "SOURCE"));
    }

    /// <summary>What the machine with the broker has of a broker, and its credentials, is not there.</summary>
    [Fact]
    public async Task An_agent_alone_has_a_broker_elsewhere_and_no_other_service()
    {
        var services = (await ServicesAsync(["compose.agent.yaml"], allProfiles: true)).ToDictionary(it => it.Name, it => it.Service);

        Assert.Equal(["cli", "sensor-agent", "setup"], services.Keys.Order(StringComparer.Ordinal));
        var agent = services["sensor-agent"];
        Assert.Equal(
            ("cell-{cell}.lan", "8883", "true", "pi-attic", "/run/mqtt/ca.crt", "4"),
            (
                Text(agent["environment"], "MQTT_HOST"),
                Text(agent["environment"], "MQTT_PORT"),
                Text(agent["environment"], "MQTT_TLS"),
                Text(agent["environment"], "MQTT_USER"),
                Text(agent["environment"], "MQTT_CA_FILE"),
                Text(agent["environment"], "CELLS")
            )
        );
        Assert.False(((YamlMappingNode)agent["environment"]).Children.ContainsKey("MQTT_CERTIFICATE_PORT"));
        Assert.Equal(["setup"], ((YamlMappingNode)agent["depends_on"]).Children.Keys.Select(key => ((YamlScalarNode)key).Value));
        foreach (var (name, service) in services)
            Assert.DoesNotContain(
                ((YamlSequenceNode)service["volumes"]).Children,
                mount =>
                    Text(mount, "source")!.StartsWith("mosquitto", StringComparison.Ordinal)
                    || Text(mount, "source")!.StartsWith("mqtt-", StringComparison.Ordinal)
            );
    }

    [Fact]
    public async Task Every_image_has_a_tag_that_is_not_latest()
    {
        foreach (var (name, service) in await ServicesAsync(run, allProfiles: true))
        {
            var image = Text(service, "image")!;
            var tag = image[(image.LastIndexOf('/') + 1)..].Split(':');
            Assert.True(tag.Length == 2 && tag[1] is not ("latest" or ""), $"the image of {name} is {image}");
        }
    }

    [Fact]
    public async Task The_files_are_those_of_a_fresh_clone()
    {
        // A user without any .env, and one who copied the example as it is, must get the same.
        var without = await ConfigAsync(run, allProfiles: true, environmentFile: null);
        var example = await ConfigAsync(run, allProfiles: true, environmentFile: Path.Combine(PipelineProject.Root, ".env.example"));

        Assert.Equal(without, example);
    }

    static async Task<IReadOnlyList<(string Name, YamlMappingNode Service)>> ServicesAsync(IReadOnlyList<string> files, bool allProfiles)
    {
        var yaml = new YamlStream();
        using var text = new StringReader(await ConfigAsync(files, allProfiles, null));
        yaml.Load(text);
        var services = (YamlMappingNode)((YamlMappingNode)yaml.Documents[0].RootNode)["services"];
        return [.. services.Children.Select(service => (((YamlScalarNode)service.Key).Value!, (YamlMappingNode)service.Value))];
    }

    static async Task<string> ConfigAsync(IReadOnlyList<string> files, bool allProfiles, string? environmentFile)
    {
        // The values without which compose.hardware.yaml and compose.agent.yaml cannot be.
        var nothing = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(
                nothing,
                "I2C_GROUP=998\n" + (files.Contains("compose.agent.yaml") ? "DEVICE_ID=pi-attic\nMQTT_HOST=cell-{cell}.lan\nCELLS=4\n" : "")
            );
            return (
                await Docker.TryAsync([
                    "compose",
                    "--project-directory",
                    PipelineProject.Root,
                    "--env-file",
                    environmentFile ?? nothing,
                    .. allProfiles ? everyProfile : [],
                    .. files.SelectMany(file => new[] { "--file", Path.Combine(PipelineProject.Root, file) }),
                    "config",
                ])
            )
                .OrThrow()
                .Output;
        }
        finally
        {
            File.Delete(nothing);
        }
    }

    static string? Text(YamlNode node, string key) =>
        ((YamlMappingNode)node).Children.TryGetValue(key, out var value) && value is YamlScalarNode scalar ? scalar.Value : null;

    static IEnumerable<string> List(YamlMappingNode node, string key) =>
        node.Children.TryGetValue(key, out var value)
            ? ((YamlSequenceNode)value).Children.Select(item => ((YamlScalarNode)item).Value!)
            : [];
}
