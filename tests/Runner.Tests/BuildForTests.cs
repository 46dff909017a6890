namespace ThermalStreaming.Runner.Tests;

/// <summary>What <c>./up --build-for</c> makes of the images that Compose names, with a docker that only answers.</summary>
public sealed class BuildForTests : IDisposable
{
    const string Docker = """
        #!/bin/sh
        case "$*" in
            *"config --images cli") echo thermal-streaming/thermalctl:dev ;;
            *"config --images") printf '%s\n' thermal-streaming/sensor-agent:dev-arm64 thermal-streaming/offline-localstack:1 other:1 ;;
            *"config --services") echo sensor-agent ;;
            *"config --format json") echo '{}' ;;
            "image inspect --format {{.Architecture}} thermal-streaming/offline-"*) echo amd64 ;;
            "image inspect --format {{.Architecture}} "*) echo "$PROCESSOR" ;;
            "image inspect --format {{.Size}} "*) echo 12000000 ;;
            *version*) echo 27.5.1 2 3 ;;
        esac
        """;

    readonly ScriptCopy copy = new("up", "offline/docker.sh", "offline/project.sh");

    public BuildForTests()
    {
        copy.WriteScript("bin/docker", Docker);
        copy.WriteScript("offline/base", "#!/bin/sh\n[ \"$1\" != --for ] || echo thermal-streaming/offline-dotnet-runtime:1\n");
    }

    public void Dispose() => copy.Dispose();

    [Fact]
    public async Task Images_made_for_this_machine_alone_are_neither_judged_nor_offered()
    {
        var (code, text) = await copy.RunAsync("PROCESSOR=arm64 ./up --build-for arm64");

        Assert.True(code == 0, text);
        Assert.Contains("    thermal-streaming/sensor-agent:dev-arm64  12 MB\n", text, StringComparison.Ordinal);
        Assert.Contains("    images=\"thermal-streaming/sensor-agent:dev-arm64\"\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_service_that_was_made_for_another_processor_is_named()
    {
        var (code, text) = await copy.RunAsync("PROCESSOR=amd64 ./up --build-for arm64");

        Assert.Equal(1, code);
        Assert.Contains("failed: thermal-streaming/sensor-agent:dev-arm64 is not for arm64. ", text, StringComparison.Ordinal);
    }
}
