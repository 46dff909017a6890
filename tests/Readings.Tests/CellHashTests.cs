namespace ThermalStreaming.Readings.Tests;

/// <summary>Which cell a device belongs to.</summary>
public sealed class CellHashTests
{
    static readonly string[] devices = [.. Enumerable.Range(0, 20_000).Select(i => $"pi-{i}")];

    /// <summary>Computed with sha256sum of DEVICE/CELL: other programs may compute it, so it must not change.</summary>
    [Theory]
    [InlineData("pi-attic", 1, 0)]
    [InlineData("pi-attic", 2, 1)]
    [InlineData("pi-attic", 4, 1)]
    [InlineData("pi-cellar", 4, 1)]
    [InlineData("shelly-porch", 4, 3)]
    [InlineData("Wohnzimmer-Süd", 5, 0)]
    [InlineData("pi-attic", 1000, 372)]
    public void The_formula_is_a_contract(string device, int cells, int expected) => Assert.Equal(expected, CellHash.CellOf(device, cells));

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(8)]
    [InlineData(40)]
    public void Each_cell_gets_its_share(int cells)
    {
        var share = (double)devices.Length / cells;
        // Five standard deviations of a fair draw.
        var tolerance = 5 * Math.Sqrt(share * (1 - 1.0 / cells));

        var counts = devices.GroupBy(device => CellHash.CellOf(device, cells)).ToDictionary(cell => cell.Key, cell => cell.Count());

        Assert.Equal(cells, counts.Count);
        Assert.All(counts.Values, count => Assert.InRange(count, share - tolerance, share + tolerance));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    public void One_cell_more_takes_only_what_it_gets(int cells)
    {
        var moved = 0;
        foreach (var device in devices)
        {
            var (before, after) = (CellHash.CellOf(device, cells), CellHash.CellOf(device, cells + 1));
            Assert.True(after == before || after == cells, $"{device} went from cell {before} to {after} of {cells + 1}");
            moved += after == cells ? 1 : 0;
        }
        Assert.InRange(moved, 0.9 * devices.Length / (cells + 1), 1.1 * devices.Length / (cells + 1));
    }
}
