using ThermalStreaming.Testing;

namespace ThermalStreaming.Runner.Tests;

/// <summary>The project's scripts in a directory of their own, with programs beside them that answer in place of the real ones.</summary>
sealed class ScriptCopy : IDisposable
{
    readonly TempDirectory directory = new();

    /// <param name="scripts">Their paths from the project's root.</param>
    public ScriptCopy(params string[] scripts)
    {
        foreach (var script in scripts)
            WriteScript(script, File.ReadAllText(Path.Combine(Root, script)));
    }

    static string Root { get; } = FindRoot();

    /// <summary>A program of the project, or in the directory bin, which is looked in first.</summary>
    public void WriteScript(string path, string text)
    {
        var file = directory.File(path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }

    public Task<string> ReadAsync(string path) => File.ReadAllTextAsync(directory.File(path));

    /// <summary>Runs a line of bash in the copy. What a background process of it still holds open is not waited for.</summary>
    /// <returns>The exit code and both outputs.</returns>
    public async Task<(int Code, string Text)> RunAsync(string line)
    {
        var said = directory.File("said");
        string[] words =
        [
            "env",
            "--unset=LOG_FILE",
            $"--chdir={directory.Path}",
            "bash",
            "-c",
            $"chmod -R u+x .; PATH='{directory.File("bin")}':$PATH; {{ {line}; }} >'{said}' 2>&1",
        ];
        var answer = await new Command(directory.File("log"), TimeProvider.System).AskAsync(words, CancellationToken.None);
        return (answer.ExitCode, File.Exists(said) ? await File.ReadAllTextAsync(said) : answer.Text);
    }

    public void Dispose() => directory.Dispose();

    static string FindRoot()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "ThermalStreaming.slnx")))
                return at.FullName;
        }
        throw new DirectoryNotFoundException("ThermalStreaming.slnx is in no directory above the tests.");
    }
}
