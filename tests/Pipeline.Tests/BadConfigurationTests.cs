using System.Globalization;
using System.Text.RegularExpressions;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>
/// A wrong setting ends with exit code 78 and a line that names it, or is retried with a warning that explains it; never with a stack
/// trace.
/// </summary>
[Collection(nameof(WholePipeline))]
public sealed partial class BadConfigurationTests(WholePipeline pipeline, ITestOutputHelper output)
{
    static readonly string[] ownDirectory = ["--env", "DATA_DIRECTORY=/tmp/data"];

    [Theory]
    [InlineData("snowpipe-forwarder", "SNOWFLAKE_ACCOUNT=", "SNOWFLAKE_ACCOUNT is not set")]
    [InlineData("snowpipe-forwarder", "SNOWFLAKE_ACCOUNT=not an account", "SNOWFLAKE_ACCOUNT is 'not an account'")]
    [InlineData("snowpipe-forwarder", "SNOWFLAKE_ACCOUNT=https://example.com/login", "SNOWFLAKE_ACCOUNT is 'https://example.com/login'")]
    [InlineData(
        "snowpipe-forwarder",
        "SNOWFLAKE_PRIVATE_KEY_FILE=/keys/not-there.p8",
        "SNOWFLAKE_PRIVATE_KEY_FILE is '/keys/not-there.p8'"
    )]
    [InlineData("snowpipe-forwarder", "SNOWFLAKE_PIPE=", "SNOWFLAKE_PIPE is not set")]
    [InlineData("snowpipe-forwarder", "MQTT_PORT=70000", "MQTT_PORT is '70000'")]
    [InlineData("snowpipe-forwarder", "SNOWPIPE_BATCH_LINGER=soon", "SNOWPIPE_BATCH_LINGER is 'soon'")]
    [InlineData("snowpipe-forwarder", "MAPPINGS=hue", "MAPPINGS names 'hue', which is not ready-made")]
    [InlineData("s3-forwarder", "MAPPINGS_FILE=/nowhere.yaml", "The mapping file /nowhere.yaml cannot be read")]
    [InlineData("s3-forwarder", "S3_BUCKET=", "S3_BUCKET is not set")]
    [InlineData("s3-forwarder", "S3_BUCKET=s3://bucket", "S3_BUCKET is 's3://bucket'")]
    [InlineData("s3-forwarder", "NUM_FILES=0", "NUM_FILES is '0'")]
    [InlineData("s3-forwarder", "AWS_SECRET_ACCESS_KEY=", "AWS_SECRET_ACCESS_KEY is not set")]
    [InlineData("sensor-agent", "BATCH_SIZE=many", "BATCH_SIZE is 'many'")]
    [InlineData("sensor-agent", "DEVICE_ID=a/b", "DEVICE_ID is 'a/b'")]
    [InlineData("sensor-agent", "MQTT_PASSWORD_FILE=/run/mqtt/nothing", "MQTT_PASSWORD_FILE")]
    public Task A_setting_that_cannot_work_ends_with_exit_code_78_and_says_which(string service, string setting, string says) =>
        pipeline.ScenarioAsync(
            output,
            $"{service} with {setting}",
            async project =>
            {
                var ended = await project.ComposeAsync(
                    ["run", "--rm", "--no-deps", "--no-TTY", "--env", "DATA_DIRECTORY=/tmp/data", "--env", setting, service],
                    TimeSpan.FromMinutes(2)
                );

                Assert.True(ended.ExitCode == 78, $"exit code {ended.ExitCode}:\n{ended.Text}");
                Assert.Contains(says, ended.Errors, StringComparison.Ordinal);
                ExpectNoStackTrace(ended.Text);
            }
        );

    [Fact]
    public Task Every_problem_is_named_at_once() =>
        pipeline.ScenarioAsync(
            output,
            "three wrong settings in one go",
            async project =>
            {
                var ended = await project.ComposeAsync(
                    [
                        "run",
                        "--rm",
                        "--no-deps",
                        "--no-TTY",
                        "--env",
                        "SNOWFLAKE_USER=",
                        "--env",
                        "SNOWFLAKE_PIPE=",
                        "--env",
                        "SLOTS=0",
                        "snowpipe-forwarder",
                    ],
                    TimeSpan.FromMinutes(2)
                );

                Assert.Equal(78, ended.ExitCode);
                Assert.Equal(3, Lines(ended.Errors).Count(line => line.StartsWith("config: ", StringComparison.Ordinal)));
            }
        );

