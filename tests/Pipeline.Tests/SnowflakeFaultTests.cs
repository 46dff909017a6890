using System.Text;
using ThermalStreaming.Readings;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>Whatever Snowflake answers, every reading is in the table once.</summary>
[Collection(nameof(ThermalRoad))]
public sealed class SnowflakeFaultTests(ThermalRoad pipeline, ITestOutputHelper output)
{
    [Theory]
    [InlineData("the reply to an append is lost after it was applied", "kind=lost_reply&endpoint=append&times=3")]
    [InlineData("the connection breaks before an append is applied", "kind=abort&endpoint=append&times=3")]
    [InlineData("appends are answered with 429", "kind=status&status=429&endpoint=append&times=2&retry_after=1")]
    [InlineData("appends are answered with 500", "kind=status&status=500&endpoint=append&times=3")]
    [InlineData("appends are answered with 503 and a bare string", "kind=status&status=503&endpoint=append&times=3")]
    [InlineData("everything is answered with 503", "kind=status&status=503&times=4")]
    [InlineData("the token is refused with 401 in mid-stream", "kind=status&status=401&endpoint=append&times=1")]
    [InlineData("the token is refused with 401 at a status call", "kind=status&status=401&endpoint=status&times=1")]
    [InlineData("the continuation token is called stale", "kind=status&status=400&endpoint=append&times=2")]
    [InlineData("appends are answered with 409", "kind=status&status=409&endpoint=append&times=2")]
    [InlineData("appends are answered with 410", "kind=status&status=410&endpoint=append&times=2")]
    [InlineData(
        "the pipe is invalid for six seconds, in which appends are answered with 200 and thrown away",
        "kind=invalid_pipe&seconds=6"
    )]
    [InlineData("answers are so slow that calls are given up", "kind=delay&delay=12s&endpoint=append&times=1")]
    public Task Every_reading_is_in_the_table_once_when(string happens, string fault) =>
        pipeline.ScenarioAsync(
            output,
            happens,
            async project =>
            {
                await using var fleet = Fleet.Publish(project, "fault", messagesPerSecond: 25, kinds: ReadingKind.Thermal);
                await fleet.MoreAsync(50);

                await project.Emulator.FailAsync(fault);
                await fleet.MoreAsync(100);
                await Until.TrueAsync(
                    "the fault has happened",
                    TimeSpan.FromSeconds(30),
                    async () => await project.Emulator.FaultsLeftAsync() == 0
                );

                await project.ExpectExactlyOnceAsync([fleet]);
            }
        );

    [Theory]
    [InlineData("reopening is answered with 409 at first", "kind=status&status=409&endpoint=open&times=3")]
    [InlineData("reopening is answered with 503 at first", "kind=status&status=503&endpoint=open&times=3")]
    [InlineData("the reply to the reopening is lost", "kind=lost_reply&endpoint=open&times=2")]
    [InlineData("the new token is refused at first", "kind=status&status=401&endpoint=open&times=1")]
    public Task Every_reading_is_in_the_table_once_when_the_channel_must_be_reopened_under_load_and(string happens, string fault) =>
        pipeline.ScenarioAsync(
            output,
            happens,
            async project =>
            {
                await using var fleet = Fleet.Publish(project, "reopen", messagesPerSecond: 25, kinds: ReadingKind.Thermal);
                await fleet.MoreAsync(50);

                await project.Emulator.FailAsync(fault);
                await project.Emulator.FailAsync("kind=invalidate&channel=*");
                await fleet.MoreAsync(100);
                await Until.TrueAsync(
                    "the fault has happened",
                    TimeSpan.FromSeconds(40),
                    async () => await project.Emulator.FaultsLeftAsync() == 0
                );

                await project.ExpectExactlyOnceAsync([fleet]);
            }
        );

    [Theory]
    [InlineData("1h")]
    [InlineData("-1h")]
    public Task Every_reading_is_in_the_table_once_when_the_clocks_of_both_sides_come_apart_by(string step) =>
        pipeline.ScenarioAsync(
            output,
            $"Snowflake's clock stepped by {step}, and back",
            async project =>
            {
                await using var fleet = Fleet.Publish(project, "clock", messagesPerSecond: 25, kinds: ReadingKind.Thermal);
                await fleet.MoreAsync(50);

                await project.Emulator.FailAsync($"kind=clock_skew&skew={step}");
                await fleet.MoreAsync(150);
                await project.Emulator.HealAsync();
                await fleet.MoreAsync(150);

                await project.ExpectExactlyOnceAsync([fleet]);
            }
        );

