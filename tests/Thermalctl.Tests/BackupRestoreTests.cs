// There is no other system than Linux.
#pragma warning disable CA1416
using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>What a restore asks for before it begins, and what it leaves when it is interrupted.</summary>
public sealed class BackupRestoreTests : BackupTestBase
{
    [Fact]
    public void Volumes_that_hold_data_are_not_touched()
    {
        FillOld();
        Backup();
        File.WriteAllText(Path.Combine(New, "control-cli/token"), "in use");
        var before = Snapshot(New);

        var failure = Assert.Throws<FailureException>(() => Restore());

        Assert.Contains("1 volumes hold data already: control-cli", failure.Message, StringComparison.Ordinal);
        Assert.Contains("./up --reset", failure.Message, StringComparison.Ordinal);
        Assert.Equal(before, Snapshot(New));
    }

    [Fact]
    public void With_consent_what_they_hold_is_replaced_by_all_and_only_the_backup()
    {
        FillOld();
        Backup();
        Directory.CreateDirectory(Path.Combine(New, "s3-forwarder-data/empty/not a file"));
        File.WriteAllText(Path.Combine(New, "s3-forwarder-data/empty/not a file/x"), "x");
        File.CreateSymbolicLink(Path.Combine(New, "s3-forwarder-data/elsewhere"), Old);

        Restore(replaces: true);

        Assert.Equal(Snapshot(Old), Snapshot(New));
        Assert.True(File.Exists(Path.Combine(Old, "snowpipe-forwarder-data/large")));
    }

    [Fact]
    public void A_service_that_runs_keeps_its_volume()
    {
        FillOld();
        Backup();
        File.WriteAllText(Path.Combine(New, "s3-forwarder-data/ledger.lock"), "");
        var before = Snapshot(New);
        FailureException failure;
        using (FileLock.TryTake(Path.Combine(New, "s3-forwarder-data/ledger.lock")))
            failure = Assert.Throws<FailureException>(() => Restore(replaces: true));

        Assert.Contains("is in use", failure.Message, StringComparison.Ordinal);
        Assert.Equal(before, Snapshot(New));
    }

