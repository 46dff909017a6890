using System.Text;
using Docker.DotNet.Models;
using DotNet.Testcontainers.Builders;
using DotNet.Testcontainers.Containers;
using DotNet.Testcontainers.Volumes;
using DockerCommand = ThermalStreaming.Testing.Docker;

namespace ThermalStreaming.Containers.Tests;

/// <summary>
/// The images of <c>setup</c> and of the broker as the project ships them: <c>setup</c> has run to its end on empty volumes, as in production
/// without a user for trying things out, and the broker runs on them, as hardened as Compose runs it.
/// </summary>
public sealed class BrokerFixture : IAsyncLifetime
{
    /// <summary>The device that the agent's user may publish as.</summary>
    public const string Device = "pi";

    static readonly TimeSpan buildCeiling = TimeSpan.FromMinutes(15);
    readonly List<IVolume> volumes = [];
    IContainer? setup;
    IContainer? broker;

    /// <summary>The broker, healthy.</summary>
    public IContainer Broker => broker ?? throw new InvalidOperationException("The broker was not started.");

    /// <summary>MQTT without TLS, on this machine.</summary>
    public int Port => Broker.GetMappedPublicPort(1883);

    /// <summary>MQTT over TLS, on this machine.</summary>
    public int TlsPort => Broker.GetMappedPublicPort(8883);

    /// <summary>The certificate of the authority that signed the broker's, PEM.</summary>
    public string Authority { get; private set; } = "";

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>Starts it for the first test that asks.</summary>
    public async Task ReadyAsync()
    {
        if (broker is not null)
            return;
        var auth = await VolumeAsync();
        setup = Hardened(await BuildAsync("thermalctl"))
            .WithCommand("setup")
            .WithEnvironment("DEVICE_ID", Device)
            .WithVolumeMount(auth, "/mosquitto/auth")
            .WithVolumeMount(await VolumeAsync(), "/mosquitto/authority")
            .WithVolumeMount(await VolumeAsync(), "/credentials/sensor-agent")
            .WithVolumeMount(await VolumeAsync(), "/credentials/snowpipe-forwarder")
            .WithVolumeMount(await VolumeAsync(), "/credentials/s3-forwarder")
            .Build();
        await setup.StartAsync();
        if (await setup.GetExitCodeAsync() is var code and not 0)
            throw new InvalidOperationException($"setup ended with code {code}: {await setup.GetLogsAsync()}");
        Authority = await ReadAsync("/mosquitto/auth/ca.crt");
        broker = Hardened(await BuildAsync("mosquitto"))
            .WithVolumeMount(auth, "/mosquitto/auth", DotNet.Testcontainers.Configurations.AccessMode.ReadOnly)
            .WithVolumeMount(await VolumeAsync(), "/mosquitto/data")
            .WithPortBinding(1883, assignRandomHostPort: true)
            .WithPortBinding(8883, assignRandomHostPort: true)
            .WithCreateParameterModifier(container =>
                container.Healthcheck = new HealthcheckConfig
                {
                    Test = ["CMD", "broker", "healthy"],
                    Interval = TimeSpan.FromSeconds(1),
                    Timeout = TimeSpan.FromSeconds(10),
                    Retries = 60,
                }
            )
            .WithWaitStrategy(Wait.ForUnixContainer().UntilContainerIsHealthy(failingStreak: 60))
            .Build();
        await broker.StartAsync();
    }

    /// <summary>The password that <c>setup</c> made for a service.</summary>
    public Task<string> PasswordAsync(string user) => ReadAsync($"/credentials/{user}/password");

    /// <summary>A forwarder's first login.</summary>
    public async Task<string> SlotAsync(string service) => $"{service}-{await ReadAsync($"/credentials/{service}/installation")}-slot-0";

    public async ValueTask DisposeAsync()
    {
        if (broker is not null)
            await broker.DisposeAsync();
        if (setup is not null)
            await setup.DisposeAsync();
        foreach (var volume in volumes)
            await volume.DisposeAsync();
    }

    async Task<string> ReadAsync(string path) => Encoding.UTF8.GetString(await setup!.ReadFileAsync(path)).Trim();

    async Task<IVolume> VolumeAsync()
    {
        var volume = new VolumeBuilder().WithName($"{Engine.Run}-{Guid.NewGuid():n}").WithLabel(Engine.Label, Engine.Run).Build();
        await volume.CreateAsync();
        volumes.Add(volume);
        return volume;
    }

    /// <summary>What Compose holds every container to.</summary>
    static ContainerBuilder Hardened(string image) =>
        new ContainerBuilder(image)
            .WithLabel(Engine.Label, Engine.Run)
            .WithTmpfsMount("/tmp")
            .WithTmpfsMount("/mosquitto/log")
            .WithCreateParameterModifier(container =>
            {
                container.User = "1883:1883";
                var host = container.HostConfig!;
                host.ReadonlyRootfs = true;
                host.CapDrop = ["ALL"];
                host.SecurityOpt = ["no-new-privileges:true"];
                host.Init = true;
                host.PidsLimit = 200;
                host.Memory = 512L << 20;
                host.Ulimits =
                [
                    new Ulimit
                    {
                        Name = "nofile",
                        Soft = 4096,
                        Hard = 4096,
                    },
                ];
            });

    /// <summary>BuildKit alone builds the target without the stages beside it, and Testcontainers does not speak to it.</summary>
    /// <returns>The image's id.</returns>
    static async Task<string> BuildAsync(string target)
    {
        var bases = new[]
        {
            $"MOSQUITTO_IMAGE={Images.Mosquitto}",
            $"DOTNET_SDK_IMAGE={Images.DotnetSdk}",
            $"DOTNET_RUNTIME_IMAGE={Images.DotnetRuntime}",
        };
        var built = await DockerCommand.TryAsync(
            ["build", "--quiet", "--target", target, .. bases.SelectMany(name => new[] { "--build-arg", name }), Images.Root],
            new Dictionary<string, string> { ["DOCKER_BUILDKIT"] = "1" },
            buildCeiling
        );
        return built.OrThrow().Output.Trim().Split('\n')[^1];
    }
}
