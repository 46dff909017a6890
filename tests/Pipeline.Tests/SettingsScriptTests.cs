using System.Diagnostics;
using System.Text;
using System.Text.Json;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>
/// The scripts see the settings as Compose sees them, whatever wrote <c>.env</c>, and change nothing in it but their own lines. Needs
/// docker's command line, no engine.
/// </summary>
public sealed class SettingsScriptTests
{
    const string Own = "# Added by ./up: ";

    public static TheoryData<string> Files =>
        new()
        {
            "",
            "EMULATOR_PORT=18090\r\nSNOWFLAKE_PRIVATE_KEY_PATH=./secrets/my.p8\r\nIMAGE_TAG=v1\r\nSNOWFLAKE_ACCOUNT=myorg-acct\r\n",
            "\uFEFFEMULATOR_PORT=18090\nIMAGE_TAG=v1\n",
            "\uFEFFIMAGE_TAG=v2\r\nMQTT_PORT='1884'\r\n",
            "EMULATOR_PORT = 18090\nIMAGE_TAG: v1\n",
            "EMULATOR_PORT=\"18090\" # quoted, then a comment\nIMAGE_TAG='v1'\nMQTT_PUBLISHER_PASSWORD=pa$$w0rd$1x\n",
            "export EMULATOR_PORT=18090\n  export  IMAGE_TAG=v3\n",
            "PORT=19\nEMULATOR_PORT=${PORT}090\nIMAGE_TAG=${NOT_SET:-v4}\nS3_BUCKET=${PORT:+with}-default\n",
            "IMAGE_TAG=first\nIMAGE_TAG=last # the last one counts\n#IMAGE_TAG=comment\n",
            "MQTT_PUBLISHER_PASSWORD='single $NOT ${EXPANDED} \"quoted\" #no comment'\n",
            "MQTT_PUBLISHER_PASSWORD=\"a\\\"b\\\\c \\$d <e>&f\"\nS3_FILE_PREFIX=a#b\nS3_BUCKET=x # y\n",
            "S3_BUCKET=\"two\nlines\"\nIMAGE_TAG=v5",
            "SNOWFLAKE_PRIVATE_KEY_PATH=/somewhere/else/key with spaces.p8\nCOMPOSE_FILE=compose.yaml\nSNOWPIPE_FORWARDERS=3\n",
            "COMPOSE_PROFILES=lan\nMQTT_LAN_PORT=18883\nMQTT_LAN_NAMES=pi.local,10.0.0.7\n",
            "SNOWFLAKE_USER=Grüße_Ünïcode_温度\n",
            "IMAGE_TAG=\nEMULATOR_PORT=\n",
            "MOSQUITTO_IMAGE='my/own:1' # ours\nDOTNET_SDK_IMAGE=${NOT_SET:-sdk:2}\nexport "
                + "DOTNET_RUNTIME_IMAGE=\"runtime:3\"\r\nLOCALSTACK_IMAGE=\n",
        };

    [Theory]
    [MemberData(nameof(Files))]
    public async Task The_base_images_are_those_that_compose_builds_with(string file)
    {
        using var project = await CopyAsync(file);

        Assert.Equal(await ComposeAsync(project.Path), await ScriptAsync(project.Path));
    }

    [Fact]
    public async Task What_compose_cannot_read_is_said_with_its_reason()
    {
        using var project = await CopyAsync("A B=c\n");

        var (code, _, errors) = await BashAsync(project.Path, "settings_or_fail");

        Assert.Equal(1, code);
        Assert.Matches("^failed: the settings cannot be read. Compose says: .*line 1.*To fix it: ", errors);
    }

