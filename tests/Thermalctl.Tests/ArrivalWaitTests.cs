using System.Globalization;
using System.Text.Json.Nodes;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>How <c>./up</c> waits for readings and what it shows, against an engine and services that answer as the real ones do.</summary>
public sealed class ArrivalWaitTests : IAsyncDisposable
{
    readonly FakeEngine engine = new();
    readonly FakeHttp http = new();
    readonly ManualClock clock = new();
    readonly StringWriter output = new() { NewLine = "\n" };
    readonly StringWriter errors = new() { NewLine = "\n" };
    int rows,
        objects;
    bool isLoading = true;

    public ArrivalWaitTests()
    {
        Add("sensor-agent", "10.0.0.1");
        Add("mosquitto", "10.0.0.2");
        Add("snowpipe-forwarder", "10.0.0.3");
        Add("s3-forwarder", "10.0.0.4");
        Add("snowflake", "10.0.0.5", health: "starting");
        Add("localstack", "10.0.0.6");
        engine.Containers.Add(
            new FakeContainer
            {
                Service = "setup",
                Status = "exited",
                Health = null,
            }
        );
        http.Answer("http://10.0.0.1:8080/status", """{"ready":true,"readings_taken":289,"readings_published":280,"parts":{"x":"ok"}}""");
        http.Answer("http://10.0.0.3:8080/status", """{"ready":true,"readings_in":100,"stored":100,"backlog":10,"lag_seconds":9.87}""");
        http.Answer(
            "http://10.0.0.4:8080/status",
            """{"ready":true,"readings_in":180,"stored":170,"backlog":180,"lag_seconds":0,"objects":5}"""
        );
        foreach (var address in new[] { 1, 3, 4 })
            http.Answer($"http://10.0.0.{address}:8080/readyz", "ok all\n");
        http.Answers["http://10.0.0.5:8090/emulator/tables"] = () =>
            (
                200,
                $$"""
                [{"name":"THERMAL_SENSOR_DATA","rows":{{rows}},"channels":[{"rows":99}]},
                {"name":"INVERTER_DATA_RAW","rows":{{(isLoading ? 10 * objects : 0)}}}]
                """
            );
        http.Answer("http://10.0.0.6:4566/bucket", "<ListBucketResult/>");
        http.Answers["http://10.0.0.6:4566/bucket?list-type=2&prefix=inverter%20data%2F"] = () => (200, Page(objects));
    }

    public async ValueTask DisposeAsync()
    {
        await engine.DisposeAsync();
        http.Dispose();
    }

    static JsonObject StandInsProject()
    {
        var project = Project.With("sensor-agent", "mosquitto", "snowpipe-forwarder", "s3-forwarder", "snowflake", "localstack", "setup");
        var services = project["services"]!;
        services["localstack"]!["environment"] = new JsonObject { ["S3_BUCKET"] = "bucket", ["S3_FILE_PREFIX"] = "inverter data/" };
        services["snowflake"]!["ports"] = new JsonArray(Published(8090, "28090"), Published(8443, "28443"));
        services["mosquitto"]!["ports"] = new JsonArray(Published(8883, "8883"), Published(1883, "21883"));
        return project;
    }

    static JsonObject Published(int target, string port) =>
        new()
        {
            ["mode"] = "ingress",
            ["host_ip"] = "127.0.0.1",
            ["target"] = target,
            ["published"] = port,
        };

    static string Page(int keys, string? next = null) =>
        $"""
            <?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bucket</Name>
            {string.Concat(Enumerable.Range(0, keys).Select(key => $"<Contents><Key>&lt;Key&gt;{key}</Key></Contents>"))}
            {(next is null ? "" : $"<NextContinuationToken>{next}</NextContinuationToken>")}</ListBucketResult>
            """;

    FakeContainer Add(string service, string address, string? health = "healthy", int number = 1)
    {
        var container = new FakeContainer
        {
            Service = service,
            Address = address,
            Health = health,
            Number = number,
        };
        engine.Containers.Add(container);
        return container;
    }

    FakeContainer Container(string service) => engine.Containers.Single(container => container.Service == service);

