using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Testing;
using ThermalStreaming.Hosting;
using ThermalStreaming.Journal;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>Which objects the sink notes, and what happens when they cannot be noted.</summary>
public sealed class LoadWatchTests : SinkTest
{
    readonly FakeLogCollector log = new();

    [Fact]
    public async Task Each_object_that_Snowpipe_loads_is_noted_with_its_rows_and_no_quarantined_one()
    {
        Spool.AddInverters(6, change: (i, reading) => reading.TemperatureC = i == 0 ? 5000 : 40);
        var (list, watch) = NewWatch();

        await Spool.DeliverAsync(NewSink(watch));

        var noted = list.Read().Files;
        Assert.Equal(
            S3.In().Select(entry => $"s3://readings/{entry.Key}").Where(key => key.Contains("/inverter-data/", StringComparison.Ordinal)),
            noted.Select(file => file.Address).Order(StringComparer.Ordinal)
        );
        Assert.Equal(5, noted.Sum(file => file.Rows));
        Assert.Contains(S3.In(), entry => entry.Key.StartsWith("inverter-quarantine/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task After_a_crash_before_the_commit_the_same_objects_are_noted_and_none_twice()
    {
        Spool.AddInverters(6);
        var (list, watch) = NewWatch();
        await Spool.DeliverAsync(NewSink(watch), loseCursor: true);
        var before = list.Read().Files.Select(file => file.Address).ToList();

        await Spool.DeliverAsync(NewSink(watch));

        Assert.Equal(before, list.Read().Files.Select(file => file.Address));
        AssertOnce(6);
    }

    [Fact]
    public async Task A_disk_that_refuses_holds_up_no_upload_and_everything_is_noted_later()
    {
        Spool.AddInverters(6);
        var (list, watch) = NewWatch();
        Directory.CreateDirectory(list.Path);

        await Spool.DeliverAsync(NewSink(watch));
        Directory.Delete(list.Path);
        Spool.AddInverters(6);
        await Spool.DeliverAsync(NewSink(watch));

        Assert.Equal(12, list.Read().Files.Sum(file => file.Rows));
        Assert.Contains("Uploads continue", Assert.Single(log.GetSnapshot()).Message, StringComparison.Ordinal);
        AssertOnce(12);
    }

    [Fact]
    public async Task A_replica_that_is_frozen_with_the_list_in_hand_holds_up_no_upload_and_everything_is_noted_later()
    {
        Spool.AddInverters(6);
        var (list, watch) = NewWatch();
        using (FileLock.TryTake(list.Path + ".lock"))
            await Spool.DeliverAsync(NewSink(watch)).WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System);
        Spool.AddInverters(6);
        await Spool.DeliverAsync(NewSink(watch));

        Assert.Equal(12, list.Read().Files.Sum(file => file.Rows));
        Assert.Contains("frozen", Assert.Single(log.GetSnapshot()).Message, StringComparison.Ordinal);
        AssertOnce(12);
    }

    (LoadListFile List, LoadWatch Watch) NewWatch()
    {
        var list = new LoadListFile(Spool.DirectoryPath);
        var options = new LoadOptions
        {
            Account = null,
            User = "",
            Url = new Uri("http://127.0.0.1:9"),
            KeyFile = "",
            Key = null,
            Database = "DEMO",
            Schema = "DEMO",
            Pipe = "INVERTER_PIPE",
            StageUrl = "s3://readings/inverter-data/",
        };
        var client = new LoadClient(options, TimeProvider.System, new FakeLogger<LoadClient>(log));
        var figures = new LoadFigures(new Meter("tests"), new StatusPage(), TimeProvider.System);
        return (list, new LoadWatch(list, client, figures, new FakeLogger<LoadWatch>(log)));
    }

    S3Sink NewSink(LoadWatch watch)
    {
        var options = Options();
        return Spool.NewSink(options, S3Client.Create(options, 1), watch: watch);
    }
}
