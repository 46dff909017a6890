using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

public sealed class SlotDirectoryTests : IDisposable
{
    readonly TempDirectory directory = new();

    public SlotDirectoryTests() => Directory.CreateDirectory(SlotDirectory.Root(directory.Path));

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Is_whole_or_gone_while_it_is_retired()
    {
        const int files = 5000;
        using var slot = SlotDirectory.TryTake(directory.Path, "slot-0", "test")!;
        for (var i = 0; i < files; i++)
            File.WriteAllBytes(Path.Combine(slot.Path, $"{i}"), []);

        var retiring = Task.Run(slot.Retire);
        var seen = files;
        while (seen == files && !retiring.IsCompleted)
            seen = Whole();
        await retiring;

        Assert.Equal(files, seen);
        Assert.Empty(Directory.GetDirectories(SlotDirectory.Root(directory.Path)));

        int Whole()
        {
            try
            {
                var count = Directory.EnumerateFiles(slot.Path).Count();
                // What was being read may have been renamed meanwhile.
                return Directory.Exists(slot.Path) ? count : files;
            }
            catch (DirectoryNotFoundException)
            {
                return files;
            }
        }
    }

    [Fact]
    public void What_was_left_of_a_retirement_that_was_cut_short_is_deleted()
    {
        var root = SlotDirectory.Root(directory.Path);
        Directory.CreateDirectory(Path.Combine(root, "retired-abc", "journal"));
        Directory.CreateDirectory(Path.Combine(root, "slot-1"));

        SlotDirectory.FinishRetiring(directory.Path);

        Assert.Equal([Path.Combine(root, "slot-1")], Directory.GetDirectories(root));
        Assert.Equal(["slot-1"], SlotDirectory.Names(directory.Path));
    }

    [Fact]
    public async Task Has_one_owner_while_others_take_and_retire_it()
    {
        var owners = 0;

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(TakeAndRetire)));

        void TakeAndRetire()
        {
            for (var taken = 0; taken < 50; )
            {
                using var slot = SlotDirectory.TryTake(directory.Path, "slot-0", "test");
                if (slot is null)
                {
                    Thread.Yield();
                    continue;
                }
                Assert.Equal(1, Interlocked.Increment(ref owners));
                taken++;
                File.WriteAllText(Path.Combine(slot.Path, "kept"), "");
                Thread.Yield();
                Assert.True(File.Exists(Path.Combine(slot.Path, "kept")));
                slot.Retire();
                Assert.Equal(0, Interlocked.Decrement(ref owners));
            }
        }
    }
}
