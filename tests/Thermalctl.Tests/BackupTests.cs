// There is no other system than Linux.
#pragma warning disable CA1416
using System.Diagnostics;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>What a backup holds, and that a restore gives back just that.</summary>
public sealed class BackupTests : BackupTestBase
{
    [Fact]
    public void A_restore_gives_back_every_file_with_its_content_owner_mode_and_time()
    {
        FillOld();

        var made = Backup();
        var restored = Restore();

        Assert.Equal(Snapshot(Old), Snapshot(New));
        Assert.Equal("0123abcd", made.Installation);
        Assert.Equal(made.Files, restored.Files);
        Assert.True(made.Undelivered.IsNone);
    }

    [Fact]
    public void The_backup_is_for_its_owner_alone_and_nothing_else_is_left()
    {
        FillOld();

        Backup();

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Archive));
        Assert.Equal(["new", "old", "thermal.backup"], Directory.GetFileSystemEntries(directory.Path).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void A_backup_does_not_replace_another()
    {
        FillOld();
        File.WriteAllText(Archive, "the only one");

        var failure = Assert.Throws<FailureException>(() => Backup());

        Assert.Contains("exists already", failure.Message, StringComparison.Ordinal);
        Assert.Equal("the only one", File.ReadAllText(Archive));
    }

    [Fact]
    public void What_stands_in_for_other_services_is_left_out()
    {
        FillOld();
        foreach (var name in new[] { "snowflake-data", "localstack-data", "prometheus-data", "grafana-data" })
            Write($"{name}/file", "x");

        var names = Backup().Volumes.Select(volume => volume.Name);

        Assert.Equal(["control-cli", "mosquitto-authority", "s3-forwarder-data", "snowpipe-forwarder-data"], names);
    }

    [Theory]
    [InlineData("grows")]
    [InlineData("shrinks")]
    [InlineData("changes")]
    [InlineData("vanishes")]
    public void A_file_that_something_writes_to_meanwhile_ends_the_backup(string what)
    {
        FillOld();
        var path = Path.Combine(Old, "snowpipe-forwarder-data/large");
        // The time of day is asked for first when all files were read once and the archive begins.
        clock.OnTimeOfDay = () => Spoil(path, what);

        var failure = Assert.Throws<FailureException>(() => Backup());

        Assert.StartsWith("the backup was not made", failure.Message, StringComparison.Ordinal);
        Assert.Contains(path, failure.Message, StringComparison.Ordinal);
        Assert.Equal(["new", "old"], Directory.GetDirectories(directory.Path).Select(Path.GetFileName).Order());
        Assert.Empty(Directory.GetFiles(directory.Path));
    }

    [Fact]
    public void A_service_that_runs_is_found()
    {
        FillOld();
        using var journal = DurableJournal.Open(
            Journal("snowpipe-forwarder-data/slots/slot-0/journal"),
            TimeProvider.System,
            Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance
        );

        var failure = Assert.Throws<FailureException>(() => Backup());

        Assert.Contains("slot-0/journal/lock is in use", failure.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Archive));
    }

    [Fact]
    public void A_pipe_in_a_volume_is_named()
    {
        FillOld();
        using var made = Process.Start("mkfifo", Path.Combine(Old, "control-cli/pipe"));
        made.WaitForExit();

        var failure = Assert.Throws<FailureException>(() => Backup());

        Assert.Contains("control-cli/pipe cannot be backed up", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_volume_there_is_nothing_to_back_up()
    {
        Directory.Delete(Old, recursive: true);
        Directory.CreateDirectory(Old);

        Assert.Contains("nothing to back up", Assert.Throws<FailureException>(() => Backup()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_backup_that_is_interrupted_leaves_nothing()
    {
        FillOld();
        using var stop = new CancellationTokenSource();
        clock.OnCall = call =>
        {
            if (call > 3)
                stop.Cancel();
        };

        Assert.ThrowsAny<OperationCanceledException>(() => Backup(stop.Token));

        Assert.Empty(Directory.GetFiles(directory.Path));
    }

    [Fact]
    public void A_full_disk_is_named_and_left_as_it_was()
    {
        FillOld();
        using var small = new SmallFileSystem(directory.File("small"), megabytes: 1);

        var failure = Assert.Throws<FailureException>(() =>
            new BackupWriter(Old, Narrator, clock).Write(Path.Combine(small.Path, "thermal.backup"), CancellationToken.None)
        );

        Assert.Contains("No space left", failure.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(small.Path));
    }

    [Fact]
    public async Task The_program_itself_makes_and_restores_one()
    {
        FillOld();

        var made = await OperatorProcess.RunAsync("backup", Archive, "--volumes", Old);
        var refused = await OperatorProcess.RunAsync("backup", Archive, "--volumes", Old);
        var restored = await OperatorProcess.RunAsync("restore", Archive, "--volumes", New);

        Assert.True(made.ExitCode == ExitCodes.Ok, made.Error);
        Assert.Contains("holds every key and password", made.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Failed, refused.ExitCode);
        Assert.Contains("exists already", refused.Error, StringComparison.Ordinal);
        Assert.True(restored.ExitCode == ExitCodes.Ok, restored.Error);
        Assert.Equal(Snapshot(Old), Snapshot(New));
    }

    void Spoil(string path, string what)
    {
        clock.OnTimeOfDay = () => { };
        switch (what)
        {
            case "grows":
                File.AppendAllText(path, "more");
                break;
            case "shrinks":
                using (var file = File.OpenWrite(path))
                    file.SetLength(10);
                break;
            case "changes":
                using (var file = File.OpenWrite(path))
                    file.WriteByte((byte)(File.ReadAllBytes(path)[0] ^ 1));
                break;
            default:
                File.Delete(path);
                break;
        }
    }
}
