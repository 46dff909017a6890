using System.Diagnostics;
using System.Globalization;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>A directory with what <c>./up</c> needs, and a .env of the project's settings. The tests' own has a .env of its user's.</summary>
sealed class UpCopy : IDisposable
{
    static readonly string[] files =
    [
        "up",
        "compose.yaml",
        "compose.override.yaml",
        "offline/docker.sh",
        "offline/base",
        "offline/base-images.yaml",
        "offline/project.sh",
    ];

    // What containers get to see.
    static readonly string[] mounted = ["localstack", "sql"];

    readonly TempDirectory directory = new();

    public UpCopy()
    {
        var all = files.Concat(
            mounted.SelectMany(name =>
                Directory
                    .GetFiles(Path.Combine(PipelineProject.Root, name), "*", SearchOption.AllDirectories)
                    .Select(path => Path.GetRelativePath(PipelineProject.Root, path))
            )
        );
        foreach (var name in all)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(directory.File(name))!);
            File.Copy(Path.Combine(PipelineProject.Root, name), directory.File(name));
        }
    }

    public void Dispose() => directory.Dispose();

    /// <summary>Runs <c>./up</c> for the project; returns what it said.</summary>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public async Task<string> RunAsync(PipelineProject project, params string[] arguments)
    {
        var (code, text) = await TryAsync(project, [], arguments);
        return code == 0 ? text : throw new InvalidOperationException($"./up {string.Join(' ', arguments)} ended with {code}: {text}");
    }

    /// <param name="project">For which.</param>
    /// <param name="without">Settings of the project that .env does not have.</param>
    /// <param name="arguments">Of <c>./up</c>.</param>
    public async Task<(int Code, string Text)> TryAsync(PipelineProject project, string[] without, params string[] arguments)
    {
        var settings = project.Settings.Where(setting => !without.Contains(setting.Key)).Append(new("COMPOSE_PROJECT_NAME", project.Name));
        await File.WriteAllLinesAsync(
            directory.File(".env"),
            settings.Select(setting => string.Create(CultureInfo.InvariantCulture, $"{setting.Key}={setting.Value}"))
        );
        return await BashAsync(directory.Path, "./up \"$@\"", arguments);
    }

    public static async Task<(int Code, string Text)> BashAsync(string directory, string script, params string[] arguments)
    {
        var start = new ProcessStartInfo("bash", ["-c", script, "bash", .. arguments])
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var said = process.StandardOutput.ReadToEndAsync();
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await said + errors);
    }
}
