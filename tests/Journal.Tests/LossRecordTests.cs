using ThermalStreaming.Testing;

namespace ThermalStreaming.Journal.Tests;

public sealed class LossRecordTests : IDisposable
{
    static readonly DateTimeOffset found = new(2026, 11, 20, 10, 0, 0, TimeSpan.Zero);

    readonly TempDirectory temp = new();
    readonly UnreliableDisk disk = new(new Random(0));

    public void Dispose() => temp.Dispose();

    [Fact]
    public void A_place_that_is_found_again_or_grows_is_counted_once()
    {
        var record = LossRecord.Load(temp.Path, disk);
        Assert.True(record.Add(0, new Gap(100, 200, 10, 12)));
        Assert.False(record.Add(0, new Gap(100, 200, 10, 12)));
        // By the time it is found again, a part of it had been delivered.
        Assert.False(record.Add(0, new Gap(100, 200, 11, 12)));
        Assert.True(record.Add(0, new Gap(50, 200, 9, 12)));
        Assert.True(record.Add(1000, new Gap(100, 200, 1010, 1011)));
        record.AddRecovered(1);
        record.Save(0);

        var again = LossRecord.Load(temp.Path, disk);
        Assert.Equal((3L, 2L, false), (again.Readings, again.Places, again.IsDirty));
        Assert.False(again.Add(0, new Gap(50, 200, 9, 12)));
    }

    [Fact]
    public void Any_changed_byte_of_one_of_the_two_files_loses_nothing_of_the_count()
    {
        var record = LossRecord.Load(temp.Path, disk);
        for (var i = 0; i < 5; i++)
            record.Add(i * 100, new Gap(100, 200, i * 100, i * 100 + 2, i == 3));
        record.AddRecovered(1);
        record.FoundAt = found;
        record.Save(0);

        foreach (var path in Directory.GetFiles(temp.Path))
        {
            var bytes = File.ReadAllBytes(path);
            for (var i = 0; i < bytes.Length; i++)
            {
                bytes[i] ^= 0x11;
                File.WriteAllBytes(path, bytes);
                bytes[i] ^= 0x11;

                var damaged = LossRecord.Load(temp.Path, disk);
                Assert.Equal((9L, 5L, true), (damaged.Readings, damaged.Places, damaged.IsDirty));
                Assert.Equal(found, damaged.FoundAt);
            }

            File.Delete(path);
            Assert.Equal((9L, 5L), (LossRecord.Load(temp.Path, disk).Readings, LossRecord.Load(temp.Path, disk).Places));
            File.WriteAllBytes(path, bytes);
        }
    }

    [Fact]
    public void Of_very_many_places_those_of_deleted_segments_are_summed_up()
    {
        var record = LossRecord.Load(temp.Path, disk);
        for (var i = 0; i < 2000; i++)
            record.Add(i * 100, new Gap(100, 200, i * 100, i * 100 + 2));
        record.Save(firstSegment: 150_000);

        Assert.InRange(new FileInfo(temp.File(LossRecord.Name)).Length, 1, 100_000);
        var again = LossRecord.Load(temp.Path, disk);
        Assert.Equal((4000L, 2000L), (again.Readings, again.Places));
        Assert.False(again.Add(199_900, new Gap(100, 200, 199_900, 199_902)));
    }
}
