using k8s.Models;

namespace ThermalStreaming.Deployment.Tests;

/// <summary>Probes ask what the programs answer, and none of them costs readings.</summary>
public sealed class ProbeTests
{
    [Theory]
    [MemberData(nameof(Installations.All), MemberType = typeof(Installations))]
    public void Probes_ask_what_the_image_answers(string name)
    {
        foreach (var pod in Installations.Named(name).Pods)
        {
            foreach (var container in pod.Running)
            {
                foreach (var probe in Probes(container))
                {
                    if (probe.HttpGet is { } get)
                    {
                        Assert.Contains(get.Path, (string[])["/healthz", "/readyz"]);
                        var port = container.Ports.Single(port => port.Name == get.Port.Value);
                        Assert.Equal(ContainerEnvironment.Of(pod, container)["HTTP_PORT"], $"{port.ContainerPort}");
                    }
                    else
                        Assert.Contains(
                            string.Join(' ', probe.Exec.Command),
                            (string[])[Programs.NameOf(container.Image) == "mosquitto" ? "broker healthy" : "thermalctl setup healthy"]
                        );
                    Assert.True(probe.TimeoutSeconds <= probe.PeriodSeconds || probe.Exec is not null);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Installations.All), MemberType = typeof(Installations))]
    public void A_program_is_restarted_only_when_it_does_not_answer_at_all(string name)
    {
        foreach (var container in Installations.Named(name).Pods.SelectMany(pod => pod.Running))
        {
            if (container.Name == "keeper")
            {
                // A certificate that has expired is not renewed by a restart.
                Assert.Null(container.LivenessProbe);
                continue;
            }
            var alive = container.LivenessProbe;
            // What /readyz complains about, such as Snowflake being away, is not cured by a restart.
            Assert.NotNull(alive);
            Assert.NotEqual("/readyz", alive.HttpGet?.Path);
            Assert.True(alive.PeriodSeconds * alive.FailureThreshold >= 180, $"{container.Name} is restarted after less than 3 minutes");
        }
    }

    /// <summary>A journal of 1 GiB is read at the start, maybe from a slow disk, before anything else counts.</summary>
    [Theory]
    [MemberData(nameof(Installations.All), MemberType = typeof(Installations))]
    public void A_start_may_take_minutes(string name)
    {
        foreach (var container in Installations.Named(name).Pods.SelectMany(pod => pod.Running).Where(it => it.LivenessProbe is not null))
        {
            var start = Assert.IsType<V1Probe>(container.StartupProbe);
            Assert.True(start.PeriodSeconds * start.FailureThreshold >= 120, $"{container.Name} may take too little time to start");
        }
    }

    [Fact]
    public void Only_what_delivers_decides_whether_a_cell_is_ready()
    {
        var cells = Assert.Single(Installations.Named("base").Pods);

        var asked = cells.Running.Where(container => container.ReadinessProbe is not null).Select(container => container.Name);

        Assert.Equal(["broker", "keeper", "snowpipe-forwarder", "s3-forwarder"], asked);
    }

    static IEnumerable<V1Probe> Probes(V1Container container) =>
        new[] { container.StartupProbe, container.ReadinessProbe, container.LivenessProbe }.OfType<V1Probe>();
}