    [Fact]
    public Task A_channel_that_is_invalidated_while_nothing_is_sent_loses_nothing() =>
        pipeline.ScenarioAsync(
            output,
            "channels invalidated while their rows wait for the commit, and no more traffic comes",
            async project =>
            {
                await using var fleet = Fleet.Publish(project, "idle", messagesPerSecond: 25, kinds: ReadingKind.Thermal);
                await fleet.MoreAsync(50);
                await fleet.StopAsync();

                await project.Emulator.FailAsync("kind=invalidate&channel=*");

                await project.ExpectExactlyOnceAsync([fleet]);
                await Until.TrueAsync(
                    "every channel is whole again without any traffic",
                    TimeSpan.FromSeconds(60),
                    async () =>
                        (await project.Emulator.ChannelsAsync()).Any(channel =>
                            channel.GetProperty("channel_status_code").GetString() == "SUCCESS"
                        )
                );
            }
        );

    [Fact]
    public Task Rows_that_the_pipe_swallowed_are_reported_and_kept_as_dead_letters() =>
        pipeline.ScenarioAsync(
            output,
            "the pipe is invalid for one append, and nothing but the count of rows ever shows it",
            async project =>
            {
                const string service = PipelineProject.SnowpipeForwarder;
                var letters = await project.FigureAsync(service, "dead_letters_made");
                await using var fleet = Fleet.Publish(project, "swallowed", messagesPerSecond: 25, kinds: ReadingKind.Thermal);
                await fleet.MoreAsync(100);

                await project.Emulator.FailAsync("kind=invalid_pipe&endpoint=append&times=1");
                await fleet.MoreAsync(100);
                await Until.TrueAsync(
                    "the missing rows are reported",
                    TimeSpan.FromSeconds(90),
                    async () => await project.FigureAsync(service, "rows_missing") > 0
                );
                await fleet.StopAsync();
                var stopped = TimeProvider.System.GetTimestamp();
                await Until.TrueAsync("nothing is under way", TimeSpan.FromSeconds(60), () => project.IsDeliveredAsync(stopped));

                var missing = await project.FigureAsync(service, "rows_missing");
                var lost = fleet.Published - Arrived.From(await project.ThermalRowsAsync()).Of(fleet);
                // The rest are the agent's own.
                Assert.InRange(lost, 1, missing);
                Assert.True(await project.FigureAsync(service, "dead_letters_made") - letters >= missing);
                // The figure is of the process.
                await project.StopServiceAsync(service);
                await project.StartServiceAsync(service);
                await project.ReadyAsync();
            }
        );

    [Fact]
    public Task A_row_that_the_table_refuses_is_kept_as_a_dead_letter_and_stops_nothing() =>
        pipeline.ScenarioAsync(
            output,
            "a value that does not fit its column",
            async project =>
            {
                var before = await project.FigureAsync(PipelineProject.SnowpipeForwarder, "dead_letters_made");
                await using var fleet = Fleet.Publish(project, "refused", messagesPerSecond: 25, kinds: ReadingKind.Thermal);
                await fleet.MoreAsync(50);

                // A number as JSON and as a reading goes, but not as DECIMAL(10, 4).
                await fleet.PublishRawAsync(
                    ReadingKind.Thermal,
                    Encoding.UTF8.GetBytes("""{"device_id":"too-hot","boot_id":"b","sequence":1,"temperature":123456789.5}"""),
                    Payload.JsonContentType
                );
                await fleet.MoreAsync(50);

                await project.ExpectExactlyOnceAsync([fleet]);
                await Until.TrueAsync(
                    "the refused row is among the dead letters",
                    TimeSpan.FromSeconds(30),
                    async () => await project.FigureAsync(PipelineProject.SnowpipeForwarder, "dead_letters_made") > before
                );
                Assert.DoesNotContain(await project.ThermalRowsAsync(), row => row.GetProperty("device_id").GetString() == "too-hot");
            }
        );
}