    [Fact]
    public async Task It_waits_until_both_roads_deliver_and_shows_figures_and_what_to_do_next()
    {
        rows = 40;
        objects = 7;

        await RunAsync(
            StandInsProject(),
            elapsed: TimeSpan.FromSeconds(100),
            second =>
            {
                rows = second >= 3 ? 70 : 40;
                objects = second >= 12 ? 11 : 7;
            }
        );

        Assert.Equal(
            """
            ==> Readings
                the stand-ins answer, after 0 s
                0 new rows in THERMAL_SENSOR_DATA, 0 new objects in the bucket, 0 new rows in INVERTER_DATA_RAW, 0 s
                30 new rows in THERMAL_SENSOR_DATA, 0 new objects in the bucket, 0 new rows in INVERTER_DATA_RAW, 10 s
                30 new rows in THERMAL_SENSOR_DATA, 4 new objects in the bucket, 40 new rows in INVERTER_DATA_RAW, after 12 s
            ==> Running, after 112 s
                service                state    readings in  committed  objects    lag
                sensor-agent           healthy          289        280        -      -
                mosquitto              healthy            -          -        -      -
                snowpipe-forwarder     healthy          100         90        -  9.9 s
                s3-forwarder           healthy          180          0        5  0.0 s
                snowflake              ready              -        180        -      -
                  THERMAL_SENSOR_DATA                     -         70        -      -
                  INVERTER_DATA_RAW                       -        110        -      -
                localstack             healthy            -          -       11      -
            ==> Next steps
                rows in Snowflake's stand-in   ./up sql sql/queries/01_views.sql, then ./up sql sql/queries/02_latest_and_freshness.sql
                objects in the table           ./up sql sql/classic/07_monitoring.sql
                clients of your own, HTTPS     https://127.0.0.1:28443, trusted through 'http://127.0.0.1:28090/emulator/ca.pem': docs/emulator.md
                objects in the bucket          docker compose exec localstack awslocal s3 ls --recursive s3://bucket/
                send a reading of your own     mosquitto_pub -p 21883 -u publisher -P "$(docker compose exec -T mosquitto cat /run/mqtt/password)" -q 1 -t telemetry/v1/demo/thermal -m '{"temperature": 21.5, "humidity": 40}'
                let a device publish           ./up --enroll my-esp32
                is everything well?            ./check
                follow the logs                docker compose logs -f
                four Snowflake forwarders      SNOWPIPE_FORWARDERS=4 in .env, then ./up --no-build
                real accounts, real sensors    .env.example and README.md
                stop, keep the data            ./up --down

            """,
            output.ToString()
        );
        Assert.Equal("", errors.ToString());
    }

    [Fact]
    public async Task The_figures_as_json_have_null_where_there_is_none()
    {
        var figures = await RunAsync(StandInsProject(), default, second => (rows, objects) = (second, second));

        using var json = new StringWriter();
        Figures.WriteJson(figures, json);
        var document = JsonNode.Parse(json.ToString())!.AsArray();
        Assert.Equal(
            ["service", "state", "readings_in", "committed", "objects", "lag_seconds", "tables"],
            document[0]!.AsObject().Select(member => member.Key)
        );
        Assert.Equal(
            ("sensor-agent", "healthy", 289, 280),
            (
                (string)document[0]!["service"]!,
                (string)document[0]!["state"]!,
                (long)document[0]!["readings_in"]!,
                (long)document[0]!["committed"]!
            )
        );
        Assert.Null(document[1]!["committed"]);
        Assert.Equal(9.9, (double)document[2]!["lag_seconds"]!);
    }

    [Fact]
    public async Task The_figures_of_replicas_are_added_and_their_states_counted()
    {
        Add("snowpipe-forwarder", "10.0.0.7", health: "starting", number: 2);
        Add("snowpipe-forwarder", "10.0.0.8", health: "healthy", number: 3).Status = "paused";
        http.Answer("http://10.0.0.7:8080/status", """{"ready":true,"readings_in":11,"stored":11,"backlog":1,"lag_seconds":30.04}""");

        var figures = await RunAsync(StandInsProject(), default, second => (rows, objects) = (second, second));

        var forwarder = Assert.Single(figures, figure => figure.Service == "snowpipe-forwarder");
        Assert.Equal(new Figure("snowpipe-forwarder", "1 healthy, 1 paused, 1 starting", 111, 100, null, 30.0), forwarder);
    }

