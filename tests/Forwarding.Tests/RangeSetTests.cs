using ThermalStreaming.Testing;

namespace ThermalStreaming.Forwarding.Tests;

public sealed class RangeSetTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(0UL)]
    // The highest number there is, is in reach.
    [InlineData(ulong.MaxValue - 210)]
    public void Says_the_same_as_a_plain_set_after_any_sequence_of_additions(ulong origin)
    {
        var (random, seed) = Seed.Next();
        output.WriteLine($"seed {seed}");
        for (var round = 0; round < 200; round++)
        {
            var ranges = new RangeSet();
            var model = new HashSet<ulong>();
            for (var step = 0; step < 100; step++)
            {
                var first = (ulong)random.Next(0, 200);
                var last = first + (ulong)random.Next(0, 12);
                ranges.Add(origin + first, origin + last);
                for (var value = first; value <= last; value++)
                    model.Add(value);
            }

            for (ulong value = 0; value <= 210; value++)
                Assert.True(
                    model.Contains(value) == ranges.Overlaps(origin + value, origin + value),
                    $"seed {seed}, round {round}, value {value}"
                );
            var neighbours = ranges.Ranges.Zip(ranges.Ranges.Skip(1));
            Assert.All(
                neighbours,
                pair => Assert.True(pair.Second.First > pair.First.Last && pair.Second.First - pair.First.Last > 1, "ranges touch")
            );
        }
    }

    [Fact]
    public void Keeps_one_range_for_numbers_that_come_in_order()
    {
        var ranges = new RangeSet();

        for (ulong value = 1; value <= 10_000; value += 10)
            ranges.Add(value, value + 9);

        Assert.Equal(1, ranges.Count);
        Assert.True(ranges.Overlaps(10_000, 10_000));
        Assert.False(ranges.Overlaps(10_001, 10_001));
    }

    [Fact]
    public void Forgets_the_oldest_when_trimmed()
    {
        var ranges = new RangeSet();
        for (ulong value = 10; value <= 100; value += 10)
            ranges.Add(value, value);

        ranges.Trim(3);

        Assert.False(ranges.Overlaps(70, 70));
        Assert.True(ranges.Overlaps(80, 80) && ranges.Overlaps(100, 100));
    }
}