    [Theory]
    [InlineData("EMULATOR_PORT=99999\n")]
    [InlineData("MQTT_PORT=mqtt\n")]
    [InlineData("EMULATOR_HTTPS_PORT=https\n")]
    public async Task A_port_that_compose_cannot_read_is_said_to_be_one(string file)
    {
        using var project = await CopyAsync(file);

        var (code, _, errors) = await BashAsync(project.Path, "settings_or_fail");

        Assert.Equal(1, code);
        Assert.Contains(
            "To fix it: write a number from 1 to 65535 for MQTT_PORT, EMULATOR_PORT, EMULATOR_HTTPS_PORT, LOCALSTACK_PORT, MQTT_LAN_PORT, CONSOLE_PORT, AGENT_GRPC_PORT, PROMETHEUS_PORT and GRAFANA_PORT in .env",
            errors,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("")]
    [InlineData("A=1\n")]
    [InlineData("A=1\r\nB='x y' # z\r\n")]
    [InlineData("\uFEFFA=1\r\n\r\n# text\r\nB=2\r\n")]
    [InlineData("\uFEFFA=1\nB=ü\n")]
    [InlineData("A=1\nMOSQUITTO_IMAGE=my/own:1\n\n\n")]
    public async Task The_lines_for_local_images_come_and_go_without_a_trace(string file)
    {
        using var project = await CopyAsync(file);
        var names =
            "MOSQUITTO_IMAGE=thermal-streaming/offline-mosquitto:1\nLOCALSTACK_IMAGE=thermal-streaming/offline-localstack:1\nDOTNET_SDK_IMAGE=thermal-streaming/offline-dotnet-sdk:1\n";
        await File.WriteAllTextAsync(project.File("images.env"), $"# Written by offline/base\n{names}");

        for (var round = 0; round < 2; round++)
        {
            // Twice each, as by two runs of ./up.
            await BashAsync(project.Path, "local_images_in_env images.env; local_images_in_env images.env");
            var text = await File.ReadAllTextAsync(project.File(".env"));
            Assert.Equal(1, text.Split(Own).Length - 1);
            Assert.Equal(
                file.Length > 0,
                (await File.ReadAllBytesAsync(project.File(".env"))).AsSpan().StartsWith(Encoding.UTF8.GetBytes(file)) && file.Length > 0
            );
            Assert.Equal(file.Contains('\r', StringComparison.Ordinal), text.TrimEnd('\n').Split('\n').All(line => line.EndsWith('\r')));
            Assert.True(
                OperatingSystem.IsWindows()
                    || File.GetUnixFileMode(project.File(".env")) == (UnixFileMode.UserRead | UnixFileMode.UserWrite)
            );
            Assert.Contains("MOSQUITTO_IMAGE thermal-streaming/offline-mosquitto:1", await ScriptAsync(project.Path));

            await BashAsync(project.Path, "local_images_in_env; local_images_in_env");
            Assert.Equal(
                file.Length == 0 ? null : Encoding.UTF8.GetBytes(file),
                File.Exists(project.File(".env")) ? await File.ReadAllBytesAsync(project.File(".env")) : null
            );
        }
    }

    [Fact]
    public async Task Only_the_lines_of_the_script_go_even_when_somebody_edited_between_them()
    {
        using var project = await CopyAsync(
            $"A=1\n{Own}text.\nMOSQUITTO_IMAGE=thermal-streaming/offline-mosquitto:1\nB=2\nDOTNET_RUNTIME_IMAGE=my/own:1\nC=3"
        );

        await BashAsync(project.Path, "local_images_in_env");

        Assert.Equal("A=1\nB=2\nDOTNET_RUNTIME_IMAGE=my/own:1\nC=3\n", await File.ReadAllTextAsync(project.File(".env")));
    }

    /// <summary>The Compose files and scripts in a directory of their own, with this <c>.env</c>.</summary>
    static async Task<TempDirectory> CopyAsync(string file)
    {
        var directory = new TempDirectory();
        foreach (var name in new[] { "compose.yaml", "compose.override.yaml" })
            File.Copy(Path.Combine(PipelineProject.Root, name), directory.File(name));
        Directory.CreateDirectory(directory.File("offline"));
        foreach (var name in new[] { "docker.sh", "project.sh", "base", "base-images.yaml" })
            File.Copy(Path.Combine(PipelineProject.Root, "offline", name), directory.File(Path.Combine("offline", name)));
        if (file.Length > 0)
            await File.WriteAllTextAsync(directory.File(".env"), file, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        return directory;
    }

    /// <summary>Name and value of each image that would be pulled, as the scripts see them.</summary>
    static async Task<List<string>> ScriptAsync(string directory)
    {
        var (code, text, errors) = await BashAsync(
            directory,
            "no_dotnet=''; for name in $(names); do echo $name $(base_images config --images $name); done"
        );
        Assert.True(code == 0, errors);
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];
    }

    /// <summary>The same as Compose builds and starts with.</summary>
    static async Task<List<string>> ComposeAsync(string directory)
    {
        var result = (
            await Docker.TryAsync(
                ["compose", "--project-directory", directory, .. await Named(directory), "config", "--format", "json"],
                null,
                TimeSpan.FromMinutes(1)
            )
        ).OrThrow();
        using var document = JsonDocument.Parse(result.Output);
        var services = document.RootElement.GetProperty("services");
        var images = services
            .GetProperty("setup")
            .GetProperty("build")
            .GetProperty("args")
            .EnumerateObject()
            .Select(argument => $"{argument.Name} {argument.Value.GetString()}")
            .ToList();
        if (services.TryGetProperty("localstack", out var localstack))
            images.Add($"LOCALSTACK_IMAGE {localstack.GetProperty("image").GetString()}");
        return [.. images.Order(StringComparer.Ordinal)];
    }

    // Which files are read may stand in .env, where only Compose in that directory finds it.
    static async Task<string[]> Named(string directory)
    {
        var only =
            File.Exists(Path.Combine(directory, ".env"))
            && (await File.ReadAllTextAsync(Path.Combine(directory, ".env"))).Contains(
                "COMPOSE_FILE=compose.yaml",
                StringComparison.Ordinal
            );
        return
        [
            .. (only ? new[] { "compose.yaml" } : ["compose.yaml", "compose.override.yaml"]).SelectMany(name =>
                new[] { "--file", Path.Combine(directory, name) }
            ),
        ];
    }

    static async Task<(int Code, string Output, string Errors)> BashAsync(string directory, string script)
    {
        var start = new ProcessStartInfo(
            "bash",
            ["-c", $"set -euo pipefail; LOG_FILE=$PWD/log; . offline/docker.sh; . offline/project.sh; . offline/base; {script}"]
        )
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // ./test exports the images for the other tests, and the environment wins over .env.
        foreach (var name in new[] { "MOSQUITTO_IMAGE", "LOCALSTACK_IMAGE", "DOTNET_SDK_IMAGE", "DOTNET_RUNTIME_IMAGE" })
            start.Environment.Remove(name);
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var text = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, text, await errors);
    }
}
