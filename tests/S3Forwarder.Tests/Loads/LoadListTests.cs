using ThermalStreaming.Testing;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>The list of objects that await their load, on a disk that loses power.</summary>
public sealed class LoadListTests : IDisposable
{
    static readonly DateTimeOffset at = new(2026, 11, 20, 12, 0, 0, TimeSpan.Zero);

    readonly TempDirectory directory = new();

    LoadListFile List => new(directory.Path);

    [Fact]
    public async Task A_line_that_was_cut_at_any_byte_costs_itself_alone()
    {
        await List.AppendAsync([NewFile(1), NewFile(2)]);
        var whole = await File.ReadAllBytesAsync(List.Path);
        var first = Array.IndexOf(whole, (byte)'\n') + 1;
        // Everything but the line end: then the line is whole.
        for (var length = first + 1; length < whole.Length - 1; length++)
        {
            await File.WriteAllBytesAsync(List.Path, whole[..length]);

            await List.AppendAsync([NewFile(3)]);

            var list = List.Read();
            Assert.Equal([NewFile(1), NewFile(3)], list.Files);
            Assert.Equal(1, list.DamagedLines);
        }
    }

    [Fact]
    public async Task What_is_written_is_read_again_and_the_last_line_of_an_object_counts()
    {
        var failed = new UnloadedFile("s3://b/ü\"\n", at, LoadState.PartiallyLoaded, 7, 3, "not, \"this\"");
        await List.AppendAsync([NewFile(1), NewFile(2)]);
        await List.UpdateAsync(list =>
        {
            list.ScannedUntil = at;
            list.Add(failed);
            list.Put(NewFile(1) with { IsMissed = true, RefreshedAt = at });
            return true;
        });
        await List.AppendAsync([NewFile(2) with { Rows = 5 }]);

        var list = List.Read();

        Assert.Equal([NewFile(1) with { IsMissed = true, RefreshedAt = at }, NewFile(2) with { Rows = 5 }], list.Files);
        Assert.Equal([failed], list.Unloaded);
        Assert.Equal(at, list.ScannedUntil);
        Assert.Equal(0, list.DamagedLines);
    }

    [Fact]
    public async Task Replicas_that_append_and_settle_at_once_lose_nothing()
    {
        const int Each = 50;
        await Task.WhenAll(
            Enumerable
                .Range(0, 4)
                .Select(replica =>
                    Task.Run(async () =>
                    {
                        for (var i = 0; i < Each; i++)
                        {
                            await List.AppendAsync([NewFile(replica * Each + i)]);
                            await List.UpdateAsync(list => list.Remove(NewFile(replica * Each + i - 1 + (i == 0 ? 1_000_000 : 0)).Address));
                        }
                    })
                )
        );

        Assert.Equal(
            [.. Enumerable.Range(1, 4).Select(replica => NewFile(replica * Each - 1))],
            List.Read().Files.OrderBy(file => file.Rows)
        );
    }

    [Fact]
    public async Task A_list_that_nobody_works_on_stops_growing()
    {
        var many = Enumerable.Range(0, 40_000).Select(i => NewFile(i, new string('x', 900))).Chunk(5000);

        await Assert.ThrowsAsync<IOException>(async () =>
        {
            foreach (var some in many)
                await List.AppendAsync(some);
        });

        Assert.InRange(new FileInfo(List.Path).Length, 8 << 20, 16 << 20);
    }

    [Fact]
    public void Only_the_newest_failures_are_kept()
    {
        var list = new LoadList();
        for (var i = 0; i < 30; i++)
            list.Add(new UnloadedFile($"s3://b/{i}", at, LoadState.Failed, 1, 0, ""));

        Assert.Equal(
            [.. Enumerable.Range(10, 20).Select(i => $"s3://b/{i}")],
            LoadList.Parse(list.ToBytes()).Unloaded.Select(file => file.Address)
        );
    }

    static WatchedFile NewFile(int number, string name = "a b ü") =>
        new($"s3://b/{name}-{number}.json", number, at, at + TimeSpan.FromSeconds(3));

    public void Dispose() => directory.Dispose();
}
