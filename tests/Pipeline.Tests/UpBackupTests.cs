namespace ThermalStreaming.Pipeline.Tests;

/// <summary>What <c>./up --backup</c> and <c>--restore</c> ask of Docker, and in which order.</summary>
public sealed class UpBackupTests : IDisposable
{
    readonly FakeDocker docker = new();

    public void Dispose() => docker.Dispose();

    string Backup => Path.Combine(docker.Directory, "thermal.backup");

    [Fact]
    public async Task A_backup_empties_and_stops_the_services_copies_and_starts_the_same_containers()
    {
        var (code, text) = await docker.UpAsync(0, "--backup", Backup);

        Assert.True(code == 0, text);
        Assert.Collection(
            docker.Calls,
            call => Assert.Equal("compose stop sensor-agent mosquitto", call),
            call => Assert.EndsWith("run --rm --no-deps -T cli flush --timeout 60s", call, StringComparison.Ordinal),
            call => Assert.Equal("stop -t 30 one two", call),
            call =>
            {
                Assert.Contains($"type=bind,source={docker.Directory}/,target=/backup", call, StringComparison.Ordinal);
                Assert.Contains(
                    "--mount type=volume,source=fake_s3-forwarder-data,target=/volumes/s3-forwarder-data,volume-nocopy",
                    call,
                    StringComparison.Ordinal
                );
                Assert.DoesNotContain("0123456789abcdef", call, StringComparison.Ordinal);
                Assert.Contains("--network none", call, StringComparison.Ordinal);
                Assert.Contains(" backup /backup/thermal.backup --owner ", call, StringComparison.Ordinal);
            },
            call => Assert.Equal("start one two", call)
        );
    }

    [Fact]
    public async Task A_backup_that_fails_starts_them_too()
    {
        var (code, _) = await docker.UpAsync(1, "--backup", Backup);

        Assert.Equal((1, "start one two"), (code, docker.Calls[^1]));
    }

    [Fact]
    public async Task So_does_one_that_is_interrupted()
    {
        var (code, text) = await docker.InterruptAsync("--backup", Backup);

        Assert.Equal((130, "start one two"), (code, docker.Calls[^1]));
        Assert.Contains("interrupted: there is no backup", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_nothing_runs_nothing_is_started()
    {
        docker.Running = [];

        var (code, text) = await docker.UpAsync(0, "--backup", Backup);

        Assert.True(code == 0, text);
        Assert.Contains(" backup /backup/thermal.backup", Assert.Single(docker.Calls), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_restore_is_refused_while_services_run()
    {
        await File.WriteAllTextAsync(Backup, "", TestContext.Current.CancellationToken);

        var (code, text) = await docker.UpAsync(0, "--restore", Backup, "--no-build");

        Assert.Equal(1, code);
        Assert.Contains("services of this project run", text, StringComparison.Ordinal);
        Assert.DoesNotContain(docker.Calls, call => call.Contains(" restore ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task After_a_restore_that_fails_nothing_starts()
    {
        docker.Running = [];
        await File.WriteAllTextAsync(Backup, "", TestContext.Current.CancellationToken);

        var (code, _) = await docker.UpAsync(78, "--restore", Backup, "--no-build", "--replace", "--undelivered");

        Assert.Equal(78, code);
        Assert.Contains("compose up --no-start --no-build", docker.Calls);
        Assert.EndsWith(" restore /backup/thermal.backup --replace --undelivered", docker.Calls[^1], StringComparison.Ordinal);
        Assert.DoesNotContain(docker.Calls, call => call.Contains("up -d", StringComparison.Ordinal));
    }
}
