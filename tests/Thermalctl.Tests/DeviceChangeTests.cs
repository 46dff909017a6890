using System.Text.Json.Nodes;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>What <c>./up --enroll</c>, <c>--revoke</c> and <c>--rotate-password</c> do to a running broker, and what they say.</summary>
public sealed class DeviceChangeTests : IAsyncDisposable
{
    const string Apply = "sh -c printf '%s\\n' \"$INPUT\" | broker apply";
    const string Try = "sh -c printf '%s\\n' \"$INPUT\" | broker try my-esp";
    const string LogIn = "sh -c printf '%s\\n' \"$INPUT\" | broker login s3-forwarder/check";
    const string Answer = "the_password\n{\"commands\":[]}\n";

    readonly FakeEngine engine = new();
    readonly FakeHttp http = new();
    readonly ManualClock clock = new();
    readonly StringWriter output = new() { NewLine = "\n" };
    readonly StringWriter errors = new() { NewLine = "\n" };
    readonly FakeContainer broker = new() { Service = "mosquitto" };

    public DeviceChangeTests()
    {
        broker.Commands[Apply] = (0, "", "");
        broker.Commands[Try] = (0, "", "");
        broker.Commands[LogIn] = (0, "", "");
        broker.Commands["cat /mosquitto/auth/ca.crt"] = (0, "-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----\n", "");
        engine.Containers.Add(broker);
    }

    public async ValueTask DisposeAsync()
    {
        await engine.DisposeAsync();
        http.Dispose();
    }

    static JsonObject Settings()
    {
        var project = Project.With("mosquitto", "s3-forwarder");
        project["services"]!["mosquitto"]!["ports"] = new JsonArray(
            new JsonObject
            {
                ["target"] = 8883,
                ["published"] = "18883",
                ["host_ip"] = "127.0.0.1",
            }
        );
        return project;
    }

    [Fact]
    public async Task A_device_is_given_to_the_broker_tried_and_shown_with_what_to_paste()
    {
        await RunAsync(change => change.EnrolledAsync("my-esp", Answer, "pi", CancellationToken.None));

        Assert.Equal(
            [(Apply, "INPUT={\"commands\":[]}"), (Try, "INPUT=the_password"), ("cat /mosquitto/auth/ca.crt", "")],
            engine.Executed
        );
        Assert.StartsWith(
            "    the broker accepts its login; it may publish to telemetry/v1/my-esp/thermal, inverter and status\n\n    Keep this "
                + "password: it is shown once.\n      user      my-esp\n      password  the_password\n",
            output.ToString(),
            StringComparison.Ordinal
        );
        foreach (
            var line in new[]
            {
                "      mosquitto_pub -h pi.local -p 18883 --cafile ca.crt -u my-esp -P 'the_password' -q 1 \\\n        -t "
                    + "telemetry/v1/my-esp/thermal -m '{\"temperature\": 21.5, \"humidity\": 40}'\n",
                "      MQTT_PORT=18883\n",
                "        certificate_authority: |\n          -----BEGIN CERTIFICATE-----\n          AAA\n          -----END "
                    + "CERTIFICATE-----\n      sensor:\n",
                "      Backlog MqttHost pi.local; MqttPort 18883; MqttUser my-esp; MqttPassword the_password; SetOption103 1; "
                    + "SetOption104 1\n",
                "    the broker keeps no retained messages: a device that sets the retain flag is refused (SetOption104 1, retain: false)\n",
            }
        )
        {
            Assert.Contains(line, output.ToString(), StringComparison.Ordinal);
        }
        Assert.Equal(
            "    warning: the broker is not reachable from other machines yet: MQTT_LAN_ADDRESS=0.0.0.0 in .env, then ./up --no-build\n",
            errors.ToString()
        );
    }

