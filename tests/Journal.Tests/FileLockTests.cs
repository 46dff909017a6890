using System.Diagnostics;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Journal.Tests;

public sealed class FileLockTests : IDisposable
{
    readonly TempDirectory temp = new();

    [Fact]
    public void Excludes_another_one_in_this_process_until_it_is_released()
    {
        using var one = FileLock.TryTake(temp.File("lock"))!;
        using var other = FileLock.Open(temp.File("lock"));

        Assert.False(other.TryTake());
        one.Release();
        Assert.True(other.TryTake());
        Assert.Null(FileLock.TryTake(temp.File("lock")));
    }

    [Fact]
    public async Task Is_free_when_it_is_closed_although_processes_are_being_started()
    {
        // Between fork and exec a child holds every descriptor of its parent.
        var starting = Task.Run(() =>
        {
            for (var i = 0; i < 300; i++)
            {
                using var child = Process.Start("true");
                child.WaitForExit();
            }
        });
        while (!starting.IsCompleted)
        {
            var taken = FileLock.TryTake(temp.File("lock"));
            Assert.NotNull(taken);
            taken.Dispose();
        }
        await starting;
    }

    public void Dispose() => temp.Dispose();
}
