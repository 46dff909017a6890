using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>Floods of dead letters against the letters of others.</summary>
[Trait("Category", "Security")]
public sealed class DeadLetterBudgetTests(ITestOutputHelper output) : IDisposable
{
    const long Cap = 4 << 20,
        Budget = Cap / 2;

    readonly TempDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData(DeadLetterOrigin.Unread)]
    [InlineData(DeadLetterOrigin.Refused)]
    public void A_device_that_floods_loses_its_own_letters_and_no_other_device_loses_one(DeadLetterOrigin origin)
    {
        var letters = Open();
        Keep(letters, origin, "honest-1", "first");
        for (var i = 0; i < 300; i++)
        {
            Keep(letters, origin, "flood", "", 30_000);
            if (i % 100 == 50)
                Keep(letters, origin, "honest-2", $"during {i}");
        }

        Keep(letters, origin, "honest-3", "last");
        Keep(letters, origin, "flood", "", 30_000);

        var left = DeadLetters.ReadAll(directory.Path).ToList();
        Assert.Equal(
            ["during 150", "during 250", "during 50", "first", "last"],
            left.Select(letter => letter.Reason).Where(reason => reason.Length > 0).Order(StringComparer.Ordinal)
        );
        Assert.InRange(Bytes(), Budget / 2, Budget);
        Assert.True(letters.Deleted(origin) > 0);
        Assert.Equal(306, left.Count + letters.Deleted(origin));
    }

    [Theory]
    [InlineData(DeadLetterOrigin.Unread, DeadLetterOrigin.Refused)]
    [InlineData(DeadLetterOrigin.Refused, DeadLetterOrigin.Unread)]
    public void A_flood_of_one_origin_costs_no_letter_of_the_other_even_of_the_same_device(DeadLetterOrigin flooded, DeadLetterOrigin other)
    {
        var letters = Open();
        for (var i = 0; i < 30; i++)
            Keep(letters, other, "pi-1", "kept", 30_000);
        for (var i = 0; i < 300; i++)
            Keep(letters, flooded, "pi-1", "", 30_000);

        Assert.Equal(30, DeadLetters.ReadAll(directory.Path).Count(letter => letter.Reason == "kept"));
        Assert.Equal(0, letters.Deleted(other));
        Assert.InRange(Bytes(), Budget, Cap);
    }

    [Fact]
    public async Task Replicas_that_share_the_directory_stay_within_one_budget_and_spare_honest_letters()
    {
        const int Replicas = 3,
            Rounds = 150;
        var replicas = Enumerable.Range(0, Replicas).Select(_ => Open()).ToList();

        await Task.WhenAll(
            replicas.Select(
                (letters, replica) =>
                    Task.Run(() =>
                    {
                        for (var i = 0; i < Rounds; i++)
                        {
                            Keep(letters, DeadLetterOrigin.Unread, "flood", "", 30_000);
                            if (i % 50 == 0)
                                Keep(letters, DeadLetterOrigin.Unread, $"honest-{replica}", $"{replica} {i}");
                        }
                    })
            )
        );
        // Nobody else writes meanwhile: now the budget holds to the byte, and what is kept is what one writer keeps.
        for (var i = 0; i < Rounds; i++)
            Keep(replicas[0], DeadLetterOrigin.Unread, "flood", "", 30_000);

        var left = DeadLetters.ReadAll(directory.Path).ToList();
        Assert.Equal(Replicas * Rounds / 50, left.Count(letter => letter.Reason.Length > 0));
        Assert.InRange(Bytes(), Budget / 2, Budget);
        Assert.Equal(
            Replicas * (Rounds + (Rounds / 50)) + Rounds,
            left.Count + replicas.Sum(letters => letters.Deleted(DeadLetterOrigin.Unread))
        );
    }

    [Fact]
    public void A_flood_under_many_names_makes_few_files_and_spares_the_devices_that_had_letters_before()
    {
        var letters = Open();
        Keep(letters, DeadLetterOrigin.Unread, "honest", "kept");

        // As a group of messages comes: with one flush.
        for (var i = 0; i < 1000; i++)
            Add(letters, DeadLetterOrigin.Unread, $"name-{i}", "", 100);
        letters.Flush();
        var afterOneFlush = DeadLetters.Files(directory.Path).Count;
        for (var i = 1000; i < 4000; i++)
        {
            Add(letters, DeadLetterOrigin.Unread, $"name-{i}", "", 1500);
            if (i % 10 == 0)
                letters.Flush();
        }
        letters.Flush();

        Assert.Equal(1 + DeadLetters.MaxPendingDevices + 1, afterOneFlush);
        // Own files, and the shared ones that fit into the budget.
        Assert.InRange(DeadLetters.Files(directory.Path).Count, DeadLetterBudget.MaxDevices, DeadLetterBudget.MaxDevices + 5);
        Assert.Contains(DeadLetters.ReadAll(directory.Path), letter => letter.Reason == "kept");
        Assert.InRange(Bytes(), 1, Budget);
        Assert.True(letters.Deleted(DeadLetterOrigin.Unread) > 0);
    }

    [Fact]
    public void A_service_that_starts_again_and_again_makes_a_bounded_number_of_files()
    {
        for (var start = 0; start < 2 * DeadLetterBudget.MaxFiles; start++)
            Keep(Open(), DeadLetterOrigin.Unread, "pi-1", $"{start}");

        var left = DeadLetters.ReadAll(directory.Path).Select(letter => letter.Reason).ToList();
        Assert.InRange(left.Count, DeadLetterBudget.MaxFiles - 1, DeadLetterBudget.MaxFiles);
        Assert.Contains($"{(2 * DeadLetterBudget.MaxFiles) - 1}", left);
        Assert.DoesNotContain("0", left);
    }

    [Fact]
    public void Files_of_an_earlier_version_are_read_and_count_as_unread_letters_of_one_sender()
    {
        Keep(Open(), DeadLetterOrigin.Unread, "pi-1", "old", 350_000);
        var written = Assert.Single(DeadLetters.Files(directory.Path));
        for (var i = 0; i < 4; i++)
            File.Copy(written, directory.File($"2025010{i}T000000000-0000000{i}.ndjson"));
        File.Delete(written);
        Assert.Equal(4, DeadLetters.ReadAll(directory.Path).Count(letter => letter.Reason == "old"));

        var letters = Open();
        Keep(letters, DeadLetterOrigin.Refused, "pi-2", "refused");
        Keep(letters, DeadLetterOrigin.Unread, "pi-2", "new", 350_000);

        Assert.Equal(3, DeadLetters.ReadAll(directory.Path).Count(letter => letter.Reason == "old"));
        Assert.False(File.Exists(directory.File("20250100T000000000-00000000.ndjson")));
        Assert.Equal(
            ["new", "refused"],
            DeadLetters.ReadAll(directory.Path).Select(letter => letter.Reason).Where(reason => reason != "old").Order()
        );
        Assert.Equal((1, 0), (letters.Deleted(DeadLetterOrigin.Unread), letters.Deleted(DeadLetterOrigin.Refused)));
    }

    [Fact]
    public void One_letter_larger_than_the_budget_costs_no_other_letter()
    {
        var letters = Open();
        Keep(letters, DeadLetterOrigin.Unread, "honest", "kept", 100_000);
        Keep(letters, DeadLetterOrigin.Unread, "flood", "huge", 5_000_000);
        Assert.Equal(2, DeadLetters.ReadAll(directory.Path).Count());

        Keep(letters, DeadLetterOrigin.Unread, "honest", "next");

        Assert.Equal(["kept", "next"], DeadLetters.ReadAll(directory.Path).Select(letter => letter.Reason));
        Assert.InRange(Bytes(), 1, Budget);
    }

    /// <summary>What a kill leaves: a file that ends in the middle of a letter.</summary>
    [Fact]
    public void After_a_kill_in_the_middle_of_writing_the_whole_letters_are_there_and_new_ones_follow()
    {
        var (random, seed) = Seed.Next();
        output.WriteLine($"THERMAL_TEST_SEED={seed}");
        for (var round = 0; round < 20; round++)
        {
            foreach (var file in DeadLetters.Files(directory.Path))
                File.Delete(file);
            var killed = Open();
            for (var i = 0; i < 5; i++)
                Keep(killed, DeadLetterOrigin.Unread, $"pi-{i}", $"before {i}");
            var torn = DeadLetters.Files(directory.Path)[random.Next(5)];
            var whole = new FileInfo(torn).Length;
            File.AppendAllBytes(torn, File.ReadAllBytes(torn)[..random.Next((int)whole - 1)]);

            var next = Open();
            for (var i = 0; i < 5; i++)
                Keep(next, DeadLetterOrigin.Unread, $"pi-{i}", $"after {i}");

            Assert.Equal(
                Enumerable.Range(0, 5).SelectMany(i => new[] { $"after {i}", $"before {i}" }).Order(),
                DeadLetters.ReadAll(directory.Path).Select(letter => letter.Reason).Order()
            );
        }
    }

    [Fact]
    public void Letters_that_the_disk_refused_are_written_once_by_the_next_flush()
    {
        var place = directory.File("dead-letters");
        File.WriteAllText(place, "in the way");
        var letters = new DeadLetters(place, Cap, TimeProvider.System, NullLogger.Instance);
        Add(letters, DeadLetterOrigin.Unread, "pi-1", "one");
        Add(letters, DeadLetterOrigin.Unread, "pi-2", "two");
        Assert.ThrowsAny<IOException>(letters.Flush);

        File.Delete(place);
        letters.Flush();
        letters.Flush();

        Assert.Equal(["one", "two"], DeadLetters.ReadAll(place).Select(letter => letter.Reason).Order());
    }

    [Theory]
    [InlineData("telemetry/v1/pi-1/thermal", "telemetry/v1/pi-1/inverter", true)]
    [InlineData("telemetry/v1/pi-1/thermal", "telemetry/v1/pi-2/thermal", false)]
    [InlineData("telemetry/v1/pi-1/thermal", "telemetry/v1/pi-1/more/levels", true)]
    [InlineData("", "pi-1", false)]
    public void The_owner_of_a_letter_is_its_device_and_a_file_name_says_so(string one, string other, bool same)
    {
        var owner = DeadLetterOwner.Of(DeadLetterOrigin.Refused, one);

        Assert.Equal(same, owner == DeadLetterOwner.Of(DeadLetterOrigin.Refused, other));
        Assert.NotEqual(owner, DeadLetterOwner.Of(DeadLetterOrigin.Unread, one));
        Assert.Equal(owner, DeadLetterOwner.OfFile($"/data/dead-letters/replay/{owner.NewFileName(DateTimeOffset.UnixEpoch)}.slot-0"));
    }

    [Fact]
    public async Task A_letter_that_was_picked_out_of_its_file_does_not_count_as_deleted_with_it()
    {
        var letters = Open();
        for (var i = 0; i < 3; i++)
            Add(letters, DeadLetterOrigin.Unread, "pi-1", $"{i}", 100_000);
        letters.Flush();
        var picked = new DeadLetterShelf(directory.Path).From(null).Skip(1).First().Id;
        Assert.Equal(1, await new DeadLetterReplay(directory.Path, TimeProvider.System).QueueAsync([picked], CancellationToken.None));

        for (var i = 0; letters.Deleted(DeadLetterOrigin.Unread) == 0; i++)
        {
            Assert.InRange(i, 0, 100);
            Keep(letters, DeadLetterOrigin.Unread, "pi-1", "later", 500_000);
        }

        Assert.Equal(2, letters.Deleted(DeadLetterOrigin.Unread));
    }

    [Fact]
    public void Letters_about_files_have_a_sixteenth_of_their_own()
    {
        var letters = Open();
        for (var i = 0; i < 30; i++)
        {
            Keep(letters, DeadLetterOrigin.Unread, "pi-1", "kept", 30_000);
            Keep(letters, DeadLetterOrigin.Refused, "pi-1", "kept", 30_000);
        }
        for (var i = 0; i < 1000; i++)
            Keep(letters, DeadLetterOrigin.Unloaded, "pipe", "", 1000);

        var files = DeadLetters.Files(directory.Path).Where(file => file.Contains("-unloaded-", StringComparison.Ordinal));
        Assert.InRange(files.Sum(file => new FileInfo(file).Length), Cap / 64, Cap / 16);
        Assert.Equal(60, DeadLetters.ReadAll(directory.Path).Count(letter => letter.Reason == "kept"));
        Assert.Equal(
            1000,
            DeadLetters.ReadAll(directory.Path).Count(letter => letter.Reason == "") + letters.Deleted(DeadLetterOrigin.Unloaded)
        );
    }

    DeadLetters Open() => new(directory.Path, Cap, TimeProvider.System, NullLogger.Instance);

    long Bytes() => DeadLetters.Files(directory.Path).Sum(file => new FileInfo(file).Length);

    static void Keep(DeadLetters letters, DeadLetterOrigin origin, string device, string reason, int bytes = 1)
    {
        Add(letters, origin, device, reason, bytes);
        letters.Flush();
    }

    static void Add(DeadLetters letters, DeadLetterOrigin origin, string device, string reason, int bytes = 1) =>
        letters.Add(
            new DeadLetter(reason, Topics.Readings(device, ReadingKind.Thermal), null, 0, Encoding.UTF8.GetBytes(new string('x', bytes))),
            origin
        );
}
