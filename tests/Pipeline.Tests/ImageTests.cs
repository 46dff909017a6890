using System.Runtime.InteropServices;
using ThermalStreaming.Testing;
using static ThermalStreaming.Pipeline.Tests.PipelineProject;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>What is in the services' images.</summary>
[Collection(nameof(WholePipeline))]
public sealed class ImageTests(WholePipeline pipeline, ITestOutputHelper output)
{
    [Fact]
    public Task A_services_image_is_one_small_program_without_shell_package_manager_or_dotnet() =>
        pipeline.ScenarioAsync(
            output,
            "files of the images",
            async project =>
            {
                var processor = RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "arm64" : "amd64";
                foreach (var service in new[] { Agent, SnowpipeForwarder, S3Forwarder, Snowflake })
                    await ExpectSmallNativeImageAsync(project, service, processor);
            }
        );

    /// <summary>Also for images of another processor than this machine's.</summary>
    internal static async Task ExpectSmallNativeImageAsync(PipelineProject project, string service, string processor)
    {
        // At most 45 MB for what runs on a Pi, base included. The emulator, a stand-in, carries a database of 70 MB.
        var maximumBytes = service == Snowflake ? 120_000_000 : 45_000_000;
        var container = (await project.ReplicasAsync(service))[0].Id;
        var image = await Docker.RunAsync("inspect", "--format", "{{.Image}}", container);
        var contents = await ImageContents.ReadAsync(container);

        Assert.Equal(processor, await Docker.RunAsync("image", "inspect", "--format", "{{.Architecture}}", image));
        Assert.Equal(processor == "arm64" ? ImageContents.Arm64 : ImageContents.Amd64, contents.Machine($"app/{service}"));
        Assert.Empty(contents.Unwanted);
        Assert.InRange(contents.Bytes, 1, maximumBytes);
        Progress.Say($"  {service} for {processor}: {contents.Bytes / 1e6:0.0} MB of files, no shell, no package manager, no .NET");
    }
}
