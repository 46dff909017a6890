using k8s.Models;

namespace ThermalStreaming.Deployment.Tests;

/// <summary>Who reaches what, by the network policies.</summary>
public sealed class NetworkTests
{
    const string Cells = "production, node ports, monitored";

    [Theory]
    [MemberData(nameof(Installations.All), MemberType = typeof(Installations))]
    public void Everything_is_denied_that_no_policy_allows(string name)
    {
        var deny = Installations.Named(name).Of<V1NetworkPolicy>().Single(policy => policy.Metadata.Name == "default-deny").Spec;

        Assert.Equal(["Ingress", "Egress"], deny.PolicyTypes);
        Assert.Null(deny.PodSelector.MatchLabels);
        Assert.Null(deny.PodSelector.MatchExpressions);
        Assert.Null(deny.Ingress);
        Assert.Null(deny.Egress);
    }

    /// <summary>A rule of a direction that its policy does not name would do nothing.</summary>
    [Theory]
    [MemberData(nameof(Installations.All), MemberType = typeof(Installations))]
    public void Every_policy_chooses_a_pod_and_names_its_direction(string name)
    {
        var installation = Installations.Named(name);
        foreach (var policy in installation.Of<V1NetworkPolicy>())
        {
            Assert.Contains(installation.Pods, pod => pod.IsChosenBy(policy.Spec.PodSelector));
            if (policy.Spec.Ingress is not null)
                Assert.Equal(["Ingress"], policy.Spec.PolicyTypes);
            if (policy.Spec.Egress is not null)
                Assert.Equal(["Egress"], policy.Spec.PolicyTypes);
        }
    }

    [Fact]
    public void Anybody_reaches_a_cell_by_mqtt_with_tls_alone()
    {
        var open = Ingress(Cells).Where(rule => rule.FromProperty is null or { Count: 0 }).ToList();

        Assert.Equal(["8883/TCP"], open.SelectMany(rule => rule.Ports).Select(Describe));
    }

    [Fact]
    public void Prometheus_reaches_the_metrics_of_every_program_that_has_some()
    {
        var cells = Assert.Single(Installations.Named(Cells).Pods);
        var allowed = Ingress(Cells)
            .Where(rule => rule.FromProperty is { Count: > 0 })
            .SelectMany(rule => rule.Ports)
            .Select(Describe)
            .Order(StringComparer.Ordinal);
        var served = cells
            .Running.Select(container => ContainerEnvironment.Of(cells, container).GetValueOrDefault("HTTP_PORT"))
            .OfType<string>()
            .Select(port => $"{port}/TCP")
            .Order(StringComparer.Ordinal)
            .ToList();

        Assert.Equal(served, allowed);
        var monitor = Installations.Named(Cells).Manifests.Single(manifest => manifest.Kind == "PodMonitor").Tree;
        Assert.Equal(
            served,
            monitor
                .ItemsAt("spec", "podMetricsEndpoints")
                .Select(endpoint => cells.Running.SelectMany(it => it.Ports ?? []).Single(port => port.Name == endpoint.TextAt("port")))
                .Select(port => $"{port.ContainerPort}/TCP")
                .Order(StringComparer.Ordinal)
        );
        Assert.True(cells.IsChosenBy(new V1LabelSelector { MatchLabels = Labels(monitor) }));
    }

    /// <summary>Passwords and the control token cross these in clear.</summary>
    [Fact]
    public void Nothing_without_tls_is_let_in_but_metrics()
    {
        var cells = Assert.Single(Installations.Named(Cells).Pods);
        var reached = Ingress(Cells).SelectMany(rule => rule.Ports).Select(port => port.Port.Value).ToList();

        Assert.DoesNotContain("1883", reached);
        Assert.DoesNotContain("8088", reached);
        foreach (var environment in cells.Running.Select(container => ContainerEnvironment.Of(cells, container)))
            if (environment.ContainsKey("GRPC_PORT"))
                Assert.Equal("127.0.0.1", environment["GRPC_ADDRESS"]);
    }

    [Fact]
    public void Cells_reach_https_and_dns_and_no_metadata_service()
    {
        var cells = Assert.Single(Installations.Named(Cells).Pods);
        var rules = Installations
            .Named(Cells)
            .Of<V1NetworkPolicy>()
            .Where(policy => cells.IsChosenBy(policy.Spec.PodSelector))
            .SelectMany(policy => policy.Spec.Egress ?? [])
            .ToList();

        Assert.Equal(["443/TCP", "53/TCP", "53/UDP"], rules.SelectMany(rule => rule.Ports).Select(Describe).Order(StringComparer.Ordinal));
        Assert.All(rules, rule => Assert.NotEmpty(rule.To));
        Assert.Contains(
            rules.SelectMany(rule => rule.To),
            peer => peer.IpBlock is { Cidr: "0.0.0.0/0" } block && block.Except.Contains("169.254.0.0/16")
        );
    }

    [Fact]
    public void Agents_reach_brokers_and_dns_alone()
    {
        var rules = Installations.Named("agents").Of<V1NetworkPolicy>().SelectMany(policy => policy.Spec.Egress ?? []);

        Assert.Equal(["53/TCP", "53/UDP", "8883/TCP"], rules.SelectMany(rule => rule.Ports).Select(Describe).Order(StringComparer.Ordinal));
    }

    static IEnumerable<V1NetworkPolicyIngressRule> Ingress(string name) =>
        Installations.Named(name).Of<V1NetworkPolicy>().SelectMany(policy => policy.Spec.Ingress ?? []);

    static string Describe(V1NetworkPolicyPort port) => $"{port.Port.Value}/{port.Protocol}";

    static Dictionary<string, string> Labels(YamlDotNet.RepresentationModel.YamlMappingNode monitor) =>
        ((YamlDotNet.RepresentationModel.YamlMappingNode)monitor.Find("spec", "selector", "matchLabels")!).Children.ToDictionary(
            label => $"{label.Key}",
            label => $"{label.Value}",
            StringComparer.Ordinal
        );
}
