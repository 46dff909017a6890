using System.Diagnostics;
using System.Text;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>
/// <c>./up</c> uses the private key that Compose would mount, and makes one only where there is none: a second pair, made because a setting
/// was misread, signs in as nobody. The real script and real images; it ends before anything is started.
/// </summary>
[Collection(nameof(WholePipeline))]
public sealed class KeyAccidentTests(WholePipeline pipeline, ITestOutputHelper output)
{
    [Theory]
    [InlineData("SNOWFLAKE_PRIVATE_KEY_PATH=./secrets/my.p8\r\n", "\r\n")]
    [InlineData("SNOWFLAKE_PRIVATE_KEY_PATH=\"./secrets/my.p8\" # the key\n", "\n")]
    [InlineData("export SNOWFLAKE_PRIVATE_KEY_PATH='./secrets/my.p8'\n", "\n")]
    [InlineData("SNOWFLAKE_PRIVATE_KEY_PATH = ./secrets/${KEY_NAME:-my}.p8\n", "\n")]
    public Task A_key_that_is_there_is_the_one_that_is_used(string line, string end) =>
        pipeline.ScenarioAsync(
            output,
            "the key of an odd .env",
            async _ =>
            {
                using var project = await CopyAsync(line, end);
                Directory.CreateDirectory(project.File("secrets"));
                // Not readable in the container: the script finds it, says so by its name, and ends.
                await File.WriteAllTextAsync(project.File("secrets/my.p8"), "not a key");
                await BashAsync(project.Path, "chown 0:0 secrets/my.p8; chmod 600 secrets/my.p8");

                var (code, errors) = await BashAsync(project.Path, "./up --no-build");

                Assert.Equal(1, code);
                Assert.Contains($"failed: the service cannot read {project.File("secrets/my.p8")}.", errors, StringComparison.Ordinal);
                Assert.Equal(["secrets/my.p8"], KeysIn(project));
            }
        );

    [Fact]
    public Task A_pair_is_made_at_the_place_that_compose_names() =>
        pipeline.ScenarioAsync(
            output,
            "a new key pair",
            async _ =>
            {
                using var project = await CopyAsync("SNOWFLAKE_PRIVATE_KEY_PATH=./secrets/my.p8\r\n", "\r\n");

                var (code, errors) = await BashAsync(project.Path, "./up --no-build");

                Assert.Equal(1, code);
                Assert.Contains("failed: Snowflake does not know the new key yet.", errors, StringComparison.Ordinal);
                Assert.Equal(["secrets/my.p8", "secrets/my.pub"], KeysIn(project));
                Assert.True(
                    OperatingSystem.IsWindows()
                        || File.GetUnixFileMode(project.File("secrets/my.p8")) == (UnixFileMode.UserRead | UnixFileMode.UserWrite)
                );
                Assert.True(
                    OperatingSystem.IsWindows()
                        || File.GetUnixFileMode(project.File(".env")) == (UnixFileMode.UserRead | UnixFileMode.UserWrite)
                );
                await BashAsync(project.Path, "chown -R \"$(id -u)\" secrets");
            }
        );

    [Theory]
    [InlineData("SNOWFLAKE_PRIVATE_KEY_PATH=./secrets/other.p8\n", "Another key is in the same directory: my.p8")]
    [InlineData("SNOWFLAKE_PRIVATE_KEY_PATH=/tmp/not-mounted/my.p8\n", "correct SNOWFLAKE_PRIVATE_KEY_PATH in .env, or mount that disk")]
    [InlineData("SNOWFLAKE_PRIVATE_KEY_PATH=/tmp/my.p8\n", "and ./up makes keys only inside")]
    public Task A_path_that_leads_nowhere_makes_no_key(string line, string says) =>
        pipeline.ScenarioAsync(
            output,
            "a key path that leads nowhere",
            async _ =>
            {
                using var project = await CopyAsync(line, "\n");
                Directory.CreateDirectory(project.File("secrets"));
                await File.WriteAllTextAsync(project.File("secrets/my.p8"), "a key");

                var (code, errors) = await BashAsync(project.Path, "./up --no-build");

                Assert.Equal(1, code);
                Assert.Contains(says, errors, StringComparison.Ordinal);
                Assert.Equal(["secrets/my.p8"], KeysIn(project));
            }
        );

    static List<string> KeysIn(TempDirectory project) =>
        [
            .. Directory
                .EnumerateFiles(project.Path, "*", SearchOption.AllDirectories)
                .Where(path => path.Contains(".p8", StringComparison.Ordinal) || path.Contains(".pub", StringComparison.Ordinal))
                .Select(path => Path.GetRelativePath(project.Path, path))
                .Order(StringComparer.Ordinal),
        ];

    /// <summary>What ./up needs, production, with the images of these tests.</summary>
    static async Task<TempDirectory> CopyAsync(string line, string end)
    {
        var directory = new TempDirectory();
        Directory.CreateDirectory(directory.File("offline"));
        foreach (
            var name in new[]
            {
                "up",
                "compose.yaml",
                "compose.override.yaml",
                "offline/docker.sh",
                "offline/base",
                "offline/base-images.yaml",
                "offline/project.sh",
            }
        )
            File.Copy(Path.Combine(PipelineProject.Root, name), directory.File(name));
        string[] settings =
        [
            "COMPOSE_FILE=compose.yaml",
            $"COMPOSE_PROJECT_NAME=thermal-key-{Environment.ProcessId}",
            $"IMAGE_TAG={PipelineProject.ImageTag}",
            "SNOWFLAKE_ACCOUNT=myorg-acct",
            "SNOWFLAKE_USER=SOMEBODY",
        ];
        await File.WriteAllTextAsync(
            directory.File(".env"),
            string.Concat(settings.Select(setting => setting + end)) + line,
            new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)
        );
        return directory;
    }

    static async Task<(int Code, string Errors)> BashAsync(string directory, string script)
    {
        using var process = Process.Start(
            new ProcessStartInfo("bash", ["-c", script])
            {
                WorkingDirectory = directory,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        var said = process.StandardOutput.ReadToEndAsync();
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, errors + await said);
    }
}
