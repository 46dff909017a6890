using k8s.Models;
using Microsoft.Extensions.Configuration;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Deployment.Tests;

/// <summary>What is on the volumes of a cell, and who sees it.</summary>
public sealed class VolumeTests
{
    /// <summary>A ledger has at most 32 MiB in memory (docs/architecture.md) and is on disk twice while it is written again.</summary>
    const long LedgerBytes = 64L << 20;

    /// <summary>25 files of at most 0.6 MB (docs/console.md).</summary>
    const long HistoryBytes = 16L << 20;

    [Theory]
    [InlineData("base")]
    [InlineData("production")]
    public void The_volume_of_data_holds_all_that_may_be_on_it(string name)
    {
        var cells = Assert.Single(Installations.Named(name).Pods);
        // What the broker saves is what it has in memory.
        var needed = cells.Named("broker").Resources.Limits["memory"].ToInt64() + HistoryBytes;
        foreach (var container in cells.Containers.Where(container => container.Name.EndsWith("forwarder", StringComparison.Ordinal)))
        {
            var values = ContainerEnvironment.Of(cells, container).Select(item => KeyValuePair.Create(item.Key, (string?)item.Value));
            var settings = new Settings(new ConfigurationBuilder().AddInMemoryCollection(values).Build());
            var options = ForwarderOptions.Load(settings, container.Name, ReadingKind.Thermal, default);
            needed +=
                options.MostSlots * options.Journal.MaxBytes
                + options.DeadLettersMaxBytes
                + LedgerBytes
                + options.Journal.FreeSpaceReserveBytes;
        }

        var size = cells.Set.Spec.VolumeClaimTemplates.Single(claim => claim.Metadata.Name == "data").Spec.Resources.Requests["storage"];

        Assert.True(size.ToInt64() >= needed, $"{needed} bytes may be on the volume `data` of {size} bytes");
    }

    /// <summary>A program that is broken into has its own secrets and no other one's.</summary>
    [Fact]
    public void Every_container_sees_its_own_part_of_the_volumes_alone()
    {
        var cells = Assert.Single(Installations.Named("production").Pods);

        var seen = cells.Running.ToDictionary(
            container => container.Name,
            container =>
                container
                    .VolumeMounts.Where(mount => !mount.MountPath.StartsWith("/tmp", StringComparison.Ordinal))
                    .Select(mount => $"{mount.Name}/{mount.SubPath}{(mount.ReadOnlyProperty == true ? " (ro)" : "")}")
                    .Order(StringComparer.Ordinal)
                    .ToArray()
        );

        Assert.Equal(["broker-log/", "data/broker", "identity/auth (ro)"], seen["broker"]);
        Assert.Equal(["identity/auth", "identity/authority", "identity/control/cli (ro)", "identity/credentials/cli (ro)"], seen["keeper"]);
        Assert.Equal(
            [
                "data/snowpipe-forwarder",
                "identity/control/snowpipe-forwarder (ro)",
                "identity/credentials/snowpipe-forwarder (ro)",
                "mappings/ (ro)",
                "snowflake-key/ (ro)",
            ],
            seen["snowpipe-forwarder"]
        );
        Assert.Equal(
            [
                "aws-credentials/ (ro)",
                "data/s3-forwarder",
                "identity/control/s3-forwarder (ro)",
                "identity/credentials/s3-forwarder (ro)",
                "mappings/ (ro)",
            ],
            seen["s3-forwarder"]
        );
        Assert.Equal(["data/console", "identity/credentials/console (ro)"], seen["console"]);
    }

    /// <summary>Two users, as in Compose: the services cannot read the broker's files, also not by way of a shared volume.</summary>
    [Fact]
    public void The_users_are_those_of_compose()
    {
        var cells = Assert.Single(Installations.Named("base").Pods);

        var users = cells.Containers.ToDictionary(it => it.Name, it => $"{it.SecurityContext.RunAsUser}:{it.SecurityContext.RunAsGroup}");

        Assert.Equal(
            new Dictionary<string, string>
            {
                ["setup"] = "1883:1883",
                ["broker"] = "1883:1883",
                ["keeper"] = "1883:1883",
                ["snowpipe-forwarder"] = "1654:1654",
                ["s3-forwarder"] = "1654:1654",
                ["console"] = "1654:1654",
            },
            users
        );
        Assert.Equal(1654, cells.Spec.SecurityContext.FsGroup);
    }

    /// <summary>A file that is mounted by subPath or has another mode cannot be read, or not be exchanged while the program runs.</summary>
    [Theory]
    [MemberData(nameof(Installations.All), MemberType = typeof(Installations))]
    public void Secrets_can_be_read_by_the_group_and_by_nobody_else(string name) =>
        Assert.All(
            Installations.Named(name).Pods.SelectMany(pod => pod.Spec.Volumes).Where(volume => volume.Secret is not null),
            volume => Assert.Equal(Convert.ToInt32("440", 8), volume.Secret.DefaultMode)
        );
}
