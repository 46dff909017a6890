namespace ThermalStreaming.Runner.Tests;

/// <summary>
/// What <c>./up --backup</c> and <c>--restore</c> ask of Docker, and in which order, with a docker that writes down what it was asked. It has
/// two containers that run unless NOTHING_RUNS is set, two volumes of the project, and one without a name.
/// </summary>
public sealed class UpBackupTests : IDisposable
{
    const string Docker = """
        #!/usr/bin/env bash
        echo "$*" >>asked
        case "$*" in
            *"buildx version"*) echo buildx v0.30.0 ;;
            *version*) echo 29.0.0 ;;
            *"config --format json") echo '{}' ;;
            *"config --images cli") echo thermal-streaming/thermalctl:dev ;;
            *config*) echo 'name: pi' ;;
            "ps -q"*) [[ -n ${NOTHING_RUNS-} ]] || printf '%s\n' one two ;;
            "volume ls"*) printf '%s\n' 'pi_control-cli control-cli' '0123456789abcdef ' 'pi_s3-forwarder-data s3-forwarder-data' ;;
            "run "*" backup "* | "run "*" restore "*)
                [[ -z ${WAITS-} ]] || { touch waits; sleep 60; }
                exit "${ENDS_WITH:-0}" ;;
        esac
        """;

    readonly ScriptCopy copy = new("up", "offline/docker.sh", "offline/project.sh");

    public UpBackupTests()
    {
        copy.WriteScript("bin/docker", Docker);
        copy.WriteScript("old.backup", "");
    }

    public void Dispose() => copy.Dispose();

    [Fact]
    public async Task A_backup_empties_and_stops_the_services_copies_and_starts_the_same_containers()
    {
        var (code, text) = await copy.RunAsync("./up --backup new.backup");

        Assert.True(code == 0, text);
        Assert.Collection(
            await AskedAsync(),
            asked => Assert.Equal("compose stop sensor-agent mosquitto", asked),
            asked => Assert.EndsWith("run --rm --no-deps -T cli flush --timeout 60s", asked, StringComparison.Ordinal),
            asked => Assert.Equal("stop -t 30 one two", asked),
            asked =>
            {
                Assert.Contains(" --network none ", asked, StringComparison.Ordinal);
                Assert.Contains("/,target=/backup ", asked, StringComparison.Ordinal);
                Assert.Contains(
                    " --mount type=volume,source=pi_s3-forwarder-data,target=/volumes/s3-forwarder-data,volume-nocopy ",
                    asked,
                    StringComparison.Ordinal
                );
                Assert.DoesNotContain("0123456789abcdef", asked, StringComparison.Ordinal);
                Assert.Contains(" thermal-streaming/thermalctl:dev backup /backup/new.backup --owner ", asked, StringComparison.Ordinal);
            },
            asked => Assert.Equal("start one two", asked)
        );
    }

    [Fact]
    public async Task A_backup_that_fails_starts_them_too()
    {
        var (code, _) = await copy.RunAsync("ENDS_WITH=1 ./up --backup new.backup");

        Assert.Equal((1, "start one two"), (code, (await AskedAsync())[^1]));
    }

    [Fact]
    public async Task So_does_one_that_is_interrupted()
    {
        // Ctrl+C reaches everything that was started in the terminal.
        var (code, text) = await copy.RunAsync(
            "set -m; WAITS=yes ./up --backup new.backup & until [[ -e waits ]]; do sleep 0.05; done; kill -INT -- -$!; wait $!"
        );

        Assert.Equal((130, "start one two"), (code, (await AskedAsync())[^1]));
        Assert.Contains("interrupted: no backup was made", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_nothing_runs_nothing_is_started()
    {
        var (code, text) = await copy.RunAsync("NOTHING_RUNS=yes ./up --backup new.backup");

        Assert.True(code == 0, text);
        Assert.Contains(" backup /backup/new.backup", Assert.Single(await AskedAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_backup_that_is_there_already_stops_nothing()
    {
        var (code, text) = await copy.RunAsync("touch asked; ./up --backup old.backup");

        Assert.Equal(2, code);
        Assert.Contains("old.backup exists already, and a backup never replaces a file", text, StringComparison.Ordinal);
        Assert.Empty(await AskedAsync());
    }

    [Fact]
    public async Task A_restore_is_refused_while_services_run()
    {
        var (code, text) = await copy.RunAsync("./up --restore old.backup --no-build");

        Assert.Equal(1, code);
        Assert.Contains("failed: services of this project are running. ", text, StringComparison.Ordinal);
        Assert.Empty(await AskedAsync());
    }

    [Fact]
    public async Task After_a_restore_that_fails_nothing_starts()
    {
        var (code, text) = await copy.RunAsync(
            "NOTHING_RUNS=yes ENDS_WITH=78 ./up --restore old.backup --no-build --replace --undelivered"
        );

        Assert.True(code == 78, text);
        Assert.Collection(
            await AskedAsync(),
            asked => Assert.Equal("compose up --no-start --no-build", asked),
            asked => Assert.EndsWith(" restore /backup/old.backup --replace --undelivered", asked, StringComparison.Ordinal)
        );
    }

    /// <summary>What it was asked to do; questions are left out.</summary>
    async Task<IReadOnlyList<string>> AskedAsync() =>
        [
            .. (await copy.ReadAsync("asked"))
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Where(asked =>
                    asked.Split(' ')[0] is "run" or "stop" or "start"
                    || new[] { " stop ", " run ", " up " }.Any(verb => asked.Contains(verb, StringComparison.Ordinal))
                ),
        ];
}
