using System.Text.Json.Nodes;
using ThermalStreaming.Hosting;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary><c>./check</c>: its steps, words, marks and exit codes, against an engine that answers as Docker does.</summary>
public sealed class InstallationCheckTests : IDisposable
{
    const string Mounts = "22 1 8:2 / / rw,noatime shared:1 - ext4 /dev/mmcblk0p2 rw,commit=600\n";
    const string Findings = """[{"name": "snowflake login", "outcome": "ok", "detail": "signed in", "cause": "", "fix": "", "ms": 12.4}]""";
    const string Failures =
        """[{"name": "s3 bucket", "outcome": "failed", "detail": "no [such] bucket", "cause": "It is gone.", "fix": "make it", "ms": 3}]""";

    readonly TempDirectory directory = new();
    bool? isClockSynchronised = true;

    public InstallationCheckTests()
    {
        File.WriteAllText(directory.File("mountinfo"), Mounts);
        Directory.CreateDirectory(directory.File("dev"));
    }

    public void Dispose() => directory.Dispose();

    static FakeContainer[] WellContainers()
    {
        FakeContainer[] all =
        [
            new()
            {
                Service = "setup",
                Status = "exited",
                Health = null,
                LogLimit = "5m",
            },
            new() { Service = "mosquitto" },
            new() { Service = "sensor-agent" },
            new() { Service = "snowpipe-forwarder" },
            new() { Service = "s3-forwarder" },
            new() { Service = "snowflake" },
        ];
        all[1].Commands["broker orphans"] = (0, "", "");
        foreach (var container in all[2..5])
            container.Commands[$"{container.Service} check --json"] = (0, Findings, "");
        return all;
    }

    static JsonObject Whole() => Project.With("setup", "mosquitto", "sensor-agent", "snowpipe-forwarder", "s3-forwarder", "snowflake");

    [Fact]
    public async Task A_well_installation_is_shown_in_the_order_machine_containers_services_and_ends_with_0()
    {
        await using var engine = new FakeEngine(WellContainers());

        var (code, text) = await CheckAsync(engine, Whole().Read());

        Assert.Equal(0, code);
        Assert.Equal(
            """
            this machine
            ✓ time                   2026-11-20T10:00:00Z, synchronised
            ✓ Docker                 Engine 20.10.24+dfsg1
            ✓ Compose                2.26.1
            ✓ disk                   /dev/mmcblk0p2, ext4, noatime
            ✓ free space             FREE at /var/lib/docker
            ✓ settings               readable; local stand-ins for Snowflake and S3
            ✓ I2C                    not needed: the environment is simulated
            ✓ home-mosquitto-1       runs, healthy
            ✓ home-s3-forwarder-1    runs, healthy
            ✓ home-sensor-agent-1    runs, healthy
            ✓ home-setup-1           did its work
            ✓ home-snowflake-1       runs, healthy
            ✓ home-snowpipe-forwarder-1 runs, healthy

            home-sensor-agent-1
            ✓ snowflake login        signed in (12 ms)

            home-snowpipe-forwarder-1
            ✓ snowflake login        signed in (12 ms)

            home-s3-forwarder-1
            ✓ snowflake login        signed in (12 ms)

            """,
            System.Text.RegularExpressions.Regex.Replace(text, "[0-9]+ MiB", "FREE")
        );
    }

