using Google.Protobuf.WellKnownTypes;
using ThermalStreaming.Control;
using ThermalStreaming.Thermalctl.Tests;

namespace ThermalStreaming.Console.Tests;

/// <summary>The page and <c>thermalctl status</c> ask the same services, and must not disagree about what is wrong.</summary>
public sealed class AgreementTests : IAsyncLifetime
{
    readonly FakeAgent agent = new();
    readonly FakeForwarder forwarder = new("snowpipe-forwarder", "one");
    readonly FakeHost<FakeAgent> agentHost;
    readonly FakeHost<FakeForwarder> forwarderHost;

    public AgreementTests() => (agentHost, forwarderHost) = (new(agent), new(forwarder));

    public async ValueTask InitializeAsync()
    {
        await agentHost.StartAsync();
        await forwarderHost.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await agentHost.DisposeAsync();
        await forwarderHost.DisposeAsync();
    }

    [Fact]
    public async Task Both_say_of_everything_that_can_be_wrong_the_same_with_the_same_severity_and_fix()
    {
        agent.Status.Clock = ClockState.Unsynchronised;
        agent.Status.Sensors[0].Problem = "no answer on i2c-1 0x62";
        agent.Status.BacklogReadings = 700;
        agent.Status.BacklogAge = Duration.FromTimeSpan(TimeSpan.FromMinutes(20));
        forwarder.Status.Info.Ready = false;
        forwarder.Status.Info.Parts[1].Problem = "connection refused";
        forwarder.Status.Lag = Duration.FromTimeSpan(TimeSpan.FromMinutes(52));
        forwarder.Status.BacklogReadings = 12_480;
        forwarder.Status.DeadLetters = 3;
        forwarder.Status.Slots[0].LostReadings = 120;
        forwarder.Status.Slots[0].LossAge = Duration.FromTimeSpan(TimeSpan.FromHours(5));
        forwarder.Status.LastError = new Problem
        {
            At = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddMinutes(-6.5)),
            Code = "Transient",
            Message = "503 SlowDown",
        };

        var status = await OfStatusAsync();

        Assert.Equal(8, status.Count);
        Assert.Equal(status, await OfPageAsync());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    public async Task Both_say_the_same_of_a_clock_that_waits_and_of_a_pause(int minutes)
    {
        agent.Status.Clock = ClockState.Waiting;
        agent.Status.ClockWaits = Duration.FromTimeSpan(TimeSpan.FromMinutes(minutes));
        agent.Status.Info.Ready = false;
        agent.Status.Info.Parts.Add(new Part { Name = "clock", Problem = "not synchronised yet" });
        forwarder.Status.Paused = true;

        var status = await OfStatusAsync();

        Assert.Equal(2, status.Count);
        Assert.Equal(status, await OfPageAsync());
    }

    async Task<List<(string What, string Fix, bool IsUrgent)>> OfStatusAsync()
    {
        var (_, answer) = await OperatorProcess.JsonAsync(
            "status",
            "--agent",
            $"127.0.0.1:{agentHost.Port}",
            "--forwarder",
            $"127.0.0.1:{forwarderHost.Port}"
        );
        return
        [
            .. answer["findings"]!
                .AsArray()
                .Select(found => ((string)found!["problem"]!, (string)found["fix"]!, (bool)found["failed"]!))
                .Order(),
        ];
    }

    async Task<List<(string What, string Fix, bool IsUrgent)>> OfPageAsync()
    {
        using var agentClient = new ControlClient(new Uri($"http://127.0.0.1:{agentHost.Port}"), new ControlOptions());
        using var forwarderClient = new ControlClient(new Uri($"http://127.0.0.1:{forwarderHost.Port}"), new ControlOptions());
        var now = TimeProvider.System.GetUtcNow();
        var state = new State(
            now,
            TimeSpan.FromHours(1),
            IsBrokerConnected: true,
            now,
            BrokerProblem: "",
            ["sensor-agent", "snowpipe-forwarder"],
            [
                (
                    Answered("sensor-agent", ServiceKind.Agent, agentClient) with
                    {
                        Agent = await agentClient.Agent.GetStatusAsync(new GetAgentStatusRequest()),
                    },
                    ReplicaPresence.Answering
                ),
                (
                    Answered("snowpipe-forwarder", ServiceKind.Forwarder, forwarderClient) with
                    {
                        Forwarder = await forwarderClient.Forwarder.GetStatusAsync(new GetForwarderStatusRequest()),
                    },
                    ReplicaPresence.Answering
                ),
            ],
            []
        );
        // The page shows the part with the replica's name, status with the sentence.
        return
        [
            .. ProblemFinder
                .Find(state)
                .Select(found =>
                    (found.Where.Split(", ") is [_, var part] ? $"{part}: {found.What}" : found.What, found.Fix, found.IsUrgent)
                )
                .Order(),
        ];

        Replica Answered(string service, ServiceKind kind, ControlClient client) =>
            new()
            {
                Service = service,
                Name = "one",
                Address = client.Address.Authority,
                Kind = kind,
                Client = client,
                FirstSeen = now,
                LastAnswer = now,
            };
    }
}
