using YamlDotNet.RepresentationModel;

namespace ThermalStreaming.Deployment.Tests;

/// <summary>The rules for deploy/swarm, without a swarm. One runs in Pipeline.Tests.</summary>
public sealed class SwarmStackTests
{
    /// <summary>What <c>docker stack deploy</c> follows. The rest of Compose's keys it ignores, with a warning or without.</summary>
    static readonly string[] followed =
    [
        "cap_drop",
        "command",
        "configs",
        "deploy",
        "env_file",
        "environment",
        "extra_hosts",
        "healthcheck",
        "hostname",
        "image",
        "init",
        "logging",
        "networks",
        "ports",
        "read_only",
        "secrets",
        "stop_grace_period",
        "ulimits",
        "user",
        "volumes",
    ];

    [Theory]
    [MemberData(nameof(SwarmStack.All), MemberType = typeof(SwarmStack))]
    public void Nothing_is_written_that_a_swarm_ignores(string file)
    {
        var stack = new SwarmStack(file);

        stack.Root.Allow(
            file,
            [
                "version",
                "services",
                "networks",
                "secrets",
                "configs",
                "volumes",
                .. Keys(stack.Root).Where(key => key.StartsWith("x-", StringComparison.Ordinal)),
            ]
        );
        Assert.NotEmpty(stack.Services);
        foreach (var (name, service) in stack.Services)
        {
            service.Allow(name, followed);
            (service.Find("deploy") as YamlMappingNode)?.Allow(
                name,
                "replicas",
                "endpoint_mode",
                "placement",
                "restart_policy",
                "update_config",
                "rollback_config",
                "resources"
            );
        }
    }

    /// <summary>Docker takes <c>${NAME:?see cell-0}</c> for the variable "NAME:?see cell" with the default 0.</summary>
    [Theory]
    [MemberData(nameof(SwarmStack.All), MemberType = typeof(SwarmStack))]
    public void What_is_said_of_a_missing_variable_has_no_hyphen(string file) =>
        Assert.DoesNotMatch(@"\$\{[A-Z0-9_]+:?\?[^}]*-", File.ReadAllText(Repository.File($"deploy/swarm/{file}")));

    [Theory]
    [MemberData(nameof(SwarmStack.Whole), MemberType = typeof(SwarmStack))]
    public void Every_service_is_hardened(string file) =>
        Assert.All(
            new SwarmStack(file).Services,
            it =>
            {
                var (name, service) = it;
                Assert.Matches("^(1654:1654|1883:1883|1000:1000)$", service.TextAt("user"));
                Assert.Equal("true", service.TextAt("read_only"));
                Assert.Equal("true", service.TextAt("init"));
                Assert.Equal(["ALL"], service.ItemsAt("cap_drop").Select(item => item.ToString()));
                Assert.Equal("local", service.TextAt("logging", "driver"));
                Assert.NotNull(service.TextAt("logging", "options", "max-size"));
                Assert.NotNull(service.TextAt("deploy", "resources", "limits", "memory"));
                Assert.NotNull(service.TextAt("deploy", "resources", "limits", "pids"));
                Assert.NotNull(service.TextAt("stop_grace_period"));
                Assert.True(service.Find("healthcheck") is not null, $"{name} has no health check");
                // An interval of its own is for Engine 25.
                Assert.Null(service.Find("healthcheck", "start_interval"));
            }
        );

    /// <summary>A ledger on one node's disk has one owner, there.</summary>
    [Theory]
    [MemberData(nameof(SwarmStack.Whole), MemberType = typeof(SwarmStack))]
    public void Every_service_is_one_container_on_one_node_and_has_ended_before_the_next_one_begins(string file) =>
        Assert.All(
            new SwarmStack(file).Services,
            it =>
            {
                var deploy = it.Service.Find("deploy");
                Assert.Equal("1", deploy.TextAt("replicas"));
                Assert.Equal("dnsrr", deploy.TextAt("endpoint_mode"));
                Assert.Single(deploy.ItemsAt("placement", "constraints"));
                Assert.Equal("any", deploy.TextAt("restart_policy", "condition"));
                Assert.Equal("stop-first", deploy.TextAt("update_config", "order"));
                Assert.Equal("rollback", deploy.TextAt("update_config", "failure_action"));
                Assert.All(it.Service.ItemsAt("ports"), port => Assert.Equal("host", port.TextAt("mode")));
            }
        );

