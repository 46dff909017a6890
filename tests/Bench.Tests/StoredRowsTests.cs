namespace ThermalStreaming.Bench.Tests;

/// <summary>The count of what is stored: it must see every kind of mistake.</summary>
public sealed class StoredRowsTests
{
    const int Devices = 3;
    const long Taken = 7;
    readonly DeviceMessages messages = new(seed: 5);

    [Fact]
    public void Each_reading_once_is_exact()
    {
        var rows = new StoredRows(Devices, Taken);
        for (var number = 0; number < Taken; number++)
            Count(rows, number % Devices, number / Devices);

        Assert.True(rows.AreExact);
        Assert.Equal(Taken, rows.Once);
    }

    [Fact]
    public void Missing_repeated_and_foreign_rows_are_told_apart()
    {
        var rows = new StoredRows(Devices, Taken);
        for (var number = 1; number < Taken; number++)
            Count(rows, number % Devices, number / Devices);
        Count(rows, 1, 0);
        Count(rows, 2, 2);
        rows.Count(Row(0, 0, "another boot"), messages);

        Assert.False(rows.AreExact);
        Assert.Equal((1, 1, 2), (rows.Missing, rows.Repeated, rows.Foreign));
    }

    void Count(StoredRows rows, int device, int index) => rows.Count(Row(device, index, messages.BootId(device)), messages);

    static string Row(int device, int index, string boot) =>
        $$"""{"device_id":"{{DeviceMessages.DeviceId(device)}}","boot_id":"{{boot}}","sequence":{{DeviceMessages.FirstSequence + index}}}""";
}
