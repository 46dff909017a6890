using System.Text.RegularExpressions;

namespace ThermalStreaming.Deployment.Tests;

/// <summary>Every variable that a container gets is a setting of its program.</summary>
public sealed partial class SettingsTests
{
    [Theory]
    [MemberData(nameof(Installations.All), MemberType = typeof(Installations))]
    public async Task Programs_know_every_variable_that_they_get(string name)
    {
        var checkedNames = 0;
        foreach (var pod in Installations.Named(name).Pods)
        {
            foreach (var container in pod.Containers)
            {
                var known = await SettingsAsync(Programs.NameOf(container.Image));
                var values = (container.Env ?? []).Select(env => env.Value).OfType<string>().ToList();
                foreach (var variable in ContainerEnvironment.Of(pod, container).Keys)
                {
                    var isReferredTo = values.Any(value => value.Contains($"$({variable})", StringComparison.Ordinal));
                    Assert.True(
                        isReferredTo || known.Contains(variable),
                        $"{container.Name} gets {variable}, which is no setting of {container.Image}"
                    );
                    checkedNames++;
                }
            }
        }
        Assert.True(checkedNames > 5);
    }

    internal static async Task<HashSet<string>> SettingsAsync(string program)
    {
        switch (program)
        {
            case "mosquitto":
                return
                [
                    .. ShellVariable()
                        .Matches(await File.ReadAllTextAsync(Repository.File("mosquitto/broker.sh")))
                        .Select(match => match.Groups[1].Value),
                ];
            case "thermalctl":
                // Its settings are read where they are needed; --help does not list them.
                var sources = Directory.EnumerateFiles(Repository.File("services/thermalctl"), "*.cs", SearchOption.AllDirectories);
                return [.. sources.SelectMany(file => Literal().Matches(File.ReadAllText(file))).Select(match => match.Groups[1].Value)];
            default:
                var help = (await Programs.RunAsync(Programs.Start(program, ["--help"]))).OrThrow().Output;
                return [.. Setting().Matches(help).Select(match => match.Groups[1].Value)];
        }
    }

    [GeneratedRegex(@"^ {4}([A-Z][A-Z0-9_]+) ", RegexOptions.Multiline)]
    private static partial Regex Setting();

    [GeneratedRegex(@"\$\{([A-Z_]+):-")]
    private static partial Regex ShellVariable();

    [GeneratedRegex("\"([A-Z][A-Z0-9_]+)\"")]
    private static partial Regex Literal();
}
