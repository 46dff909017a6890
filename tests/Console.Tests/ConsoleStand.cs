using System.Security.Cryptography;
using System.Text;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Console.Tests;

/// <summary>A console with everything that it looks at: a real broker, readings, and fakes of agent and forwarders.</summary>
sealed class ConsoleStand : IAsyncDisposable
{
    readonly TempDirectory directory = new();
    readonly List<IAsyncDisposable> parts = [];

    ConsoleStand() { }

    public required MosquittoProcess Broker { get; init; }

    public ConsoleProcess Console { get; private set; } = null!;

    public Fleet Fleet { get; private set; } = null!;

    public FakeAgent Agent { get; } = new();

    public FakeHost<FakeAgent> AgentHost { get; private set; } = null!;

    /// <summary>Snowpipe forwarders first.</summary>
    public List<(FakeForwarder Fake, FakeHost<FakeForwarder> Host)> Forwarders { get; } = [];

    public string DataDirectory => directory.Path;

    /// <param name="devices">How many publish.</param>
    /// <param name="snowpipe">Replicas of the snowpipe-forwarder.</param>
    /// <param name="s3">Replicas of the s3-forwarder.</param>
    /// <param name="inverters">Inverters of the first device.</param>
    /// <param name="hasDay">The console finds a history of yesterday on its disk.</param>
    public static async Task<ConsoleStand> StartAsync(int devices = 3, int snowpipe = 2, int s3 = 1, int inverters = 5, bool hasDay = false)
    {
        var stand = new ConsoleStand { Broker = await MosquittoProcess.StartAsync() };
        stand.parts.Add(stand.Broker);
        stand.AgentHost = new FakeHost<FakeAgent>(stand.Agent);
        await stand.AgentHost.StartAsync();
        stand.parts.Add(stand.AgentHost);
        for (var i = 0; i < snowpipe + s3; i++)
        {
            var fake = new FakeForwarder(i < snowpipe ? "snowpipe-forwarder" : "s3-forwarder", Replica(i));
            var host = new FakeHost<FakeForwarder>(fake);
            await host.StartAsync();
            stand.Forwarders.Add((fake, host));
            stand.parts.Add(host);
        }
        if (hasDay)
            Yesterday.Write(stand.DataDirectory);
        stand.Console = new ConsoleProcess(
            stand.DataDirectory,
            stand.Broker.Port,
            ("CONSOLE_AGENTS", $"127.0.0.1:{stand.AgentHost.Port}"),
            ("CONSOLE_SNOWPIPE_FORWARDERS", stand.Addresses(0, snowpipe)),
            ("CONSOLE_S3_FORWARDERS", stand.Addresses(snowpipe, s3))
        );
        stand.Fleet = new Fleet(stand.Broker.Port, devices, inverters);
        await stand.Console.ReadyAsync();
        return stand;
    }

    public async ValueTask DisposeAsync()
    {
        Console.Dispose();
        await Fleet.DisposeAsync();
        foreach (var part in parts.AsEnumerable().Reverse())
            await part.DisposeAsync();
        directory.Dispose();
    }

    /// <summary>Like the id of a container.</summary>
    static string Replica(int number) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes($"{number}")).AsSpan(0, 6));

    string Addresses(int from, int count) =>
        count == 0 ? "none" : string.Join(',', Forwarders.Skip(from).Take(count).Select(forwarder => $"127.0.0.1:{forwarder.Host.Port}"));
}
