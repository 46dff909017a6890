using System.Text.RegularExpressions;
using k8s.Models;

namespace ThermalStreaming.Deployment.Tests;

/// <summary>What a manifest names is there: in the manifests, or among what docs/kubernetes.md tells to create.</summary>
public sealed partial class ReferenceTests
{
    static readonly string guide = File.ReadAllText(Repository.File("docs/kubernetes.md"));

    [Theory]
    [MemberData(nameof(Installations.All), MemberType = typeof(Installations))]
    public void Every_config_map_is_there_with_the_keys_that_are_used(string name)
    {
        var installation = Installations.Named(name);
        var maps = installation.Of<V1ConfigMap>().ToDictionary(map => map.Metadata.Name, StringComparer.Ordinal);

        foreach (var pod in installation.Pods)
        {
            foreach (var volume in pod.Spec.Volumes.Where(volume => volume.ConfigMap is not null))
                AssertThere(volume.ConfigMap.Name, key: null);
            foreach (var container in pod.Containers)
            {
                foreach (var source in container.EnvFrom ?? [])
                    AssertThere(source.ConfigMapRef.Name, key: null);
                foreach (
                    var reference in (container.Env ?? []).Select(env => env.ValueFrom?.ConfigMapKeyRef).OfType<V1ConfigMapKeySelector>()
                )
                    AssertThere(reference.Name, reference.Key);
            }
        }

        void AssertThere(string map, string? key)
        {
            if (maps.TryGetValue(map, out var found))
                Assert.True(key is null || found.Data.ContainsKey(key), $"{map} has no {key}");
            else
                Assert.Contains($"create configmap {map} ", guide, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Installations.All), MemberType = typeof(Installations))]
    public void The_guide_creates_every_secret_in_its_namespace_with_its_file(string name)
    {
        foreach (var pod in Installations.Named(name).Pods)
        {
            foreach (var volume in pod.Spec.Volumes.Where(volume => volume.Secret is not null))
            {
                var created = SecretCreated().Matches(guide).Where(match => match.Groups[2].Value == volume.Secret.SecretName).ToList();
                Assert.True(created.Count > 0, $"docs/kubernetes.md does not create {volume.Secret.SecretName}");
                Assert.All(created, match => Assert.Equal(pod.Namespace, match.Groups[1].Value));
                foreach (var (container, mount) in Mounts(pod).Where(use => use.Mount.Name == volume.Name))
                {
                    var keys = created.Select(match => match.Groups[3].Value).ToList();
                    if (mount.SubPathExpr is { } expression)
                    {
                        // A key for each pod, named like it.
                        Assert.Equal("$(POD_NAME)", expression);
                        Assert.Contains(pod.Names.First(), keys);
                        continue;
                    }
                    var read = Values(pod, container)
                        .Where(value => value.StartsWith(mount.MountPath + "/", StringComparison.Ordinal))
                        .Select(value => value[(mount.MountPath.Length + 1)..])
                        .ToList();
                    Assert.NotEmpty(read);
                    Assert.All(read, key => Assert.Contains(key, keys));
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Installations.All), MemberType = typeof(Installations))]
    public void Every_mount_has_its_volume_and_every_volume_a_mount(string name)
    {
        foreach (var pod in Installations.Named(name).Pods)
        {
            Assert.Equal(
                pod.Volumes.Order(StringComparer.Ordinal),
                Mounts(pod).Select(use => use.Mount.Name).Distinct().Order(StringComparer.Ordinal)
            );
            foreach (var container in pod.Containers)
            {
                var paths = container.VolumeMounts.Select(mount => mount.MountPath).ToList();
                Assert.Equal(paths.Distinct(), paths);
                Assert.Contains("/tmp", paths);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Installations.All), MemberType = typeof(Installations))]
    public void Selectors_and_accounts_name_what_is_there(string name)
    {
        var installation = Installations.Named(name);

        foreach (var pod in installation.Pods)
        {
            Assert.True(pod.IsChosenBy(pod.Set.Spec.Selector));
            Assert.Contains(pod.Spec.ServiceAccountName, installation.Of<V1ServiceAccount>().Select(account => account.Metadata.Name));
            var named = installation.Of<V1Service>().Single(service => service.Metadata.Name == pod.Set.Spec.ServiceName);
            Assert.Equal("None", named.Spec.ClusterIP);
            Assert.All(pod.Spec.TopologySpreadConstraints ?? [], constraint => Assert.True(pod.IsChosenBy(constraint.LabelSelector)));
        }
        foreach (var service in installation.Of<V1Service>())
        {
            var chosen = Assert.Single(installation.Pods, pod => pod.Names.Any(replica => pod.IsChosenBy(service.Spec.Selector, replica)));
            var ports = chosen.Running.SelectMany(container => container.Ports ?? []).Select(port => $"{port.ContainerPort}");
            Assert.All(service.Spec.Ports, port => Assert.Contains(port.TargetPort.Value, ports));
        }
    }

    [Theory]
    [MemberData(nameof(Installations.All), MemberType = typeof(Installations))]
    public void Containers_of_a_pod_share_no_port(string name) =>
        Assert.All(
            Installations.Named(name).Pods,
            pod =>
            {
                var ports = pod.Containers.SelectMany(container => container.Ports ?? []).ToList();
                Assert.Equal(ports.DistinctBy(port => port.ContainerPort), ports);
                Assert.Equal(ports.DistinctBy(port => port.Name), ports);
                var listened = pod
                    .Running.SelectMany(container =>
                        (string[])["HTTP_PORT", "GRPC_PORT", "CONSOLE_PORT"] is var settings
                            ? settings
                                .Select(setting => ContainerEnvironment.Of(pod, container).GetValueOrDefault(setting))
                                .OfType<string>()
                            : []
                    )
                    .ToList();
                Assert.Equal(listened.Distinct(), listened);
            }
        );

    /// <summary>Each cell has a Service of its own in production, and nothing else is reached from outside.</summary>
    [Fact]
    public void Every_cell_of_production_is_published_and_nothing_else_of_it()
    {
        var production = Installations.Named("production");
        var cells = Assert.Single(production.Pods);

        var published = production.Of<V1Service>().Where(service => service.Spec.ClusterIP != "None").ToList();

        Assert.Equal(cells.Names, published.Select(service => service.Spec.Selector["statefulset.kubernetes.io/pod-name"]));
        Assert.Equal(cells.Names, published.Select(service => service.Metadata.Name));
        Assert.All(published, service => Assert.Equal(8883, Assert.Single(service.Spec.Ports).Port));
        // Also while Snowflake is away, which makes a cell unready.
        Assert.All(production.Of<V1Service>(), service => Assert.True(service.Spec.PublishNotReadyAddresses));
    }

    [Fact]
    public void Images_are_those_of_the_dockerfile()
    {
        var dockerfile = File.ReadAllText(Repository.File("Dockerfile"));
        var compose = File.ReadAllText(Repository.File("compose.yaml"));
        foreach (var container in Installations.All.SelectMany(row => Installations.Named(row.Data).Pods).SelectMany(pod => pod.Containers))
        {
            var image = container.Image.Split(':')[0].Replace("registry.example/", "", StringComparison.Ordinal);
            Assert.Matches($@"AS {image.Split('/')[1]}\n", dockerfile);
            Assert.Contains($"image: {image}:", compose, StringComparison.Ordinal);
        }
    }

    static IEnumerable<(V1Container Container, V1VolumeMount Mount)> Mounts(Pod pod) =>
        pod.Containers.SelectMany(container => container.VolumeMounts.Select(mount => (container, mount)));

    static IEnumerable<string> Values(Pod pod, V1Container container) => ContainerEnvironment.Of(pod, container).Values;

    [GeneratedRegex(@"kubectl -n (\S+) create secret generic (\S+) --from-file=([^=\s]+)=")]
    private static partial Regex SecretCreated();
}