    [Fact]
    public async Task Without_a_running_broker_the_password_is_shown_all_the_same()
    {
        broker.Status = "exited";

        await RunAsync(change => change.EnrolledAsync("my-esp", Answer, "pi", CancellationToken.None));

        Assert.Empty(engine.Executed);
        Assert.StartsWith(
            "    the broker does not run; the change takes effect when it starts\n",
            output.ToString(),
            StringComparison.Ordinal
        );
        Assert.Contains("      password  the_password\n", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("          (ca.crt, once the broker runs)\n", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broker_that_takes_a_change_only_by_a_restart_is_asked_again()
    {
        broker.Commands[Apply] = (1, "", "connection refused\n");
        broker.Commands[Try] = (1, "", "not authorised\n");

        await RunAsync(
            change => change.EnrolledAsync("my-esp", Answer, "pi", CancellationToken.None),
            second =>
            {
                if (second == 3)
                    broker.Commands[Try] = (0, "", "");
            }
        );

        Assert.StartsWith(
            "    warning: the running broker did not accept the change at once; it restarts with the new users within seconds\n",
            errors.ToString(),
            StringComparison.Ordinal
        );
        Assert.StartsWith("    the broker accepts its login", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broker_that_refuses_the_device_for_good_is_a_failure()
    {
        broker.Commands[Try] = (1, "", "CONNACK 135\nnot authorised\n");

        var failure = await Assert.ThrowsAsync<FailureException>(() =>
            RunAsync(change => change.EnrolledAsync("my-esp", Answer, "pi", CancellationToken.None))
        );

        Assert.Equal(
            "my-esp was enrolled, but the broker refuses its login. The broker says: not authorised. To fix it: docker "
                + "compose restart mosquitto",
            failure.Message
        );
        Assert.Equal(10, engine.Executed.Count(executed => executed.Command == Try));
        Assert.DoesNotContain("the_password", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_revoked_device_is_taken_from_the_broker()
    {
        await RunAsync(change => change.RevokedAsync("my-esp", "{\"commands\":[1]}\n", CancellationToken.None));

        Assert.Equal([(Apply, "INPUT={\"commands\":[1]}")], engine.Executed);
        Assert.Equal("    my-esp may not connect any more; its readings in Snowflake stay\n", output.ToString());
    }

    [Fact]
    public async Task A_rotated_service_is_waited_for_until_it_is_connected()
    {
        engine.Containers.Add(new FakeContainer { Service = "s3-forwarder", Address = "10.0.0.4" });
        http.Answer("http://10.0.0.4:8080/readyz", "FAIL mqtt slot-0: bad password\n", 503);

        await RunAsync(
            change => change.RotatedAsync("s3-forwarder", Answer, CancellationToken.None),
            second =>
            {
                if (second == 5)
                    http.Answer("http://10.0.0.4:8080/readyz", "FAIL delivery slot-0: bucket\n", 503);
            }
        );

        Assert.Equal(
            "    the broker accepts the new password and has ended the connections that were made with the old one\n    s3-forwarder is "
                + "connected; no reading was lost\n",
            output.ToString()
        );
        Assert.InRange(clock.GetElapsedTime(0), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(8));
    }

    [Fact]
    public async Task A_service_that_does_not_come_back_is_named()
    {
        engine.Containers.Add(new FakeContainer { Service = "s3-forwarder", Address = "10.0.0.4" });
        http.Answer("http://10.0.0.4:8080/readyz", "FAIL broker: bad password\n", 503);

        await RunAsync(change => change.RotatedAsync("s3-forwarder", Answer, CancellationToken.None));

        Assert.Equal(
            "    warning: s3-forwarder has not connected again within a minute: docker compose logs s3-forwarder\n",
            errors.ToString()
        );
    }

    /// <summary>Lets time pass second by second, as fast as the program asks for it.</summary>
    async Task RunAsync(Func<DeviceChange, Task> change, Action<int>? eachSecond = null)
    {
        using var docker = new DockerEngine(engine.Socket);
        using var client = new HttpClient(http, disposeHandler: false);
        var project = new RunningProject(docker, Settings().Parse(), client);
        var running = change(new DeviceChange(docker, project, new Narrator(output, errors, isInteractive: false), clock));
        for (var second = 1; !running.IsCompleted; second++)
        {
            while (!running.IsCompleted && clock.NextDue is null)
                await Task.Yield();
            if (running.IsCompleted)
                break;
            eachSecond?.Invoke(second);
            clock.Advance(TimeSpan.FromSeconds(1));
        }
        await running;
    }
}
