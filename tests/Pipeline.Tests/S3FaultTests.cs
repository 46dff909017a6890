using ThermalStreaming.Readings;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>Whatever S3 does, every reading is in one object, once.</summary>
[Collection(nameof(InverterRoad))]
public sealed class S3FaultTests(InverterRoad pipeline, ITestOutputHelper output)
{
    [Fact]
    public Task Every_reading_is_in_the_bucket_once_when_uploads_fail_in_every_way() =>
        pipeline.ScenarioAsync(
            output,
            "uploads through a proxy that spoils them",
            async project =>
            {
                await using var proxy = await Proxy.StartAsync(await project.GatewayAsync(), project.Bucket.Address);
                await project.RecreateAsync(
                    PipelineProject.S3Forwarder,
                    new Dictionary<string, string> { ["TEST_S3_ENDPOINT_URL"] = proxy.Address.ToString() }
                );
                await using var fleet = Fleet.Publish(project, "upload", kinds: ReadingKind.Inverter);

                foreach (
                    var (fault, times) in new[]
                    {
                        (ProxyFault.LoseReply, 6),
                        (ProxyFault.SlowDown, 6),
                        (ProxyFault.Abort, 4),
                        (ProxyFault.InternalError, 4),
                        (ProxyFault.Slow, 2),
                    }
                )
                {
                    Progress.Say($"  {times} uploads: {fault}");
                    var before = proxy.Spoiled;
                    proxy.Spoil(fault, times);
                    await fleet.MoreAsync(30);
                    await Until.TrueAsync(
                        $"{times} uploads met {fault}",
                        TimeSpan.FromSeconds(90),
                        () => Task.FromResult(proxy.Spoiled >= before + times)
                    );
                }

                await project.ExpectExactlyOnceAsync([fleet], TimeSpan.FromMinutes(2));
                Assert.True(proxy.PreconditionFailed > 0, "no upload was answered with 412, so nothing shows that a repeat is recognised");
                await project.RecreateAsync(PipelineProject.S3Forwarder, new Dictionary<string, string>());
            }
        );

    [Fact]
    public Task Every_reading_is_in_the_bucket_once_when_S3_freezes_for_a_while() =>
        pipeline.ScenarioAsync(
            output,
            "S3 frozen for 15 s",
            async project =>
            {
                await using var fleet = Fleet.Publish(project, "frozen", kinds: ReadingKind.Inverter);
                await fleet.MoreAsync(50);

                await project.PauseAsync(PipelineProject.S3);
                await Until.PauseAsync(TimeSpan.FromSeconds(15));
                await project.UnpauseAsync(PipelineProject.S3);

                await project.ExpectExactlyOnceAsync([fleet]);
            }
        );

    [Fact]
    public Task Every_reading_is_in_the_right_bucket_once_after_its_name_was_wrong_for_a_while() =>
        pipeline.ScenarioAsync(
            output,
            "a wrong bucket, corrected later",
            async project =>
            {
                await using var fleet = Fleet.Publish(project, "bucket", kinds: ReadingKind.Inverter);
                (
                    await project.ComposeAsync(
                        ["up", "--detach", "--no-build", "--no-deps", PipelineProject.S3Forwarder],
                        changed: new Dictionary<string, string> { ["S3_BUCKET"] = "no-such-bucket" }
                    )
                ).OrThrow();
                await fleet.MoreAsync(100);

                await project.RecreateAsync(PipelineProject.S3Forwarder, new Dictionary<string, string>());

                await project.ExpectExactlyOnceAsync([fleet]);
            }
        );
}