    [Fact]
    public async Task A_name_in_env_that_nothing_reads_is_a_warning()
    {
        await using var engine = new FakeEngine(WellContainers());
        var project = Whole();
        project["x-thermal-sources"] = Convert.ToBase64String("S3_BUKET=x\n\x1dservices: { x: { image: '${S3_BUCKET}' } }\n"u8);

        var (code, text) = await CheckAsync(engine, project.Read());

        Assert.Equal(0, code);
        Assert.Contains("! .env                   S3_BUKET has no effect\n    cause: ", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_service_finds_is_shown_with_cause_and_fix_and_fails_the_whole()
    {
        var containers = WellContainers();
        containers[4].Commands["s3-forwarder check --json"] = (1, Failures, "");
        await using var engine = new FakeEngine(containers);

        var (code, text) = await CheckAsync(engine, Whole().Read());

        Assert.Equal(1, code);
        Assert.EndsWith(
            "home-s3-forwarder-1\n✗ s3 bucket              no [such] bucket (3 ms)\n    cause: It is gone.\n    fix:   make it\n",
            text,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Json_has_ok_machine_and_services_by_container()
    {
        var containers = WellContainers();
        containers[4].Commands["s3-forwarder check --json"] = (1, Failures, "");
        await using var engine = new FakeEngine([
            .. containers,
            new FakeContainer
            {
                Service = "s3-forwarder",
                Number = 2,
                Commands = { ["s3-forwarder check --json"] = (0, Findings, "") },
            },
        ]);

        var (code, document) = await JsonAsync(engine, Whole().Read());

        Assert.Equal(1, code);
        Assert.False((bool)document["ok"]!);
        Assert.Equal(
            ["time", "Docker", "Compose", "disk", "free space", "settings", "I2C"],
            document["machine"]!.AsArray().Take(7).Select(step => (string)step!["name"]!)
        );
        Assert.Equal(["name", "outcome", "detail", "cause", "fix"], document["machine"]![0]!.AsObject().Select(member => member.Key));
        Assert.Equal(
            ["home-sensor-agent-1", "home-snowpipe-forwarder-1", "home-s3-forwarder-1", "home-s3-forwarder-2"],
            document["services"]!.AsObject().Select(member => member.Key)
        );
        Assert.Equal("no [such] bucket", (string)document["services"]!["home-s3-forwarder-1"]![0]!["detail"]!);
        Assert.Equal(12.4, (double)document["services"]!["home-s3-forwarder-2"]![0]!["ms"]!);
    }

    [Fact]
    public async Task The_probe_goes_to_the_snowpipe_forwarder_alone()
    {
        var containers = WellContainers();
        containers[3].Commands["snowpipe-forwarder check --json --probe"] = (
            0,
            """[{"name": "probe row", "outcome": "ok", "detail": "committed", "cause": "", "fix": ""}]""",
            ""
        );
        await using var engine = new FakeEngine(containers);

        var (code, text) = await CheckAsync(engine, Whole().Read(), probe: true);

        Assert.Equal(0, code);
        Assert.Contains("✓ probe row              committed\n", text, StringComparison.Ordinal);
    }

    public static TheoryData<string, string, int, string?, string> States =>
        new()
        {
            {
                "setup",
                "exited",
                3,
                null,
                "✗ home-setup-1           ended with 3\n    cause: its last words\n    fix:   docker compose logs setup\n"
            },
            {
                "mosquitto",
                "running",
                0,
                "unhealthy",
                "✗ home-mosquitto-1       runs, but is unhealthy\n    cause: FAIL disk: full\n    fix:   see its own check below; docker "
                    + "compose logs mosquitto\n"
            },
            {
                "mosquitto",
                "running",
                0,
                "starting",
                "! home-mosquitto-1       is starting\n    cause: It was started less than a minute ago.\n    fix:   wait, then ./check "
                    + "again\n"
            },
            { "mosquitto", "running", 0, null, "✓ home-mosquitto-1       runs\n" },
            {
                "mosquitto",
                "exited",
                0,
                null,
                "✗ home-mosquitto-1       was stopped\n    cause: Somebody stopped it, or the machine was shut down.\n    fix:   ./up "
                    + "--no-build\n"
            },
            {
                "mosquitto",
                "exited",
                78,
                null,
                "✗ home-mosquitto-1       does not accept its settings\n    cause: its last words\n    fix:   correct .env, then ./up "
                    + "--no-build\n"
            },
            {
                "mosquitto",
                "exited",
                137,
                null,
                "✗ home-mosquitto-1       exited with code 137\n    cause: its last words\n    fix:   docker compose logs mosquitto; ./up "
                    + "--no-build\n"
            },
            {
                "mosquitto",
                "restarting",
                78,
                null,
                "✗ home-mosquitto-1       restarting: it does not accept its settings\n    cause: its last words\n    fix:   correct .env, "
                    + "then ./up --no-build\n"
            },
            {
                "mosquitto",
                "paused",
                0,
                null,
                "✗ home-mosquitto-1       paused, exit code 0\n    cause: its last words\n    fix:   docker compose logs mosquitto; ./up "
                    + "--no-build\n"
            },
        };

    [Theory]
    [MemberData(nameof(States))]
    public async Task Each_state_of_a_container_is_named_with_what_to_do(
        string service,
        string status,
        int exitCode,
        string? health,
        string expected
    )
    {
        var container = new FakeContainer
        {
            Service = service,
            Status = status,
            ExitCode = exitCode,
            Health = health,
            HealthLog = ["FAIL disk: full\nok slots\n", "ok all\n"],
        };
        container.Log.AddRange([(1, "first\n"), (2, "\x1b[31mits last words\x1b[0m\r\n")]);
        await using var engine = new FakeEngine(container);

        var (code, text) = await CheckAsync(engine, Project.With(service).Read());

        Assert.Contains(expected, text, StringComparison.Ordinal);
        Assert.Equal(expected.StartsWith('✗') ? 1 : 0, code);
    }

    [Fact]
    public async Task Containers_of_other_projects_and_of_compose_run_do_not_count()
    {
        await using var engine = new FakeEngine(
            new FakeContainer { Service = "mosquitto", Project = "other" },
            new FakeContainer { Service = "mosquitto", IsOneOff = true }
        );

        var (code, text) = await CheckAsync(engine, Project.With("mosquitto").Read());

        Assert.Equal(1, code);
        Assert.EndsWith(
            "✗ services               none was started\n    cause: There is no container of this project.\n    fix:   ./up\n",
            text,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_missing_container_is_named_unless_none_is_wanted()
    {
        await using var engine = new FakeEngine(new FakeContainer { Service = "keeper" });
        var project = Project.With("keeper", "mosquitto", "s3-forwarder", "snowpipe-forwarder");
        project["services"]!["s3-forwarder"]!["scale"] = 0;
        project["services"]!["snowpipe-forwarder"]!["deploy"] = new JsonObject { ["replicas"] = 0 };

        var (code, text) = await CheckAsync(engine, project.Read());

        Assert.Equal(1, code);
        Assert.Contains(
            "✗ mosquitto              has no container\n    cause: It was never started, or was removed.\n    fix:   ./up\n",
            text,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("forwarder", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_log_without_a_limit_is_a_warning()
    {
        await using var engine = new FakeEngine(new FakeContainer { Service = "keeper", LogLimit = null });

        var (code, text) = await CheckAsync(engine, Project.With("keeper").Read());

        Assert.Equal(0, code);
        Assert.Contains("! home-keeper-1 logs     have no size limit\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sessions_that_nobody_connects_to_are_named_with_the_command_that_adopts_them()
    {
        var broker = new FakeContainer { Service = "mosquitto" };
        broker.Commands["broker orphans"] = (0, "snowpipe-forwarder-0123abcd-slot-0 20\ns3-forwarder-0123abcd-slot-1 3\n", "");
        await using var engine = new FakeEngine(broker);

        var (code, text) = await CheckAsync(engine, Project.With("mosquitto").Read());

        Assert.Equal(0, code);
        Assert.Contains(
            "! broker session         nobody connects as snowpipe-forwarder-0123abcd-slot-0; the broker holds about 20 messages for it\n",
            text,
            StringComparison.Ordinal
        );
        Assert.Contains("adopt 0123abcd && docker compose restart\n", text, StringComparison.Ordinal);
        Assert.Contains("s3-forwarder-0123abcd-slot-1; the broker holds about 3 messages", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("exited", 78)]
    [InlineData("restarting", 1)]
    [InlineData("paused", 0)]
    public async Task A_container_like_it_answers_for_a_service_that_does_not_stay_up_and_is_removed(string status, int exitCode)
    {
        await using var engine = new FakeEngine(
            new FakeContainer
            {
                Service = "s3-forwarder",
                Status = status,
                ExitCode = exitCode,
            }
        );
        engine.Runs["check --json"] = (1, Failures, "");

        var (code, document) = await JsonAsync(engine, Project.With("s3-forwarder").Read());

        Assert.Equal(1, code);
        Assert.Equal(
            "no [such] bucket",
            (string)document["services"]!["s3-forwarder (not running: a container for this check)"]![0]!["detail"]!
        );
        var made = Assert.Single(engine.Made);
        Assert.Equal(
            ("thermal-streaming/s3-forwarder:dev", "1654:1654", "A=1", "True"),
            ((string)made["Image"]!, (string)made["User"]!, (string)made["Env"]![0]!, (string)made["Labels"]!["com.docker.compose.oneoff"]!)
        );
        Assert.Equal(
            ("home_default", "no", "data:/data:rw"),
            (
                (string)made["HostConfig"]!["NetworkMode"]!,
                (string)made["HostConfig"]!["RestartPolicy"]!["Name"]!,
                (string)made["HostConfig"]!["Binds"]![0]!
            )
        );
        Assert.Empty(made["HostConfig"]!["PortBindings"]!.AsObject());
        Assert.Equal(0, engine.LeftOver);
    }

    [Fact]
    public async Task A_service_that_cannot_check_itself_has_failed_with_its_reason()
    {
        await using var engine = new FakeEngine(new FakeContainer { Service = "sensor-agent" });

        var (code, text) = await CheckAsync(engine, Project.With("sensor-agent").Read());

        Assert.Equal(1, code);
        Assert.Contains(
            "✗ check                  the service could not check itself\n    cause: sensor-agent check --json: not found\n    fix:   "
                + "docker compose logs sensor-agent",
            text,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Settings_that_compose_cannot_read_end_the_check_after_the_machine()
    {
        await using var engine = new FakeEngine(WellContainers());

        var (code, text) = await CheckAsync(engine, new ReadSettings(null, "line 3: key cannot contain a space", "correct what it names"));

        Assert.Equal(1, code);
        Assert.Contains("✓ free space", text, StringComparison.Ordinal);
        Assert.EndsWith(
            "✗ settings               line 3: key cannot contain a space\n    cause: Compose cannot use the Compose files or .env.\n    "
                + "fix:   correct what it names\n",
            text,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("")]
    [InlineData("not JSON")]
    [InlineData("{}")]
    [InlineData("[]")]
    public void Output_that_is_not_compose_s_is_a_problem_of_the_settings(string text) =>
        Assert.Equal(
            (null, true),
            (
                ReadSettings.From(text).Project,
                ReadSettings.From(text).Problem.StartsWith("docker compose config: ", StringComparison.Ordinal)
            )
        );

    [Theory]
    [InlineData("20.10.24+dfsg1", true)]
    [InlineData("28.0.1", true)]
    [InlineData("20.10", true)]
    [InlineData("20.9.1", false)]
    [InlineData("19.03.15", false)]
    [InlineData("dev", false)]
    public async Task An_engine_older_than_20_10_ends_the_check(string version, bool isSupported)
    {
        await using var engine = new FakeEngine(WellContainers()) { Version = version };

        var (code, text) = await CheckAsync(engine, Whole().Read());

        Assert.Equal(isSupported ? 0 : 1, code);
        Assert.Contains($"{(isSupported ? '✓' : '✗')} Docker                 Engine {version}\n", text, StringComparison.Ordinal);
        Assert.Equal(isSupported, text.Contains("settings", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("1.12", "1.41")]
    [InlineData("1.44", "1.52")]
    [InlineData("1.12", "1.40")]
    public async Task It_speaks_a_version_of_the_api_that_the_engine_knows(string oldest, string newest)
    {
        await using var engine = new FakeEngine(WellContainers()) { Oldest = oldest, Newest = newest };

        Assert.Equal(0, (await CheckAsync(engine, Whole().Read())).Code);
    }

    [Fact]
    public async Task Without_an_engine_it_says_so()
    {
        var engine = new FakeEngine();
        await engine.DisposeAsync();

        var (code, text) = await CheckAsync(engine, Whole().Read());

        Assert.Equal(1, code);
        Assert.Contains("✗ Docker                 does not answer\n", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, "✓ time                   2026-11-20T10:00:00Z, synchronised")]
    [InlineData(false, "! time                   2026-11-20T10:00:00Z, not synchronised")]
    [InlineData(null, "! time                   2026-11-20T10:00:00Z; it is not known whether it is synchronised")]
    public async Task The_clock_is_as_the_kernel_says(bool? synchronised, string expected)
    {
        isClockSynchronised = synchronised;
        await using var engine = new FakeEngine(WellContainers());

        var (code, text) = await CheckAsync(engine, Whole().Read());

        Assert.Equal(0, code);
        Assert.Contains(expected, text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_kernel_answers_about_clock_and_files()
    {
        File.WriteAllText(directory.File("mine"), "");

        Assert.NotNull(new Kernel().IsClockSynchronised());
        Assert.Equal(
            Environment.IsPrivilegedProcess ? 0u : SystemCalls.GroupOf(directory.Path),
            SystemCalls.GroupOf(directory.File("mine"))
        );
        Assert.Null(SystemCalls.GroupOf(directory.File("missing")));
    }

    [Theory]
    [InlineData(null, false, false, "✓ I2C                    not needed: the environment is simulated")]
    [InlineData("simulate", true, false, "✓ I2C                    not needed: the environment is simulated")]
    [InlineData("hardware", false, false, "✗ I2C                    there is no /dev/i2c-*")]
    [InlineData("Auto", true, false, "✗ I2C                    /dev/i2c-1 is there, but the sensor-agent does not get it")]
    [InlineData("auto", true, true, "✓ I2C                    /dev/i2c-1, group ")]
    [InlineData("replay", true, false, "✓ I2C                    not needed: the environment is replayed")]
    public async Task Real_sensors_need_the_bus(string? source, bool hasBus, bool isGiven, string expected)
    {
        if (hasBus)
            await File.WriteAllTextAsync(directory.File("dev/i2c-1"), "");
        await using var engine = new FakeEngine(
            new FakeContainer { Service = "sensor-agent", Commands = { ["sensor-agent check --json"] = (0, Findings, "") } }
        );
        var project = Project.With("sensor-agent");
        project["services"]!["sensor-agent"]!["environment"]!["SOURCE"] = source;
        if (isGiven)
            project["services"]!["sensor-agent"]!["devices"] = new JsonArray(
                new JsonObject { ["source"] = "/dev/i2c-1", ["target"] = "/dev/i2c-1" }
            );

        var (code, text) = await CheckAsync(engine, project.Read());

        Assert.Contains(expected, text, StringComparison.Ordinal);
        Assert.Equal(expected.StartsWith('✗') ? 1 : 0, code);
    }

    [Theory]
    [InlineData("", "3", "✓ I2C                    /dev/i2c-3, group ")]
    [InlineData("3", "3", "✓ I2C                    /dev/i2c-3, group ")]
    [InlineData("1,3", "1 3", "✓ I2C                    /dev/i2c-1, group ")]
    [InlineData("", "", "✗ I2C                    /dev/i2c-1 is there, but the sensor-agent does not get it")]
    [InlineData("", "7", "✗ I2C                    /dev/i2c-1 is there, but the sensor-agent does not get it")]
    [InlineData("1, 3", "1", "✗ I2C                    /dev/i2c-3 of I2C_BUSES is there, but the sensor-agent does not get it")]
    [InlineData("1,7", "1 7", "✗ I2C                    there is no /dev/i2c-7, which I2C_BUSES names")]
    public async Task Any_bus_that_the_agent_gets_will_do_unless_the_settings_name_some(string wanted, string given, string expected)
    {
        foreach (var number in new[] { 1, 3 })
            await File.WriteAllTextAsync(directory.File($"dev/i2c-{number}"), "");
        await using var engine = new FakeEngine(
            new FakeContainer { Service = "sensor-agent", Commands = { ["sensor-agent check --json"] = (0, Findings, "") } }
        );
        var project = Project.With("sensor-agent");
        var agent = project["services"]!["sensor-agent"]!;
        agent["environment"]!["SOURCE"] = "hardware";
        agent["environment"]!["I2C_BUSES"] = wanted;
        var devices = given
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(number => (JsonNode)new JsonObject { ["source"] = $"/dev/i2c-{number}", ["target"] = $"/dev/i2c-{number}" });
        agent["devices"] = new JsonArray([.. devices]);

        var (code, text) = await CheckAsync(engine, project.Read());

        Assert.Contains(expected, text, StringComparison.Ordinal);
        Assert.Equal(expected.StartsWith('✗') ? 1 : 0, code);
    }

    public static TheoryData<string, string> Disks =>
        new()
        {
            { "22 1 8:2 / / rw,relatime - ext4 /dev/sda2 rw", "✓ disk                   /dev/sda2, ext4, relatime" },
            { "22 1 8:2 / / rw - ext4 /dev/sda2 rw", "! disk                   /dev/sda2, ext4, without noatime" },
            {
                "22 1 8:2 / / rw,relatime - ext4 /dev/sda2 ro",
                "✗ disk                   /var/lib/docker lies on /dev/sda2, which is read-only"
            },
            {
                "22 1 8:2 / / rw,noatime - ext4 /dev/sda2 rw,nobarrier,data=writeback",
                "✗ disk                   /dev/sda2 (ext4) is mounted with nobarrier,data=writeback"
            },
            { "22 1 0:2 / / rw,relatime - tmpfs tmpfs rw", "✗ disk                   /var/lib/docker lies in memory (tmpfs)" },
            { "22 1 0:2 / / rw,relatime - overlay overlay rw,lowerdir=/ro", "! disk                   /var/lib/docker lies on an overlay" },
            {
                "22 1 0:2 / / rw - tmpfs tmpfs rw\n23 22 8:1 / /var/lib/docker rw,noatime - ext4 /dev/sdb1 rw\n24 22 8:3 / "
                    + "/var/lib/docker2 ro - ext4 /dev/sdc1 ro",
                "✓ disk                   /dev/sdb1, ext4, noatime"
            },
            {
                "22 1 8:2 / / rw,noatime shared:1 master:2 - ext4 /dev/my\\040disk rw",
                "✓ disk                   /dev/my disk, ext4, noatime"
            },
            { "", "- disk                   /var/lib/docker is not visible from here" },
        };

    [Theory]
    [MemberData(nameof(Disks))]
    public async Task The_disk_under_docker_is_judged_by_its_mount(string mounts, string expected)
    {
        await File.WriteAllTextAsync(directory.File("mountinfo"), mounts);
        await using var engine = new FakeEngine(WellContainers());

        var (code, text) = await CheckAsync(engine, Whole().Read());

        Assert.Contains(expected, text, StringComparison.Ordinal);
        Assert.Equal(expected.StartsWith('✗') ? 1 : 0, code);
    }

    [Theory]
    [InlineData(299, CheckOutcome.Failed)]
    [InlineData(300, CheckOutcome.Warning)]
    [InlineData(2047, CheckOutcome.Warning)]
    [InlineData(2048, CheckOutcome.Ok)]
    public void Little_space_is_a_warning_and_none_a_failure(long free, CheckOutcome expected) =>
        Assert.Equal(
            (expected, $"{free} MiB at /var/lib/docker"),
            (MachineCheck.FreeSpace("/var/lib/docker", free).Outcome, MachineCheck.FreeSpace("/var/lib/docker", free).Detail)
        );

    [Theory]
    [InlineData("2.26.1-4", CheckOutcome.Ok)]
    [InlineData("v2.40.0", CheckOutcome.Ok)]
    [InlineData("5.0.0", CheckOutcome.Ok)]
    [InlineData("1.29.2", CheckOutcome.Failed)]
    [InlineData("", CheckOutcome.Failed)]
    public void Compose_2_or_later_is_needed(string version, CheckOutcome expected) =>
        Assert.Equal(expected, MachineCheck.Compose(version).Outcome);

    async Task<(int Code, string Text)> CheckAsync(FakeEngine engine, ReadSettings settings, bool probe = false)
    {
        using var output = new StringWriter();
        var code = await RunAsync(engine, settings, new CheckReport(Terminal.For(output)), probe);
        return (code, output.ToString());
    }

    async Task<(int Code, JsonNode Document)> JsonAsync(FakeEngine engine, ReadSettings settings)
    {
        using var output = new StringWriter();
        var report = new CheckReport(null);
        var code = await RunAsync(engine, settings, report, probe: false);
        report.WriteJson(output);
        return (code, JsonNode.Parse(output.ToString())!);
    }

    async Task<int> RunAsync(FakeEngine engine, ReadSettings settings, CheckReport report, bool probe)
    {
        using var docker = new DockerEngine(engine.Socket);
        var host = new HostView(directory.File("mountinfo"), directory.File("dev"), directory.Path, () => isClockSynchronised);
        return await new InstallationCheck(docker, host, report, new ManualClock()).RunAsync(
            "2.26.1",
            settings,
            probe,
            CancellationToken.None
        );
    }
}
