using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

public sealed class SlotDirectoryTests : IDisposable
{
    readonly TempDirectory directory = new();

    public SlotDirectoryTests() => Directory.CreateDirectory(SlotDirectory.Root(directory.Path));

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Has_one_owner_while_others_take_and_retire_it()
    {
        var owners = 0;
        var taken = 0;

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(TakeAndRetire)));

        Assert.True(taken > 100, $"taken {taken} times");

        void TakeAndRetire()
        {
            for (var i = 0; i < 3000; i++)
            {
                using var slot = SlotDirectory.TryTake(directory.Path, "slot-0", "test");
                if (slot is null)
                    continue;
                Assert.Equal(1, Interlocked.Increment(ref owners));
                Interlocked.Increment(ref taken);
                File.WriteAllText(Path.Combine(slot.Path, "kept"), "");
                Thread.Yield();
                Assert.True(File.Exists(Path.Combine(slot.Path, "kept")));
                slot.Retire();
                Assert.Equal(0, Interlocked.Decrement(ref owners));
            }
        }
    }
}
