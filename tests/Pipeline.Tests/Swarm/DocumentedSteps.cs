namespace ThermalStreaming.Pipeline.Tests.Swarm;

/// <summary>
/// Runs the commands of docs/swarm.md as they stand there: of a section, its blocks that are marked <c>sh</c>, with the variables that the
/// section "Swarm" tells the reader to set.
/// </summary>
/// <param name="directory">A copy of the project's files, with settings that the reader edits.</param>
/// <param name="variables">Those that are exported.</param>
/// <param name="shellVariables">Those that only the shell has.</param>
sealed class DocumentedSteps(
    string directory,
    IReadOnlyDictionary<string, string> variables,
    IReadOnlyDictionary<string, string> shellVariables
)
{
    const string Page = "docs/swarm.md";

    readonly string[] lines = File.ReadAllLines(Path.Combine(PipelineProject.Root, Page));

    /// <summary>Runs a section.</summary>
    /// <param name="section">Its heading.</param>
    /// <param name="changed">What is exported otherwise, or besides.</param>
    /// <param name="block">Which of its blocks, from 0; null for all.</param>
    /// <exception cref="InvalidOperationException">A command failed.</exception>
    public async Task RunAsync(string section, IReadOnlyDictionary<string, string>? changed = null, int? block = null)
    {
        var blocks = Blocks(section);
        Assert.NotEmpty(blocks);
        var commands = block is { } one ? blocks[one] : string.Join('\n', blocks);
        var script = string.Join('\n', shellVariables.Select(variable => $"{variable.Key}='{variable.Value}'")) + "\n" + commands;
        var environment = new Dictionary<string, string>(variables);
        foreach (var (key, value) in changed ?? new Dictionary<string, string>())
            environment[key] = value;
        var result = (await Program.RunAsync("bash", ["-euo", "pipefail", "-c", script], environment, directory)).OrThrow();
        // docker stack deploy says so of a key that it does not follow.
        Assert.DoesNotContain("gnoring", result.Text, StringComparison.Ordinal);
    }

    List<string> Blocks(string section)
    {
        var blocks = new List<string>();
        var isThere = false;
        List<string>? open = null;
        foreach (var line in lines)
        {
            if (open is null && line.StartsWith('#'))
                isThere = line.TrimStart('#').Trim() == section;
            else if (open is null && isThere && line == "```sh")
                open = [];
            else if (open is not null && line == "```")
            {
                blocks.Add(string.Join('\n', open));
                open = null;
            }
            else
                open?.Add(line);
        }
        return blocks;
    }
}
