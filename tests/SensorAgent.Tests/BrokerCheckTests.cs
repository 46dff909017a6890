using ThermalStreaming.Hosting;
using ThermalStreaming.Mqtt;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SensorAgent.Tests;

public sealed class BrokerCheckTests
{
    static readonly BrokerSettings Guarded = new()
    {
        Users = new Dictionary<string, string> { ["agent"] = "secret" },
        Acl = ["user agent", "topic write telemetry/v1/#"],
    };

    /// <summary>Runs the steps as <c>check</c> does: what needs a failed one is left out.</summary>
    static async Task<Dictionary<string, CheckResult>> RunAsync(MqttOptions options, string topic = "telemetry/v1/pi/check")
    {
        Dictionary<string, CheckResult> results = [];
        foreach (var step in BrokerCheck.Steps(options, TimeProvider.System, topic, ["$share/group/telemetry/v1/+/thermal"]))
        {
            if (step.Needs.All(need => results.TryGetValue(need, out var result) && result.Outcome == CheckOutcome.Ok))
                results[step.Name] = await step.Run(default);
        }
        return results;
    }

    static MqttOptions Options(int port, string? password = "secret") =>
        new()
        {
            Host = "127.0.0.1",
            Port = port,
            ClientId = "pi",
            UserName = "agent",
            Password = password,
        };

    [Fact]
    public async Task Everything_is_well_with_the_right_password_and_rights()
    {
        await using var broker = await MosquittoProcess.StartAsync(Guarded);

        var results = await RunAsync(Options(broker.Port));

        Assert.Equal(["broker name", "broker port", "broker login", "broker publish", "broker subscribe"], results.Keys);
        Assert.All(results.Values, result => Assert.Equal(CheckOutcome.Ok, result.Outcome));
    }

    [Fact]
    public async Task A_wrong_password_fails_the_login_and_says_where_to_look()
    {
        await using var broker = await MosquittoProcess.StartAsync(Guarded);

        var results = await RunAsync(Options(broker.Port, "wrong"));

        Assert.Equal(CheckOutcome.Failed, results["broker login"].Outcome);
        Assert.Contains("MQTT_PASSWORD", results["broker login"].Fix, StringComparison.Ordinal);
        Assert.DoesNotContain("broker publish", results.Keys);
    }

    [Fact]
    public async Task Missing_rights_fail_the_publish_and_say_how_to_get_them()
    {
        await using var broker = await MosquittoProcess.StartAsync(Guarded);

        var result = (await RunAsync(Options(broker.Port), "elsewhere/check"))["broker publish"];

        Assert.Equal(CheckOutcome.Failed, result.Outcome);
        Assert.Contains("user 'agent'", result.Fix, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broker_that_does_not_run_fails_the_port()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        broker.Kill();

        var results = await RunAsync(Options(broker.Port));

        Assert.Equal(CheckOutcome.Failed, results["broker port"].Outcome);
        Assert.Contains("refused", results["broker port"].Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_check_does_not_throw_the_running_service_off_the_broker()
    {
        await using var broker = await MosquittoProcess.StartAsync(Guarded);
        await using var service = new MqttClient(
            Options(broker.Port),
            TimeProvider.System,
            Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance
        );
        var connected = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        service.ConnectionChanged += state =>
        {
            if (state.IsConnected)
                connected.TrySetResult();
        };
        _ = service.RunAsync(default);
        await connected.Task.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System);

        await RunAsync(Options(broker.Port));

        Assert.Equal((true, 1), (service.State.IsConnected, service.State.Generation));
    }
}