    [Theory]
    [InlineData("sensor-agent", "MQTT_HOST=no-such-broker", "no-such-broker")]
    [InlineData("snowpipe-forwarder", "MQTT_HOST=no-such-broker", "no-such-broker")]
    [InlineData("snowpipe-forwarder", "SNOWFLAKE_URL=http://no-such-host:8090", "no-such-host")]
    [InlineData("snowpipe-forwarder", "SNOWFLAKE_PIPE=NO_SUCH_PIPE", "NO_SUCH_PIPE")]
    [InlineData("snowpipe-forwarder", "SNOWFLAKE_USER=SOMEBODY_ELSE", "SNOWFLAKE_USER")]
    [InlineData("s3-forwarder", "MQTT_PORT=1", "mosquitto:1")]
    [InlineData("s3-forwarder", "S3_BUCKET=no-such-bucket", "no-such-bucket")]
    [InlineData("s3-forwarder", "S3_ENDPOINT_URL=http://no-such-host:4566", "no-such-host")]
    public Task What_cannot_be_reached_is_explained_and_either_tried_again_or_given_up_with_78(
        string service,
        string setting,
        string names
    ) =>
        pipeline.ScenarioAsync(
            output,
            $"{service} with {setting}",
            async project =>
            {
                // A forwarder works on the volume of the real one: what it takes from the broker in its short life is in a slot that the
                // real
                // one adopts.
                var name = $"{project.Name}-bad-{Guid.NewGuid():N}";
                (
                    await project.ComposeAsync(
                        [
                            "run",
                            "--detach",
                            "--name",
                            name,
                            "--no-deps",
                            "--env",
                            setting,
                            .. service == PipelineProject.Agent ? ownDirectory : [],
                            service,
                        ],
                        TimeSpan.FromMinutes(2)
                    )
                ).OrThrow();
                var log = "";
                try
                {
                    await Until.TrueAsync(
                        $"its log explains it and names {names}",
                        TimeSpan.FromMinutes(2),
                        async () =>
                        {
                            log = (await Docker.TryAsync("logs", name)).Text;
                            return Lines(log)
                                .Any(line =>
                                    line.Contains(names, StringComparison.OrdinalIgnoreCase)
                                    && (line.StartsWith("config: ", StringComparison.Ordinal) || Warning().IsMatch(line))
                                );
                        },
                        () => $"Its log:\n{log}"
                    );
                    ExpectNoStackTrace(log);
                    var code = await Docker.RunAsync("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", name);
                    Assert.True(code is "running 0" or "exited 78", code);
                }
                finally
                {
                    await Docker.TryAsync("rm", "--force", "--volumes", name);
                }
            }
        );

    [Fact]
    public Task Readings_that_a_replica_took_but_could_not_deliver_are_delivered_by_another_after_its_end() =>
        pipeline.ScenarioAsync(
            output,
            "a replica that cannot sign in, killed after a while",
            async project =>
            {
                var name = $"{project.Name}-stranger-{Guid.NewGuid():N}";
                await using var fleet = Fleet.Publish(project, "stranger", kinds: Readings.ReadingKind.Thermal);
                (
                    await project.ComposeAsync(
                        [
                            "run",
                            "--detach",
                            "--name",
                            name,
                            "--no-deps",
                            "--env",
                            "SNOWFLAKE_USER=SOMEBODY_ELSE",
                            PipelineProject.SnowpipeForwarder,
                        ],
                        TimeSpan.FromMinutes(2)
                    )
                ).OrThrow();
                await fleet.MoreAsync(200);

                await Docker.TryAsync("rm", "--force", "--volumes", name);

                await project.ExpectExactlyOnceAsync([fleet]);
            }
        );

    [Theory]
    [InlineData("sensor-agent", "MQTT_HOST=no-such-broker", "no-such-broker")]
    [InlineData("snowpipe-forwarder", "SNOWFLAKE_PIPE=NO_SUCH_PIPE", "NO_SUCH_PIPE")]
    [InlineData("s3-forwarder", "S3_BUCKET=no-such-bucket", "no-such-bucket")]
    public Task Check_finds_it_and_says_how_to_fix_it(string service, string setting, string names) =>
        pipeline.ScenarioAsync(
            output,
            $"{service} check with {setting}",
            async project =>
            {
                var ended = await project.ComposeAsync(
                    ["run", "--rm", "--no-deps", "--no-TTY", "--env", "DATA_DIRECTORY=/tmp/data", "--env", setting, service, "check"],
                    TimeSpan.FromSeconds(60)
                );

                Assert.True(ended.ExitCode == 1, $"exit code {ended.ExitCode}:\n{ended.Text}");
                Assert.Contains(names, ended.Output, StringComparison.OrdinalIgnoreCase);
                Assert.Contains("fix:", ended.Output, StringComparison.Ordinal);
                ExpectNoStackTrace(ended.Text);
            }
        );

    [Theory]
    [InlineData("sensor-agent")]
    [InlineData("snowpipe-forwarder")]
    [InlineData("s3-forwarder")]
    public Task Check_passes_where_everything_is_well(string service) =>
        pipeline.ScenarioAsync(
            output,
            $"{service} check",
            async project =>
            {
                var ended = await project.ExecuteAsync(service, "check");

                Assert.True(ended.ExitCode == 0, string.Create(CultureInfo.InvariantCulture, $"exit code {ended.ExitCode}:\n{ended.Text}"));
            }
        );

    static IEnumerable<string> Lines(string text) => text.Split('\n').Select(line => line.TrimEnd());

    static void ExpectNoStackTrace(string text)
    {
        Assert.DoesNotMatch("(?m)^ *at [A-Za-z_][A-Za-z0-9_.`<>]*\\(.*\\)", text);
        Assert.DoesNotContain("Unhandled exception", text, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"\b(warn|fail|crit)\b")]
    private static partial Regex Warning();
}
