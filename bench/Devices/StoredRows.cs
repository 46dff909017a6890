using System.Globalization;
using System.Text.Json;

namespace ThermalStreaming.Bench;

/// <summary>Which readings of simulated devices the emulator's table holds, each counted.</summary>
/// <param name="devices">How many there are.</param>
/// <param name="taken">Readings that were taken, evenly over the devices.</param>
sealed class StoredRows(int devices, long taken)
{
    const string Table = "THERMAL_SENSOR_DATA";
    const int RowsAtOnce = 50_000;

    readonly byte[] copies = new byte[taken];

    /// <summary>Readings that are stored, each once.</summary>
    public long Once => copies.Count(count => count == 1);

    /// <summary>Readings that were taken and are not stored.</summary>
    public long Missing => copies.Count(count => count == 0);

    /// <summary>Readings that are stored more than once.</summary>
    public long Repeated => copies.Count(count => count > 1);

    /// <summary>Rows that nobody took, or of another boot.</summary>
    public long Foreign { get; private set; }

    public bool AreExact => Missing == 0 && Repeated == 0 && Foreign == 0;

    /// <summary>Reads the whole table.</summary>
    /// <param name="emulator">Its address.</param>
    /// <param name="messages">Knows the boot ids.</param>
    public async Task ReadAsync(Uri emulator, DeviceMessages messages)
    {
        using var http = new HttpClient();
        for (long after = 0, before = -1; after > before; )
        {
            before = after;
            var address = new Uri(
                emulator,
                string.Create(CultureInfo.InvariantCulture, $"/emulator/tables/{Table}/rows?raw=1&after={after}&limit={RowsAtOnce}")
            );
            using var answer = await http.GetAsync(address, HttpCompletionOption.ResponseHeadersRead);
            answer.EnsureSuccessStatusCode();
            using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync());
            for (; await lines.ReadLineAsync() is { Length: > 0 } line; after++)
                Count(line, messages);
        }
    }

    /// <summary>Counts a row.</summary>
    /// <param name="row">JSON, as the forwarder sent it.</param>
    /// <param name="messages">Knows the boot ids.</param>
    public void Count(string row, DeviceMessages messages)
    {
        using var document = JsonDocument.Parse(row);
        var root = document.RootElement;
        var device = int.Parse(
            root.GetProperty("device_id").GetString().AsSpan(DeviceMessages.DeviceId(0).IndexOf('-') + 1),
            CultureInfo.InvariantCulture
        );
        var index = root.GetProperty("sequence").GetInt64() - DeviceMessages.FirstSequence;
        var at = index * devices + device;
        if (device >= devices || index < 0 || at >= copies.Length || root.GetProperty("boot_id").GetString() != messages.BootId(device))
            Foreign++;
        else if (copies[at] < byte.MaxValue)
            copies[at]++;
    }
}
