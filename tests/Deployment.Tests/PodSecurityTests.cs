using k8s.Models;

namespace ThermalStreaming.Deployment.Tests;

/// <summary>
/// The level "restricted" of the Pod Security Standards, field by field, which the namespaces enforce, and what Compose holds containers to
/// besides.
/// </summary>
public sealed class PodSecurityTests
{
    static readonly string[] volumes =
    [
        nameof(V1Volume.ConfigMap),
        nameof(V1Volume.Csi),
        nameof(V1Volume.DownwardAPI),
        nameof(V1Volume.EmptyDir),
        nameof(V1Volume.Ephemeral),
        nameof(V1Volume.PersistentVolumeClaim),
        nameof(V1Volume.Projected),
        nameof(V1Volume.Secret),
    ];

    [Theory]
    [MemberData(nameof(Installations.All), MemberType = typeof(Installations))]
    public void The_namespace_enforces_restricted(string name)
    {
        var installation = Installations.Named(name);

        var space = Assert.Single(installation.Of<V1Namespace>());

        Assert.Equal("restricted", space.Metadata.Labels["pod-security.kubernetes.io/enforce"]);
        Assert.All(installation.Pods, pod => Assert.Equal(space.Metadata.Name, pod.Namespace));
    }

    [Theory]
    [MemberData(nameof(Installations.All), MemberType = typeof(Installations))]
    public void Pods_share_nothing_with_their_node(string name) =>
        Assert.All(
            Installations.Named(name).Pods,
            pod =>
            {
                Assert.NotEqual(true, pod.Spec.HostNetwork);
                Assert.NotEqual(true, pod.Spec.HostPID);
                Assert.NotEqual(true, pod.Spec.HostIPC);
                Assert.NotEqual(true, pod.Spec.HostUsers);
                // Containers of one pod would see each other's files by way of /proc.
                Assert.NotEqual(true, pod.Spec.ShareProcessNamespace);
                Assert.True(pod.Spec.SecurityContext.RunAsNonRoot);
                Assert.Equal("RuntimeDefault", pod.Spec.SecurityContext.SeccompProfile.Type);
                Assert.Null(pod.Spec.SecurityContext.Sysctls);
                Assert.Null(pod.Spec.SecurityContext.SeLinuxOptions);
                Assert.Null(pod.Spec.SecurityContext.AppArmorProfile);
                Assert.Null(pod.Spec.SecurityContext.WindowsOptions);
                Assert.Null(pod.Spec.EphemeralContainers);
                Assert.All(pod.Spec.Volumes, volume => Assert.Contains(SourceOf(volume), volumes));
            }
        );

    [Theory]
    [MemberData(nameof(Installations.All), MemberType = typeof(Installations))]
    public void Containers_have_no_privilege(string name) =>
        Assert.All(
            Installations.Named(name).Pods.SelectMany(pod => pod.Containers),
            container =>
            {
                var context = container.SecurityContext;
                Assert.NotEqual(true, context.Privileged);
                Assert.False(context.AllowPrivilegeEscalation);
                Assert.Equal(["ALL"], context.Capabilities.Drop);
                Assert.Null(context.Capabilities.Add);
                Assert.True(context.RunAsUser > 0, $"{container.Name} runs as {context.RunAsUser}");
                Assert.True(context.RunAsGroup > 0, $"{container.Name} runs as group {context.RunAsGroup}");
                Assert.NotEqual(false, context.RunAsNonRoot);
                Assert.True(context.ReadOnlyRootFilesystem);
                Assert.Null(context.ProcMount);
                Assert.Null(context.SeccompProfile);
                Assert.Null(context.SeLinuxOptions);
                Assert.Null(context.AppArmorProfile);
                Assert.All(container.Ports ?? [], port => Assert.Null(port.HostPort));
                Assert.Null(container.Lifecycle);
                Assert.Null(container.VolumeDevices);
            }
        );

    /// <summary>Nothing talks to the cluster, so nothing gets a token for it.</summary>
    [Theory]
    [MemberData(nameof(Installations.All), MemberType = typeof(Installations))]
    public void Nobody_gets_a_token_of_the_cluster(string name)
    {
        Assert.All(Installations.Named(name).Pods, pod => Assert.False(pod.Spec.AutomountServiceAccountToken));
        Assert.All(Installations.Named(name).Of<V1ServiceAccount>(), account => Assert.False(account.AutomountServiceAccountToken));
    }

    /// <summary>A Service named like a setting would set it: CONSOLE_PORT=tcp://….</summary>
    [Theory]
    [MemberData(nameof(Installations.All), MemberType = typeof(Installations))]
    public void Services_set_no_variables(string name) =>
        Assert.All(Installations.Named(name).Pods, pod => Assert.False(pod.Spec.EnableServiceLinks));

    static string SourceOf(V1Volume volume) =>
        Assert.Single(
            typeof(V1Volume)
                .GetProperties()
                .Where(property => property.Name != nameof(V1Volume.Name) && property.GetValue(volume) is not null)
                .Select(property => property.Name)
        );
}