    [Fact]
    public void A_volume_that_the_new_installation_lacks_is_named()
    {
        FillOld();
        Backup();
        Directory.Delete(Path.Combine(New, "control-cli"));

        var failure = Assert.Throws<FailureException>(() => Restore());

        Assert.Contains("no volume control-cli", failure.Message, StringComparison.Ordinal);
        Assert.Contains("COMPOSE_FILE", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_clock_before_the_backup_is_refused()
    {
        FillOld();
        Backup();
        clock.Offset = TimeSpan.FromDays(-400);

        var failure = Assert.Throws<FailureException>(() => Restore());

        Assert.Contains("before the backup was made", failure.Message, StringComparison.Ordinal);
        Assert.Empty(FilesIn(New));
    }

    [Fact]
    public async Task What_was_not_delivered_needs_consent()
    {
        FillOld();
        using (var journal = Open("s3-forwarder-data/slots/slot-0/journal"))
            await journal.AppendAsync(new JournalRecord(new byte[10], 3), CancellationToken.None);

        var made = Backup();
        var failure = Assert.Throws<FailureException>(() => Restore());
        var before = FilesIn(New);
        Restore(deliversAgain: true);

        Assert.Equal(3, made.Undelivered.InJournals);
        Assert.Contains("3 of the s3-forwarder's journals", failure.Message, StringComparison.Ordinal);
        Assert.Contains("--undelivered", failure.Message, StringComparison.Ordinal);
        Assert.Empty(before);
        Assert.True(File.Exists(Path.Combine(New, "s3-forwarder-data/slots/slot-0/journal/epoch")));
    }

    [Fact]
    public async Task A_forwarders_journal_continues_behind_every_offset_that_the_original_may_have_given_out()
    {
        FillOld();
        string epoch;
        using (var journal = Open("snowpipe-forwarder-data/slots/slot-0/journal"))
        {
            await journal.AppendAsync(new JournalRecord(new byte[10], 3), CancellationToken.None);
            epoch = journal.Epoch;
        }
        Backup();

        Restore();

        using var restored = DurableJournal.Open(
            new JournalOptions { Directory = Path.Combine(New, "snowpipe-forwarder-data/slots/slot-0/journal"), FreeSpaceReserveBytes = 0 },
            TimeProvider.System,
            NullLogger.Instance
        );
        Assert.Equal((epoch, 3L), (restored.Epoch, restored.BacklogReadings));
        Assert.True(restored.NextOffset > 1L << 40, $"{restored.NextOffset}");
        var segments = Directory.GetFiles(Path.Combine(New, "snowpipe-forwarder-data/slots/slot-0/journal"), "*.segment").Order().ToList();
        var (old, made) = (SystemCalls.StatusOf(segments[0]), SystemCalls.StatusOf(segments[1]));
        Assert.Equal((old.User, old.Group), (made.User, made.Group));
    }

    [Fact]
    public void A_restore_that_is_interrupted_anywhere_starts_nothing_and_can_be_done_again()
    {
        FillOld();
        Backup();
        var (random, seed) = Seed.Next();
        var interrupted = 0;
        for (var round = 0; round < 20; round++)
        {
            using var stop = new CancellationTokenSource();
            var (at, calls) = (random.Next(1, 120), 0);
            clock.OnCall = _ =>
            {
                if (++calls == at)
                    stop.Cancel();
            };
            try
            {
                Restore(replaces: round > 0, cancellationToken: stop.Token);
            }
            catch (OperationCanceledException)
            {
                interrupted++;
            }
            clock.OnCall = _ => { };
            if (RestoreMark.IsIn(Path.Combine(New, "mosquitto-authority")))
            {
                var refused = Assert.Throws<FailureException>(() => RestoreMark.Refuse(Path.Combine(New, "mosquitto-authority")));
                Assert.Equal(ExitCodes.BadConfiguration, refused.ExitCode);
                Restore();
            }
            else if (FilesIn(New).Length == 0)
            {
                continue;
            }
            Assert.True(Snapshot(Old).SequenceEqual(Snapshot(New)), $"round {round}, THERMAL_TEST_SEED={seed}");
        }
        Assert.True(interrupted > 0, $"none of the restores was interrupted, THERMAL_TEST_SEED={seed}");
    }

    [Fact]
    public void A_half_restored_volume_is_not_backed_up()
    {
        FillOld();
        RestoreMark.Set([Path.Combine(Old, "mosquitto-authority")], "some.backup");

        var failure = Assert.Throws<FailureException>(() => Backup());

        Assert.Contains("a restore was interrupted", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void On_a_full_disk_it_stops_and_goes_through_when_there_is_space()
    {
        FillOld();
        Backup();
        using var small = new SmallFileSystem(directory.File("small"), megabytes: 8);
        foreach (var volume in Directory.GetDirectories(Old).Select(Path.GetFileName))
            Directory.CreateDirectory(Path.Combine(small.Path, volume!));
        File.WriteAllBytes(Path.Combine(small.Path, "ballast"), new byte[5_000_000]);

        var failure = Assert.Throws<FailureException>(() => Restore(volumes: small.Path));

        Assert.Contains("the restore was interrupted", failure.Message, StringComparison.Ordinal);
        Assert.Contains("No space left", failure.Message, StringComparison.Ordinal);
        Assert.True(RestoreMark.IsIn(Path.Combine(small.Path, "mosquitto-authority")));
        File.Delete(Path.Combine(small.Path, "ballast"));

        Restore(volumes: small.Path);

        Assert.Equal(Snapshot(Old), Snapshot(small.Path));
    }

    DurableJournal Open(string name) => DurableJournal.Open(Journal(name), TimeProvider.System, NullLogger.Instance);
}
