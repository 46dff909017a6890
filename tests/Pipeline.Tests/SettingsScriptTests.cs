using System.Diagnostics;
using System.Text;
using System.Text.Json;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>
/// The scripts see each setting as Compose sees it, whatever wrote <c>.env</c>, and change nothing in it but their own lines. Needs
/// docker's command line, no engine.
/// </summary>
public sealed class SettingsScriptTests(ITestOutputHelper output)
{
    const string Own = "# Added by ./up: ";

    public static TheoryData<string> Files => new()
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
    };

    [Theory]
    [MemberData(nameof(Files))]
    public async Task A_setting_is_what_compose_says_it_is(string file)
    {
        using var project = await CopyAsync(file);

        Assert.Equal(await ComposeAsync(project.Path), await ScriptAsync(project.Path));
    }

    [Fact]
    public async Task A_setting_is_what_compose_says_it_is_also_with_odd_characters()
    {
        var (random, seed) = Seed.Next();
        output.WriteLine($"seed {seed}");
        for (var round = 0; round < 10; round++)
        {
            var text = new string([.. Enumerable.Range(0, random.Next(1, 60)).Select(_ => "abc 019\"'\\$#{}:,=-[]<>&%!?äß"[random.Next(28)])]);
            // In double quotes, with what Compose asks to be escaped there: its parser takes every text.
            var quoted = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("$", "\\$", StringComparison.Ordinal);
            using var project = await CopyAsync($"MQTT_PUBLISHER_PASSWORD=\"{quoted}\"\nSNOWFLAKE_ROLE='{text.Replace("'", "", StringComparison.Ordinal).Replace("\\", "", StringComparison.Ordinal)}'\n");

            Assert.Equal(await ComposeAsync(project.Path), await ScriptAsync(project.Path));
        }
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
    [InlineData("")]
    [InlineData("A=1\n")]
    [InlineData("A=1\r\nB='x y' # z\r\n")]
    [InlineData("\uFEFFA=1\r\n\r\n# text\r\nB=2\r\n")]
    [InlineData("\uFEFFA=1\nB=ü\n")]
    [InlineData("A=1\nMOSQUITTO_IMAGE=my/own:1\n\n\n")]
    public async Task The_lines_for_local_images_come_and_go_without_a_trace(string file)
    {
        using var project = await CopyAsync(file);
        var names = "MOSQUITTO_IMAGE=thermal-streaming/offline-mosquitto:1\nLOCALSTACK_IMAGE=thermal-streaming/offline-localstack:1\nDOTNET_SDK_IMAGE=thermal-streaming/offline-dotnet-sdk:1\n";
        await File.WriteAllTextAsync(project.File("images.env"), $"# Written by offline/build\n{names}");

        for (var round = 0; round < 2; round++)
        {
            // Twice each, as by two runs of ./up.
            await BashAsync(project.Path, "local_images_in_env images.env; local_images_in_env images.env");
            var text = await File.ReadAllTextAsync(project.File(".env"));
            Assert.Equal(1, text.Split(Own).Length - 1);
            Assert.Equal(file.Length > 0, (await File.ReadAllBytesAsync(project.File(".env"))).AsSpan().StartsWith(Encoding.UTF8.GetBytes(file)) && file.Length > 0);
            Assert.Equal(file.Contains('\r', StringComparison.Ordinal), text.TrimEnd('\n').Split('\n').All(line => line.EndsWith('\r')));
            Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(project.File(".env")) == (UnixFileMode.UserRead | UnixFileMode.UserWrite));
            Assert.Contains("services/setup/build/args/MOSQUITTO_IMAGE\tthermal-streaming/offline-mosquitto:1", await ScriptAsync(project.Path));

            await BashAsync(project.Path, "local_images_in_env; local_images_in_env");
            Assert.Equal(file.Length == 0 ? null : Encoding.UTF8.GetBytes(file), File.Exists(project.File(".env")) ? await File.ReadAllBytesAsync(project.File(".env")) : null);
        }
    }

    [Fact]
    public async Task Only_the_lines_of_the_script_go_even_when_somebody_edited_between_them()
    {
        using var project = await CopyAsync($"A=1\n{Own}text.\nMOSQUITTO_IMAGE=thermal-streaming/offline-mosquitto:1\nB=2\nDOTNET_RUNTIME_IMAGE=my/own:1\nC=3");

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
        foreach (var script in Directory.GetFiles(Path.Combine(PipelineProject.Root, "offline"), "*.sh"))
            File.Copy(script, directory.File(Path.Combine("offline", Path.GetFileName(script))));
        if (file.Length > 0)
            await File.WriteAllTextAsync(directory.File(".env"), file, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        return directory;
    }

    static async Task<List<string>> ScriptAsync(string directory)
    {
        var (code, text, errors) = await BashAsync(directory, "settings_or_fail; for path in \"${!settings[@]}\"; do printf '%s\\t%s\\n' \"$path\" \"${settings[$path]}\"; done");
        Assert.True(code == 0, errors);
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];
    }

    static async Task<List<string>> ComposeAsync(string directory)
    {
        var result = (await Docker.TryAsync(["compose", "--project-directory", directory, .. await Named(directory), "config", "--format", "json"], null, TimeSpan.FromMinutes(1))).OrThrow();
        using var document = JsonDocument.Parse(result.Output);
        List<string> values = [];
        Flatten(document.RootElement, "");
        return [.. values.Order(StringComparer.Ordinal)];

        void Flatten(JsonElement element, string path)
        {
            switch (element.ValueKind)
            {
                case JsonValueKind.Object:
                    foreach (var property in element.EnumerateObject())
                        Flatten(property.Value, $"{path}/{property.Name}");
                    break;
                case JsonValueKind.Array:
                    foreach (var (index, item) in element.EnumerateArray().Index())
                        Flatten(item, $"{path}/{index}");
                    break;
                case JsonValueKind.Null:
                    break;
                default:
                    // Compose doubles dollar signs in what it prints; white space within a value is a blank for the scripts.
                    values.Add($"{path[1..]}\t{element.ToString().Replace("$$", "$", StringComparison.Ordinal).Replace('\n', ' ')}".Replace("\tTrue", "\ttrue", StringComparison.Ordinal).Replace("\tFalse", "\tfalse", StringComparison.Ordinal));
                    break;
            }
        }
    }

    // Which files are read may stand in .env, where only Compose in that directory finds it.
    static async Task<string[]> Named(string directory)
    {
        var only = File.Exists(Path.Combine(directory, ".env")) && (await File.ReadAllTextAsync(Path.Combine(directory, ".env"))).Contains("COMPOSE_FILE=compose.yaml", StringComparison.Ordinal);
        return [.. (only ? new[] { "compose.yaml" } : ["compose.yaml", "compose.override.yaml"]).SelectMany(name => new[] { "--file", Path.Combine(directory, name) })];
    }

    static async Task<(int Code, string Output, string Errors)> BashAsync(string directory, string script)
    {
        var start = new ProcessStartInfo("bash", ["-c", $"set -euo pipefail; LOG_FILE=$PWD/log; . offline/docker.sh; . offline/settings.sh; . offline/images.sh; {script}"])
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
