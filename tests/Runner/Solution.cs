namespace ThermalStreaming.Runner;

/// <summary>Builds the solution, and checks what is not a matter of one test: format and packages.</summary>
sealed class Solution(TestRun run, Command command, Narrator narrator, TimeProvider clock)
{
    const string Everything = "ThermalStreaming.slnx";
    const int ErrorLines = 40;
    const int FormatLines = 10;

    static readonly TimeSpan ceiling = TimeSpan.FromMinutes(5);
    static readonly string[] errorMarks = [": error ", ": warning ", "error : "];

    /// <summary>The output of the test project of this name.</summary>
    public static string Assembly(string project) => $"artifacts/bin/{project}/debug/ThermalStreaming.{project}.dll";

    /// <exception cref="RunEndedException">It could not be restored, or compiled.</exception>
    public async Task BuildAsync(TestScope scope, CancellationToken stop)
    {
        var started = clock.GetTimestamp();
        var wanted = scope == TestScope.Pipeline ? $"tests/{TestSelection.Pipeline}" : Everything;
        narrator.Step("Build");
        await DotnetAsync(
            ["restore", wanted, "--locked-mode", "--verbosity", "quiet"],
            new RunEndedException(
                "the packages could not be restored",
                "The messages of dotnet restore --locked-mode are above",
                "check the network; if a package changed on purpose: dotnet restore --force-evaluate"
            ),
            stop
        );
        await DotnetAsync(
            ["build", wanted, "--no-restore", "--nologo", "--verbosity", "quiet", "-m:2"],
            new RunEndedException(
                "the build failed",
                "The messages of the compiler are above",
                "correct the errors, then run this again; all output is in artifacts/test-results/build.log"
            ),
            stop
        );
        narrator.Say($"restored as locked and built in {clock.GetElapsedTime(started).TotalSeconds:0} s");
    }

    public async Task CheckFormatAsync(CancellationToken stop)
    {
        narrator.Step("Format");
        var tools = await RestoreToolsAsync(stop);
        if (!tools.IsGood)
        {
            narrator.Warn($"not checked: {tools.LastLine}");
            return;
        }
        var answer = await command.AskAsync(["dotnet", "csharpier", "check", "."], stop);
        if (answer.IsGood)
        {
            narrator.Say("every C# file is as CSharpier formats it");
            return;
        }
        foreach (var line in answer.Text.Split('\n').Where(line => line.Contains("Error", StringComparison.Ordinal)).Take(FormatLines))
            narrator.Say(line.TrimEnd());
        run.AddFailure("C# files are not formatted: dotnet csharpier format .");
    }

    /// <summary>
    /// Known vulnerabilities fail the run; the list of all packages is left as artifacts/sbom/bom.json. Both ask the package source:
    /// without it, they are skipped.
    /// </summary>
    public async Task CheckPackagesAsync(CancellationToken stop)
    {
        narrator.Step("Packages");
        string[] list = ["dotnet", "list", Everything, "package", "--vulnerable", "--include-transitive", "--format", "json"];
        var vulnerable = await command.AskAsync(list, ceiling, stop);
        if (vulnerable.IsGood)
            PackageList.Judge(run, vulnerable.Output, narrator);
        else
            narrator.Warn($"vulnerabilities were not looked up: {vulnerable.LastLine}");
        string[] write =
        [
            "dotnet",
            "dotnet-CycloneDX",
            "services.slnf",
            "--output",
            "artifacts/sbom",
            "--output-format",
            "Json",
            "--disable-package-restore",
        ];
        var tools = await RestoreToolsAsync(stop);
        var written = tools.IsGood ? await command.AskAsync(write, ceiling, stop) : tools;
        if (written.IsGood)
            narrator.Say("all packages: artifacts/sbom/bom.json (CycloneDX)");
        else
            narrator.Warn($"artifacts/sbom/bom.json was not written: {written.LastLine}");
    }

    Task<CommandAnswer> RestoreToolsAsync(CancellationToken stop) => command.AskAsync(["dotnet", "tool", "restore"], ceiling, stop);

    async Task DotnetAsync(string[] words, RunEndedException failure, CancellationToken stop)
    {
        var answer = await command.AskAsync(["dotnet", .. words], stop);
        if (answer.IsGood)
            return;
        await File.WriteAllTextAsync(Path.Combine(run.Results, "build.log"), answer.Text, stop);
        var lines = answer.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var told = lines.Where(line => errorMarks.Any(mark => line.Contains(mark, StringComparison.Ordinal))).Distinct().ToList();
        foreach (var line in (told.Count > 0 ? told : [.. lines]).TakeLast(ErrorLines))
            narrator.Say(line.Trim());
        throw failure;
    }
}
