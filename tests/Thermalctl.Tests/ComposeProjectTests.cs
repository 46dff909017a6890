namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>Compose's output is read as Compose means it.</summary>
public sealed class ComposeProjectTests
{
    const string Config = """
        {
          "name": "home",
          "services": {
            "b": {"image": "b:1", "scale": 0, "environment": {"PASSWORD": "pa$$w0rd$$1x \"q\" \\ ü\n2", "EMPTY": "", "NONE": null},
                  "ports": [{"target": 8883, "published": "8883", "host_ip": "127.0.0.1"}, {"target": 1883, "published": "21883"}, {"target": 99}]},
            "a": {"deploy": {"replicas": 3}, "init": true, "mem_limit": "1", "devices": ["/dev/x:/dev/x", {"source": "/dev/y"}]}
          },
          "secrets": {"rsa_key.p8": {"name": "home_rsa_key.p8", "file": "/somewhere/key with spaces.p8"}}
        }
        """;

    readonly ComposeProject project = ComposeProject.Parse(Config);

    [Theory]
    [InlineData("name", "home")]
    [InlineData("services/b/image", "b:1")]
    [InlineData("services/b/scale", "0")]
    [InlineData("services/b/environment/PASSWORD", "pa$w0rd$1x \"q\" \\ ü\n2")]
    [InlineData("services/b/environment/EMPTY", null)]
    [InlineData("services/b/environment/NONE", null)]
    [InlineData("services/b/environment/MISSING", null)]
    [InlineData("services/b/ports/1/published", "21883")]
    [InlineData("services/b/ports/7/published", null)]
    [InlineData("services/b/ports/-1/published", null)]
    [InlineData("services/b/ports/x/published", null)]
    [InlineData("services/a/init", "true")]
    [InlineData("secrets/rsa_key.p8/file", "/somewhere/key with spaces.p8")]
    [InlineData("services/b/image/deeper", null)]
    public void A_value_is_found_by_the_names_that_lead_to_it(string path, string? expected) =>
        Assert.Equal(expected, project.Value(path.Split('/')));

    [Fact]
    public void Services_scales_ports_and_lists()
    {
        Assert.Equal(["a", "b"], project.Services);
        Assert.Equal((3, 0, 1), (project.ScaleOf("a"), project.ScaleOf("b"), project.ScaleOf("c")));
        Assert.Equal(
            ("21883", "8883", null, null),
            (project.HostPort("b", 1883), project.HostPort("b", 8883), project.HostPort("b", 99), project.HostPort("a", 1))
        );
        Assert.Equal(["/dev/x:/dev/x", "/dev/y"], project.Values("source", "services", "a", "devices"));
        Assert.Equal((true, false), (project.Has("a"), project.Has("c")));
    }
}