    /// <summary>A cell is the same thing everywhere.</summary>
    [Fact]
    public void A_cell_has_the_users_and_the_memory_that_it_has_on_Kubernetes()
    {
        var pod = Assert.Single(Installations.Named("base").Pods);

        foreach (var (name, service) in new SwarmStack("cell.yaml").Services)
        {
            var container = pod.Named(name);
            Assert.Equal($"{container.SecurityContext.RunAsUser}:{container.SecurityContext.RunAsGroup}", service.TextAt("user"));
            // Docker's M is 1024 * 1024.
            Assert.Equal($"{container.Resources.Limits["memory"]}", service.TextAt("deploy", "resources", "limits", "memory") + "i");
            Assert.Equal(
                $"{container.Resources.Requests["memory"]}",
                service.TextAt("deploy", "resources", "reservations", "memory") + "i"
            );
        }
    }

    /// <summary>Swarm ends what fails its check, and /readyz fails while Snowflake is away.</summary>
    [Fact]
    public void No_health_check_of_a_forwarder_or_an_agent_asks_for_more_than_an_answer()
    {
        var services = new[] { "cell.yaml", "agent.yaml" }.SelectMany(file => new SwarmStack(file).Services).ToList();

        foreach (var (name, service) in services.Where(it => it.Name is "sensor-agent" or "snowpipe-forwarder" or "s3-forwarder"))
            Assert.Equal(["CMD", name, "healthcheck", "--live"], service.ItemsAt("healthcheck", "test").Select(item => item.ToString()));
    }

    [Theory]
    [MemberData(nameof(SwarmStack.All), MemberType = typeof(SwarmStack))]
    public async Task Programs_know_every_variable_that_they_get(string file)
    {
        var checkedNames = 0;
        foreach (var (name, service) in new SwarmStack(file).Services)
        {
            var image =
                name == "broker" ? "mosquitto"
                : name == "keeper" ? "thermalctl"
                : name;
            if (image != "mosquitto" && !Programs.Has(image))
                continue;
            var known = await SettingsTests.SettingsAsync(image);
            foreach (var variable in SwarmStack.EnvironmentOf(service).Keys)
            {
                Assert.True(known.Contains(variable), $"{name} in {file} gets {variable}, which is no setting of {image}");
                checkedNames++;
            }
        }
        Assert.True(checkedNames > 5 || file is "demo.yaml" or "agent.hosts.yaml");
    }

    [Theory]
    [MemberData(nameof(SwarmStack.Whole), MemberType = typeof(SwarmStack))]
    public void Volumes_secrets_configs_and_networks_are_those_that_the_file_declares(string file)
    {
        var stack = new SwarmStack(file);

        foreach (var (section, used) in new[] { ("secrets", Sources("secrets")), ("configs", Sources("configs")), ("volumes", Volumes()) })
            Assert.Equal(stack.Section(section).Select(it => it.Name).Order(StringComparer.Ordinal), used.Order(StringComparer.Ordinal));

        IEnumerable<string> Sources(string kind) =>
            stack.Services.SelectMany(it => it.Service.ItemsAt(kind)).Select(item => item.TextAt("source")!).Distinct();

        IEnumerable<string> Volumes() =>
            stack
                .Services.SelectMany(it => it.Service.ItemsAt("volumes"))
                .OfType<YamlScalarNode>()
                .Select(item => item.Value!.Split(':')[0])
                .Where(source => !source.StartsWith('/'))
                .Distinct();
    }

    [Fact]
    public void The_page_says_how_each_external_secret_and_config_is_made()
    {
        var page = File.ReadAllText(Repository.File("docs/swarm.md"));

        foreach (var secret in new[] { "snowflake-key", "aws-credentials" })
            Assert.Contains($"docker secret create {secret} ", page, StringComparison.Ordinal);
        foreach (var config in new[] { "cell-authorities", "demo-public-key" })
            Assert.Contains($"docker config create {config} ", page, StringComparison.Ordinal);
    }

    static IEnumerable<string> Keys(YamlMappingNode node) => node.Children.Keys.Select(key => ((YamlScalarNode)key).Value!);
}
