using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>The unit by which systemd starts and stops the project.</summary>
public sealed partial class SystemdUnitTests
{
    static readonly string path = Path.Combine(PipelineProject.Root, "deploy", "systemd", "thermal-streaming.service");

    /// <summary>What the unit may say: a key that is misspelt is ignored by systemd, with a line in its log that nobody reads.</summary>
    static readonly Dictionary<string, string[]> known = new()
    {
        ["Unit"] = ["Description", "Requires", "After", "Wants", "StartLimitIntervalSec"],
        ["Service"] =
        [
            "Type",
            "RemainAfterExit",
            "WorkingDirectory",
            "ExecStart",
            "ExecStop",
            "Restart",
            "RestartSec",
            "TimeoutStartSec",
            "TimeoutStopSec",
        ],
        ["Install"] = ["WantedBy"],
    };

    [Fact]
    public void Every_key_is_one_that_systemd_knows_and_is_said_once()
    {
        var keys = Parse().Select(line => (line.Section, line.Key)).ToList();

        Assert.All(keys, key => Assert.Contains(key.Key, known[key.Section]));
        Assert.Equal(keys.Distinct().Count(), keys.Count);
    }

    [Fact]
    public void It_starts_after_docker_and_the_network_and_stops_what_it_started()
    {
        var unit = Parse().ToDictionary(line => line.Key, line => line.Value);

        Assert.Contains("docker.service", unit["Requires"].Split(' '));
        Assert.Contains("docker.service", unit["After"].Split(' '));
        Assert.Contains("network-online.target", unit["After"].Split(' '));
        Assert.Contains("network-online.target", unit["Wants"].Split(' '));
        Assert.Equal(("oneshot", "yes", "on-failure"), (unit["Type"], unit["RemainAfterExit"], unit["Restart"]));
        Assert.StartsWith("/usr/bin/docker compose up --detach", unit["ExecStart"], StringComparison.Ordinal);
        Assert.Equal("/usr/bin/docker compose stop", unit["ExecStop"]);
        // `down` would remove the containers, and with `--volumes` every reading.
        Assert.DoesNotContain(unit.Values, value => value.Contains("down", StringComparison.Ordinal));
    }

    [Fact]
    public void It_waits_longer_for_the_stop_than_all_containers_may_take_one_after_the_other()
    {
        var compose = File.ReadAllText(Path.Combine(PipelineProject.Root, "compose.yaml"));
        var grace = Seconds(Grace().Match(compose).Groups[1].Value);

        var timeout = Seconds(Parse().Single(line => line.Key == "TimeoutStopSec").Value);

        Assert.True(timeout > 3 * grace + 30, $"TimeoutStopSec is {timeout} s; three containers in a row may take {3 * grace} s");
    }

    [Fact]
    public async Task Systemd_finds_nothing_wrong_with_it()
    {
        if (!File.Exists("/usr/bin/systemd-analyze"))
            Assert.Skip("There is no systemd-analyze here.");
        using var directory = new TempDirectory();
        var copy = directory.File("thermal-streaming.service");
        // Where Docker or the clone is elsewhere, only that would be wrong.
        await File.WriteAllTextAsync(
            copy,
            (await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken))
                .Replace("/opt/thermal-streaming", "/tmp", StringComparison.Ordinal)
                .Replace("/usr/bin/docker", "/bin/true", StringComparison.Ordinal)
                .Replace("Requires=docker.service\n", "", StringComparison.Ordinal),
            TestContext.Current.CancellationToken
        );
        using var verify = Process.Start(new ProcessStartInfo("systemd-analyze", ["verify", copy]) { RedirectStandardError = true })!;
        var problems = await verify.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await verify.WaitForExitAsync(TestContext.Current.CancellationToken);

        // It also verifies units of this system that ours depends on.
        Assert.DoesNotContain("thermal-streaming.service", problems, StringComparison.Ordinal);
        Assert.Equal(0, verify.ExitCode);
    }

    static List<(string Section, string Key, string Value)> Parse()
    {
        var lines = new List<(string, string, string)>();
        var section = "";
        foreach (var line in File.ReadAllLines(path).Where(line => line.Length > 0 && line[0] != '#'))
        {
            if (line[0] == '[')
            {
                section = line[1..^1];
                continue;
            }
            var (key, value) = line.Split('=', 2) is [var name, var rest] ? (name, rest) : throw new FormatException(line);
            Assert.True(value.Length > 0 && value == value.Trim() && key == key.Trim(), line);
            lines.Add((section, key, value));
        }
        return lines;
    }

    static int Seconds(string text) => int.Parse(text.TrimEnd('s'), NumberStyles.None, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^  stop_grace_period: (\d+s)$", RegexOptions.Multiline)]
    private static partial Regex Grace();
}
