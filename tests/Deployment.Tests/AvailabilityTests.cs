using k8s.Models;

namespace ThermalStreaming.Deployment.Tests;

/// <summary>Stops, moves and losses: what the cluster does to a cell, and what a cell needs for it.</summary>
public sealed class AvailabilityTests
{
    /// <summary>As libs/hosting/ServiceHost.cs has it.</summary>
    const int StopSeconds = 25;

    [Theory]
    [MemberData(nameof(Installations.All), MemberType = typeof(Installations))]
    public void A_stop_may_take_longer_than_the_programs_need(string name)
    {
        Assert.Contains(
            $"FromSeconds({StopSeconds})",
            File.ReadAllText(Repository.File("libs/hosting/ServiceHost.cs")),
            StringComparison.Ordinal
        );

        Assert.All(
            Installations.Named(name).Pods,
            pod =>
                Assert.True(
                    // What is stopped after the others, as the broker, needs time of its own.
                    pod.Spec.TerminationGracePeriodSeconds >= (pod.Spec.InitContainers is null ? StopSeconds : 2 * StopSeconds)
                        && pod.Spec.TerminationGracePeriodSeconds > StopSeconds
                )
        );
    }

    /// <summary>What forwarders have in hand at a stop is acknowledged to a broker that still runs.</summary>
    [Fact]
    public void The_broker_starts_before_the_forwarders_and_stops_after_them()
    {
        var cells = Assert.Single(Installations.Named("base").Pods);

        Assert.Equal(["setup", "broker", "keeper"], cells.Spec.InitContainers.Select(container => container.Name));
        Assert.Equal("Always", cells.Named("broker").RestartPolicy);
        Assert.Equal("Always", cells.Named("keeper").RestartPolicy);
        Assert.True(cells.IsOneShot(cells.Named("setup")));
    }

    [Theory]
    [MemberData(nameof(Installations.All), MemberType = typeof(Installations))]
    public void No_two_pods_can_have_a_volume_and_none_is_deleted(string name) =>
        Assert.All(
            Installations.Named(name).Pods,
            pod =>
            {
                Assert.NotEmpty(pod.Set.Spec.VolumeClaimTemplates);
                Assert.All(pod.Set.Spec.VolumeClaimTemplates, claim => Assert.Equal(["ReadWriteOncePod"], claim.Spec.AccessModes));
                Assert.Equal("Retain", pod.Set.Spec.PersistentVolumeClaimRetentionPolicy.WhenDeleted);
                Assert.Equal("Retain", pod.Set.Spec.PersistentVolumeClaimRetentionPolicy.WhenScaled);
                Assert.Equal("Parallel", pod.Set.Spec.PodManagementPolicy);
                Assert.Equal("RollingUpdate", pod.Set.Spec.UpdateStrategy.Type);
            }
        );

    [Theory]
    [MemberData(nameof(Installations.All), MemberType = typeof(Installations))]
    public void Every_container_says_what_it_needs(string name) =>
        Assert.All(
            Installations.Named(name).Pods.SelectMany(pod => pod.Containers),
            container =>
            {
                var (requests, limits) = (container.Resources.Requests, container.Resources.Limits);
                Assert.True(requests["cpu"].ToDecimal() > 0);
                Assert.True(requests["memory"].ToInt64() > 0);
                Assert.True(limits["memory"].ToInt64() >= requests["memory"].ToInt64());
                // A processor that is taken away in the middle of an fsync holds up every acknowledgement behind it.
                Assert.False(limits.ContainsKey("cpu"));
            }
        );

    /// <summary>The limits are those of compose.yaml, which its tests hold the services to.</summary>
    [Theory]
    [InlineData("snowpipe-forwarder", "SERVICE_MEMORY")]
    [InlineData("s3-forwarder", "SERVICE_MEMORY")]
    [InlineData("broker", "MOSQUITTO_MEMORY")]
    [InlineData("console", "CONSOLE_MEMORY")]
    public void Memory_is_bounded_as_in_compose(string container, string setting)
    {
        var cells = Assert.Single(Installations.Named("base").Pods);
        var limit = cells.Named(container).Resources.Limits["memory"].ToInt64() >> 20;

        Assert.Contains(
            $"mem_limit: ${{{setting}:-{limit}m}}",
            File.ReadAllText(Repository.File("compose.yaml")),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [MemberData(nameof(Installations.All), MemberType = typeof(Installations))]
    public void What_is_in_memory_fits_into_the_container(string name)
    {
        foreach (var pod in Installations.Named(name).Pods)
        {
            foreach (var volume in pod.Spec.Volumes.Where(volume => volume.EmptyDir is not null))
            {
                Assert.Equal("Memory", volume.EmptyDir.Medium);
                var user = Assert.Single(pod.Containers, it => it.VolumeMounts.Any(mount => mount.Name == volume.Name));
                Assert.True(volume.EmptyDir.SizeLimit.ToInt64() < user.Resources.Limits["memory"].ToInt64());
            }
        }
    }

    [Fact]
    public void One_cell_at_a_time_may_be_moved_and_an_unwell_one_always()
    {
        var installation = Installations.Named("production");
        var budget = Assert.Single(installation.Of<V1PodDisruptionBudget>()).Spec;

        Assert.Equal("1", budget.MaxUnavailable.Value);
        Assert.Null(budget.MinAvailable);
        Assert.Equal("AlwaysAllow", budget.UnhealthyPodEvictionPolicy);
        Assert.True(Assert.Single(installation.Pods).IsChosenBy(budget.Selector));
    }

    [Fact]
    public void Cells_are_spread_over_nodes_and_zones()
    {
        var cells = Assert.Single(Installations.Named("production").Pods);

        Assert.Equal(
            ["kubernetes.io/hostname: DoNotSchedule", "topology.kubernetes.io/zone: ScheduleAnyway"],
            cells.Spec.TopologySpreadConstraints.Select(constraint => $"{constraint.TopologyKey}: {constraint.WhenUnsatisfiable}")
        );
    }
}
