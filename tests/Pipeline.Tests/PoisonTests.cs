using System.Text;
using ThermalStreaming.Readings;
using static ThermalStreaming.Pipeline.Tests.PipelineProject;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>Messages that cannot be read, mixed into the stream.</summary>
[Collection(nameof(WholePipeline))]
public sealed class PoisonTests(WholePipeline pipeline, ITestOutputHelper output)
{
    [Fact]
    public Task Messages_that_cannot_be_read_are_kept_with_a_reason_and_stop_nothing() =>
        pipeline.ScenarioAsync(
            output,
            "poison in the stream",
            async project =>
            {
                var letters = new[]
                {
                    await project.FigureAsync(SnowpipeForwarder, "dead_letters_made"),
                    await project.FigureAsync(S3Forwarder, "dead_letters_made"),
                };
                await using var fleet = Fleet.Publish(project, "poison");
                await fleet.MoreAsync(30);
                var poison = Poison(fleet.Devices[0]).ToList();

                foreach (var (payload, contentType) in poison)
                {
                    await fleet.PublishRawAsync(ReadingKind.Thermal, payload, contentType);
                    await fleet.PublishRawAsync(ReadingKind.Inverter, payload, contentType);
                    await fleet.MoreAsync(5);
                }

                await project.ExpectExactlyOnceAsync([fleet]);
                // An empty payload deletes a retained message and says nothing else.
                var kept = poison.Count(message => message.Payload.Length > 0);
                Assert.Equal(letters[0] + kept, await project.FigureAsync(SnowpipeForwarder, "dead_letters_made"));
                Assert.Equal(letters[1] + kept, await project.FigureAsync(S3Forwarder, "dead_letters_made"));
            }
        );

    static IEnumerable<(byte[] Payload, string? ContentType)> Poison(Numbered device)
    {
        var good = device.Protobuf(ReadingKind.Thermal, 1_000_000, 3);
        var garbage = new byte[5_000_000];
        new Random(1).NextBytes(garbage);
        garbage[0] = 0xFF;
        yield return ([], Payload.ProtobufContentType);
        yield return ([], Payload.JsonContentType);
        yield return ([], null);
        yield return ([0xFF, 0xFE, 0xFD], null);
        yield return (good[..^7], Payload.ProtobufContentType);
        yield return (good, Payload.JsonContentType);
        yield return (garbage, Payload.ProtobufContentType);
        yield return (garbage, Payload.JsonContentType);
        yield return (Text("{"), null);
        yield return (Text("[]"), Payload.JsonContentType);
        yield return (Text("[1, 2, 3]"), Payload.JsonContentType);
        yield return (Text("\"reading\""), Payload.JsonContentType);
        yield return (Text("""{"temperature": "warm", "sequence": {}}"""), Payload.JsonContentType);
        yield return (Text("""{"device_id": 7}"""), Payload.JsonContentType);
        yield return (Text("""{"sequence": -1}"""), Payload.JsonContentType);
        yield return (Text("""{"temperature": 1e}"""), Payload.JsonContentType);
        yield return (Text(new string('[', 5_000)), Payload.JsonContentType);
        yield return ([.. Text("{\"host\": \""), 0xC3, 0x28, .. Text("\"}")], Payload.JsonContentType);
    }

    static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);
}
