namespace ThermalStreaming.Pipeline.Tests;

/// <summary>What has arrived of both kinds.</summary>
sealed record StoredReadings(Arrived Thermal, Arrived Inverter)
{
    /// <summary>The rows of the table, and the objects of the bucket. Inverter readings may be among the valid or the quarantined.</summary>
    public static async Task<StoredReadings> FetchAsync(Emulator emulator, Bucket bucket) =>
        new(
            Arrived.From(await emulator.RowsAsync()),
            Arrived.From((await bucket.ObjectsAsync()).SelectMany(stored => stored.Lines).Select(Reading))
        );

    /// <summary>A quarantined line holds its reading and the reasons.</summary>
    static System.Text.Json.JsonElement Reading(System.Text.Json.JsonElement line) =>
        line.TryGetProperty("reading", out var reading) ? reading : line;
}