    [Fact]
    public async Task A_bucket_of_several_pages_is_counted_to_its_end()
    {
        http.Answer("http://10.0.0.6:4566/bucket?list-type=2&prefix=inverter%20data%2F", Page(1000, "a+/b="));
        http.Answer("http://10.0.0.6:4566/bucket?list-type=2&prefix=inverter%20data%2F&continuation-token=a%2B%2Fb%3D", Page(234));
        using var docker = new DockerEngine(engine.Socket);
        using var client = new HttpClient(http, disposeHandler: false);
        var project = new RunningProject(docker, StandInsProject().Parse(), client);

        Assert.Equal(1234, await new StandIns(project).ObjectsAsync(await project.ReplicasAsync(default), default));
    }

    [Theory]
    [InlineData("<html>")]
    [InlineData("")]
    [InlineData("{}")]
    public async Task An_answer_that_is_not_the_stand_ins_own_counts_as_none(string text)
    {
        http.Answer("http://10.0.0.6:4566/bucket?list-type=2&prefix=inverter%20data%2F", text);
        http.Answer("http://10.0.0.5:8090/emulator/tables", text);
        using var docker = new DockerEngine(engine.Socket);
        using var client = new HttpClient(http, disposeHandler: false);
        var project = new RunningProject(docker, StandInsProject().Parse(), client);
        var replicas = await project.ReplicasAsync(default);

        Assert.Equal(
            (null, null),
            (await new StandIns(project).ObjectsAsync(replicas, default), await new StandIns(project).RowsAsync(replicas, default))
        );
    }

