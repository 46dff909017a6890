using System.Security.Cryptography;
using System.Text;

namespace ThermalStreaming.Runner;

/// <summary>Docker for the tests: the engine, the images they start from, and what they leave behind.</summary>
/// <param name="project">Start of the names of this run's Compose projects, and the value of its containers' label.</param>
/// <param name="command">Runs programs.</param>
/// <param name="machine">What runs as root.</param>
/// <param name="narrator">Says what happens.</param>
/// <param name="clock">For the wait for the engine's end.</param>
sealed class Containers(string project, Command command, Machine machine, Narrator narrator, TimeProvider clock)
{
    const string ProjectLabel = "com.docker.compose.project";
    const string EngineFile = "/var/run/docker.pid";
    const string ComposeFiles = "compose.yaml:compose.override.yaml";

    static readonly TimeSpan answerCeiling = TimeSpan.FromSeconds(20);
    static readonly TimeSpan engineEnd = TimeSpan.FromSeconds(30);
    static readonly TimeSpan betweenLooks = TimeSpan.FromMilliseconds(500);
    static readonly string[] baseImages = ["MOSQUITTO_IMAGE", "DOTNET_SDK_IMAGE", "DOTNET_RUNTIME_IMAGE", "LOCALSTACK_IMAGE"];

    string[] docker = ["docker"];
    bool isEngineOurs;

    /// <summary>Sees to it that Docker runs, and the images that ours are made from can be had. Tells the tests by the
    /// environment.</summary>
    public async Task ReadyAsync(bool needsArm64, CancellationToken stop)
    {
        isEngineOurs = EngineProcess() is null && !Directory.Exists("/run/systemd/system");
        await ScriptAsync(stop, "offline/docker.sh", "ready");
        if (!await AnswersAsync(stop))
        {
            docker = ["sudo", "--preserve-env", "docker"];
            Environment.SetEnvironmentVariable("THERMAL_TEST_DOCKER", string.Join(' ', docker));
        }
        // They read no COMPOSE_FILE of .env, which may describe a real account.
        Environment.SetEnvironmentVariable("COMPOSE_FILE", ComposeFiles);
        await ScriptAsync(stop, "offline/base");
        foreach (var name in baseImages)
        {
            string[] ask = ["compose", "--project-directory", ".", "--file", "offline/base-images.yaml", "config", "--images", name];
            Environment.SetEnvironmentVariable(name, (await DockerAsync(ask, stop)).Output.Trim());
        }
        if (needsArm64)
            await BuildArm64Async(stop);
        Environment.SetEnvironmentVariable("COMPOSE_FILE", null);
    }

    /// <summary>Removes what this very run started, if a test could not.</summary>
    public async Task RemoveLeftoversAsync()
    {
        if (!await AnswersAsync(CancellationToken.None))
            return;
        var label = $"label=thermal-streaming.test={project}";
        foreach (var id in await NamesAsync("ps", "--all", "--quiet", "--filter", label))
            await DockerAsync(["rm", "--force", "--volumes", id], CancellationToken.None);
        foreach (var id in await NamesAsync("volume", "ls", "--quiet", "--filter", label))
            await DockerAsync(["volume", "rm", id], CancellationToken.None);
        var projects = await NamesAsync(
            "ps",
            "--all",
            "--filter",
            $"label={ProjectLabel}",
            "--format",
            "{{.Label \"" + ProjectLabel + "\"}}"
        );
        foreach (var name in projects.Distinct().Where(name => name.StartsWith($"{project}-", StringComparison.Ordinal)))
        {
            narrator.Say($"removing {name}, which was left running");
            string[] down = ["compose", "--project-name", name, "down", "--volumes", "--remove-orphans", "--timeout", "5"];
            await DockerAsync(down, CancellationToken.None);
        }
    }

    /// <summary>An engine that was started for this run, because there is no init system, does not outlive it.</summary>
    public async Task StopEngineAsync()
    {
        if (!isEngineOurs || EngineProcess() is not { } process)
            return;
        narrator.Say("stopping the dockerd that was started for the tests");
        await machine.RootAsync(CancellationToken.None, "kill", process);
        var started = clock.GetTimestamp();
        while (EngineProcess() == process && clock.GetElapsedTime(started) < engineEnd)
            await Task.Delay(betweenLooks, clock);
    }

    /// <summary>The services' images for arm64, as a user makes them for a Pi.</summary>
    async Task BuildArm64Async(CancellationToken stop)
    {
        narrator.Step("Images for arm64");
        await machine.NeedArm64Async(stop);
        // One per clone, so that two of them do not test each other's images.
        var clone = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Environment.CurrentDirectory)))[..8];
        Environment.SetEnvironmentVariable("IMAGE_TAG", $"test-{clone}");
        await ScriptAsync(stop, "./up", "--build-for", "arm64");
        Environment.SetEnvironmentVariable("IMAGE_TAG", null);
        Environment.SetEnvironmentVariable("THERMAL_TEST_ARM64", $"test-{clone}-arm64");
    }

    /// <summary>The process of this machine's engine; null where none runs, whatever a crash has left.</summary>
    static string? EngineProcess()
    {
        try
        {
            var process = File.ReadAllText(EngineFile).Trim();
            return File.ReadAllText($"/proc/{process}/cmdline").Contains("dockerd", StringComparison.Ordinal) ? process : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    async Task ScriptAsync(CancellationToken stop, params string[] words)
    {
        if (await command.RunAsync(words, stop) != 0)
            throw new RunEndedException($"{string.Join(' ', words)} failed; the line above says why and how to fix it");
    }

    async Task<bool> AnswersAsync(CancellationToken stop) => (await command.AskAsync([.. docker, "version"], answerCeiling, stop)).IsGood;

    Task<CommandAnswer> DockerAsync(string[] words, CancellationToken stop) => command.AskAsync([.. docker, .. words], stop);

    async Task<IReadOnlyList<string>> NamesAsync(params string[] words) =>
        (await DockerAsync(words, CancellationToken.None)).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
