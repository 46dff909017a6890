using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>What a flood of letters takes. It is measured on the whole process, so nothing else may run.</summary>
[Collection(nameof(Alone))]
public sealed class DeadLetterMemoryTests : IDisposable
{
    readonly TempDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void A_flood_of_refused_readings_takes_bounded_memory_and_stays_under_the_cap()
    {
        const long cap = 16 << 20;
        var letters = new DeadLetters(directory.Path, cap, TimeProvider.System, NullLogger.Instance);
        var payload = Samples.Payload("pi-1", "0123456789abcdef0123456789abcdef", 1, 100);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var peak = 0L;
        var readings = Enumerable
            .Range(0, 60_000)
            .Select(i =>
            {
                if (i % 10_000 == 9_999)
                    peak = Math.Max(peak, GC.GetTotalMemory(forceFullCollection: true) - before);
                return new BatchReading(i, payload, i % 100);
            });

        var kept = letters.Add("refused", readings);

        Assert.Equal(60_000, kept);
        Assert.InRange(peak, 0, 8 << 20);
        Assert.InRange(DeadLetters.Files(directory.Path).Sum(file => new FileInfo(file).Length), cap / 4, cap / 2);
    }
}