    [Fact]
    public async Task Stand_ins_that_do_not_answer_yet_are_waited_for()
    {
        http.Answer("http://10.0.0.6:4566/bucket", "no such bucket", 404);

        await RunAsync(
            StandInsProject(),
            default,
            second =>
            {
                if (second == 4)
                    http.Answer("http://10.0.0.6:4566/bucket", "<ListBucketResult/>");
                (rows, objects) = (second, second);
            }
        );

        Assert.StartsWith(
            "==> Readings\n    the stand-ins do not answer yet, 0 s\n    the stand-ins answer, after 4 s\n",
            output.ToString(),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(
        "exited",
        78,
        "failed: snowpipe-forwarder does not accept its settings. config: SNOWFLAKE_PIPE is not set. To fix it: correct .env (see "
            + ".env.example), then ./up again\n"
    )]
    [InlineData(
        "restarting",
        78,
        "failed: snowpipe-forwarder does not accept its settings. config: SNOWFLAKE_PIPE is not set. To fix it: correct .env (see "
            + ".env.example), then ./up again\n"
    )]
    [InlineData(
        "restarting",
        1,
        "failed: snowpipe-forwarder does not stay up (exit code 1). Its last log line: config: SNOWFLAKE_PIPE is not set. To fix it: "
            + "docker compose logs snowpipe-forwarder; docker compose run --rm snowpipe-forwarder check\n"
    )]
    [InlineData(
        "exited",
        0,
        "failed: snowpipe-forwarder does not stay up (exit code 0). Its last log line: config: SNOWFLAKE_PIPE is not set. To fix it: "
            + "docker compose logs snowpipe-forwarder; docker compose run --rm snowpipe-forwarder check\n"
    )]
    public async Task It_stops_at_once_when_a_container_ended_that_should_run(string status, int code, string expected)
    {
        var forwarder = Container("snowpipe-forwarder");
        (forwarder.Status, forwarder.ExitCode, forwarder.Health) = (status, code, null);
        forwarder.Log.AddRange(
            Enumerable
                .Range(1, 9)
                .Select(line => ((byte)1, $"line {line}\n"))
                .Append(((byte)2, "\x1b[31mconfig: SNOWFLAKE_PIPE is not set.\x1b[0m\r\n"))
        );

        var failure = await Assert.ThrowsAsync<FailureException>(() => RunAsync(StandInsProject(), default, _ => { }));

        Assert.Equal(
            string.Concat(Enumerable.Range(3, 7).Select(line => $"    snowpipe-forwarder | line {line}\n"))
                + "    snowpipe-forwarder | config: SNOWFLAKE_PIPE is not set.\n",
            errors.ToString()
        );
        Assert.Equal(expected, $"failed: {failure.Message}\n");
        Assert.Equal(TimeSpan.Zero, clock.GetElapsedTime(0));
    }

    [Fact]
    public async Task Setup_that_ended_badly_stops_the_wait()
    {
        Container("setup").ExitCode = 1;

        Assert.StartsWith(
            "setup does not stay up (exit code 1). Its last log line: none. ",
            (await Assert.ThrowsAsync<FailureException>(() => RunAsync(StandInsProject(), default, _ => { }))).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task After_its_time_it_gives_up_with_what_the_late_service_complains_of()
    {
        http.Answer("http://10.0.0.1:8080/readyz", "FAIL outbox: full\n", 503);
        http.Answer("http://10.0.0.4:8080/readyz", "ok mqtt\nFAIL delivery slot-0: no such bucket 17 times\n", 503);

        var failure = await Assert.ThrowsAsync<FailureException>(() =>
            RunAsync(
                StandInsProject(),
                default,
                second =>
                {
                    rows = second;
                    http.Answer("http://10.0.0.4:8080/readyz", $"FAIL delivery slot-0: no such bucket {second} times\n", 503);
                }
            )
        );

        Assert.Equal(
            "readings were not delivered on both roads within 180 s (181 new rows in THERMAL_SENSOR_DATA, 0 new objects in the bucket, "
                + "0 new rows in INVERTER_DATA_RAW). s3-forwarder: delivery slot-0: no such bucket 181 times. To fix it: docker compose exec s3-forwarder "
                + "s3-forwarder check; docker compose logs s3-forwarder",
            failure.Message
        );
        // Once, although the number in it changes.
        Assert.Equal("    warning: s3-forwarder: delivery slot-0: no such bucket 20 times\n", errors.ToString());
    }

    [Fact]
    public async Task Objects_that_do_not_reach_the_table_are_waited_for_and_then_named()
    {
        isLoading = false;

        var failure = await Assert.ThrowsAsync<FailureException>(() =>
            RunAsync(StandInsProject(), default, second => (rows, objects) = (second, second))
        );

        Assert.Contains("0 new rows in INVERTER_DATA_RAW", failure.Message, StringComparison.Ordinal);
        Assert.Contains("docker compose logs snowflake localstack", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("s3-forwarder", "scale", "0", "    no s3-forwarder runs (S3_FORWARDERS=0), so ./up does not wait for inverter readings\n")]
    [InlineData(
        "sensor-agent",
        "INVERTERS_NUM",
        "0",
        "    no inverters are read (INVERTERS_NUM=0), so ./up does not wait for their readings\n"
    )]
    [InlineData("s3-forwarder", "S3_BATCH_LINGER", "1h", "    inverter readings wait 1h for a fuller batch (S3_BATCH_LINGER): ")]
    public async Task Inverter_readings_that_the_settings_rule_out_are_not_waited_for(
        string service,
        string name,
        string value,
        string line
    )
    {
        var project = StandInsProject();
        if (name == "scale")
            project["services"]![service]![name] = int.Parse(value, CultureInfo.InvariantCulture);
        else
            project["services"]![service]!["environment"]![name] = value;

        await RunAsync(project, default, second => rows = second);

        Assert.Contains($"0 new rows in INVERTER_DATA_RAW, after 1 s\n{line}", output.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(540)]
    public async Task While_the_agent_takes_no_inverter_reading_none_is_waited_for(int taken)
    {
        Takes(taken);

        await RunAsync(StandInsProject(), default, second => rows = second);

        Assert.Contains(
            "0 new rows in INVERTER_DATA_RAW, after 30 s\n    the sensor-agent has taken no inverter reading for 30 s, so ./up does "
                + "not wait for one",
            output.ToString(),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(true, "")]
    [InlineData(false, "FAIL outbox inverter: full\n")]
    public async Task Inverter_readings_that_are_taken_or_that_something_hinders_have_to_arrive(bool isTaken, string complaint)
    {
        Takes(100);
        http.Answer("http://10.0.0.1:8080/readyz", complaint, complaint.Length > 0 ? 503 : 200);

        var failure = await Assert.ThrowsAsync<FailureException>(() =>
            RunAsync(
                StandInsProject(),
                default,
                second =>
                {
                    rows = second;
                    // The agent was restarted: it counts from the beginning.
                    if (isTaken && second == 20)
                        Takes(60);
                }
            )
        );

        Assert.StartsWith("readings were not delivered on both roads within 180 s ", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Objects_are_waited_for_as_long_as_the_forwarder_collects_readings()
    {
        var project = StandInsProject();
        project["services"]!["s3-forwarder"]!["environment"]!["S3_BATCH_LINGER"] = "2m";

        await RunAsync(project, default, second => (rows, objects) = (second, second < 250 ? 0 : 1));

        Assert.Contains(
            "1 new objects in the bucket, 10 new rows in INVERTER_DATA_RAW, after 250 s\n",
            output.ToString(),
            StringComparison.Ordinal
        );
    }

    void Takes(int inverterReadings) =>
        http.Answer(
            "http://10.0.0.1:8080/status",
            $$"""{"ready":true,"readings_taken":900,"inverter_readings_taken":{{inverterReadings}},"readings_published":280}"""
        );

    [Fact]
    public async Task Without_a_complaint_the_unhealthy_container_is_the_reason()
    {
        Container("mosquitto").Health = "unhealthy";

        var failure = await Assert.ThrowsAsync<FailureException>(() => RunAsync(StandInsProject(), default, _ => { }));

        Assert.Contains(
            "). mosquitto is unhealthy. To fix it: docker compose exec snowpipe-forwarder snowpipe-forwarder check; docker compose logs "
                + "snowpipe-forwarder",
            failure.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task With_real_accounts_it_waits_for_the_health_of_every_service()
    {
        engine.Containers.RemoveAll(container => container.Service is "snowflake" or "localstack");
        Container("s3-forwarder").Health = "starting";

        await RunAsync(
            Project.With("sensor-agent", "mosquitto", "snowpipe-forwarder", "s3-forwarder", "setup"),
            default,
            second =>
            {
                if (second == 25)
                    Container("s3-forwarder").Health = "healthy";
            }
        );

        Assert.StartsWith(
            "==> Services\n    3 of 4 services are ready, 0 s\n    3 of 4 services are ready, 10 s\n    3 of 4 services are ready, 20 s\n  "
                + "  4 of 4 services are ready, after 25 s\n==> Running, after 25 s\n",
            output.ToString(),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("stand-in", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task On_a_terminal_progress_is_written_over_itself()
    {
        await RunAsync(StandInsProject(), default, second => (rows, objects) = (second / 2, second / 2), isInteractive: true);

        Assert.Contains(
            "\r\x1b[K    0 new rows in THERMAL_SENSOR_DATA, 0 new objects in the bucket, 0 new rows in INVERTER_DATA_RAW, 1 s\r\x1b[K    1 new rows",
            output.ToString(),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("20.10.24", true)]
    [InlineData("27.5.1", true)]
    [InlineData("28.0.0", false)]
    public async Task Engines_that_let_neighbours_in_are_named_with_the_ports(string version, bool warns)
    {
        engine.Version = version;
        Container("mosquitto").Ports[1883] = 21883;
        Container("mosquitto").Ports[8883] = 8883;

        await RunAsync(StandInsProject(), default, second => (rows, objects) = (second, second));

        Assert.Equal(
            warns,
            errors
                .ToString()
                .Contains(
                    $"    warning: Docker Engine {version} lets other machines of the same network reach ports on 127.0.0.1 (8883 21883).",
                    StringComparison.Ordinal
                )
        );
    }

    /// <summary>Lets time pass second by second, as fast as the program asks for it.</summary>
    async Task<IReadOnlyList<Figure>> RunAsync(JsonObject settings, TimeSpan elapsed, Action<int> eachSecond, bool isInteractive = false)
    {
        using var docker = new DockerEngine(engine.Socket);
        using var client = new HttpClient(http, disposeHandler: false);
        var project = new RunningProject(docker, settings.Parse(), client);
        var running = new ArrivalWait(docker, project, new Narrator(output, errors, isInteractive), clock).RunAsync(
            elapsed,
            CancellationToken.None
        );
        for (var second = 1; !running.IsCompleted; second++)
        {
            while (!running.IsCompleted && clock.NextDue is null)
                await Task.Yield();
            if (running.IsCompleted)
                break;
            eachSecond(second);
            clock.Advance(TimeSpan.FromSeconds(1));
        }
        return await running;
    }
}
