using System.Globalization;

namespace ThermalStreaming.Thermalctl;

/// <summary>Reports the progress of long work. Not thread-safe.</summary>
/// <param name="narrator">Receives the reports.</param>
/// <param name="clock">Time.</param>
/// <param name="doing">The current work.</param>
/// <param name="total">Total bytes, if known.</param>
sealed class BackupProgress(Narrator narrator, TimeProvider clock, string doing, long? total)
{
    static readonly TimeSpan interval = TimeSpan.FromSeconds(5);
    static readonly TimeSpan shortest = TimeSpan.FromMilliseconds(200);

    long done;
    long shownAt = clock.GetTimestamp();
    long saidAt = clock.GetTimestamp();

    public void Add(long bytes)
    {
        done += bytes;
        if (clock.GetElapsedTime(shownAt) < shortest)
            return;
        shownAt = clock.GetTimestamp();
        var isDue = clock.GetElapsedTime(saidAt) >= interval;
        if (isDue)
            saidAt = shownAt;
        narrator.Progress($"{doing}: {Megabytes(done)}{(total is { } all ? $" of {Megabytes(all)}" : "")} MB", isDue);
    }

    public static string Megabytes(long bytes) => (bytes / 1e6).ToString("0.0", CultureInfo.InvariantCulture);
}
