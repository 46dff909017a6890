namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>What <c>./up --no-build</c> says when an image was never built or loaded.</summary>
public sealed class OwnImagesTests
{
    [Fact]
    public async Task An_image_that_is_missing_is_named()
    {
        await using var engine = new FakeEngine();
        engine.Images.AddRange(["thermal-streaming/mosquitto:dev", "thermal-streaming/s3-forwarder:other"]);

        Assert.Equal(
            "there is no image thermal-streaming/s3-forwarder:dev. --no-build starts only images that were built or loaded before. To fix it: "
                + "correct IMAGE_TAG in .env ('docker image ls' lists the images), or run ./up without --no-build",
            await ProblemAsync(engine, "mosquitto", "s3-forwarder")
        );

        engine.Images.Add("thermal-streaming/s3-forwarder:dev");
        Assert.Null(await ProblemAsync(engine, "mosquitto", "s3-forwarder"));
    }

    [Theory]
    [InlineData("localstack/localstack:4.14.0")]
    [InlineData("thermal-streaming/offline-localstack:0123")]
    public async Task An_image_of_others_is_left_to_Compose(string image)
    {
        await using var engine = new FakeEngine();
        using var docker = new DockerEngine(engine.Socket);
        var project = Project.With("localstack");
        project["services"]!["localstack"]!["image"] = image;

        await OwnImages.CheckAsync(docker, project.Parse(), CancellationToken.None);
    }

    static async Task<string?> ProblemAsync(FakeEngine engine, params string[] services)
    {
        using var docker = new DockerEngine(engine.Socket);
        var project = Project.With(services).Parse();
        return (await Record.ExceptionAsync(() => OwnImages.CheckAsync(docker, project, CancellationToken.None)))?.Message;
    }
}
