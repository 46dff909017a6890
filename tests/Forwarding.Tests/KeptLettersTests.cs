using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>The number of kept letters is that of the files, whoever changes them.</summary>
public sealed class KeptLettersTests : IDisposable
{
    readonly TempDirectory directory = new();

    public void Dispose() => directory.Dispose();

    DeadLetters Open() => new(directory.File("letters"), 64 << 20, TimeProvider.System, NullLogger.Instance);

    static void Keep(DeadLetters letters, int count)
    {
        for (var i = 0; i < count; i++)
            letters.Add(new DeadLetter($"reason {i}", "telemetry/v1/pi/thermal", null, 0, "x"u8.ToArray()), DeadLetterOrigin.Unread);
        letters.Flush();
    }

    [Fact]
    public async Task Those_of_an_earlier_process_and_of_another_replica_count_and_those_that_are_gone_do_not()
    {
        var first = Open();
        Assert.Equal(0, first.Kept);
        Keep(first, 3);
        Assert.Equal((3, 3), (first.Count, first.Kept));

        var second = Open();
        Assert.Equal((0, 3), (second.Count, second.Kept));
        Keep(second, 2);
        Assert.Equal(5, first.Kept);

        var shelf = new DeadLetterShelf(directory.File("letters"));
        var replay = new DeadLetterReplay(directory.File("letters"), TimeProvider.System);
        await replay.QueueAsync([shelf.From(null).First().Id], CancellationToken.None);
        Assert.Equal((4, 4), (first.Kept, second.Kept));

        await replay.QueueAllAsync(CancellationToken.None);
        Assert.Equal((0, 0), (first.Kept, second.Kept));
        Assert.Equal((3, 2), (first.Count, second.Count));
    }
}
