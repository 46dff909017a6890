using System.Text;
using System.Text.Json;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>Snowflake's stand-in, read back and told to fail. Not thread-safe.</summary>
sealed class Emulator(Uri address, HttpClient http)
{
    const string Table = "THERMAL_SENSOR_DATA";
    const string InverterTable = "INVERTER_DATA_RAW";

    readonly List<JsonElement> rows = [];
    readonly List<JsonElement> inverterRows = [];

    public Uri Address => address;

    public async Task<JsonElement> TablesAsync() => await GetAsync("/emulator/tables");

    /// <summary>Every row of the table as it was sent, in the order of commits. Each row is fetched once.</summary>
    public Task<IReadOnlyList<JsonElement>> RowsAsync() => FetchAsync(Table, rows);

    /// <summary>Every row that was loaded from the bucket, by the columns of INVERTER_DATA_RAW.</summary>
    public Task<IReadOnlyList<JsonElement>> InverterRowsAsync() => FetchAsync(InverterTable, inverterRows);

    async Task<IReadOnlyList<JsonElement>> FetchAsync(string table, List<JsonElement> known)
    {
        var text = await TextAsync($"/emulator/tables/{table}/rows?raw=1&after={known.Count}");
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            using var row = JsonDocument.Parse(line);
            known.Add(row.RootElement.Clone());
        }
        return known;
    }

    /// <summary>Some rows as the table's columns.</summary>
    public async Task<IReadOnlyList<JsonElement>> ColumnsAsync(int limit) =>
        [
            .. (await TextAsync($"/emulator/tables/{Table}/rows?limit={limit}"))
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => JsonSerializer.Deserialize<JsonElement>(line)),
        ];

    /// <summary>A query in Snowflake's SQL, by the stand-in's embedded database; its rows as objects.</summary>
    public async Task<IReadOnlyList<JsonElement>> QueryAsync(string sql) =>
        [.. (await GetAsync($"/emulator/query?sql={Uri.EscapeDataString(sql)}")).GetProperty("rows").EnumerateArray()];

    /// <summary>Rows that were taken but are not committed yet.</summary>
    public async Task<long> UncommittedAsync() =>
        (await TablesAsync()).EnumerateArray().Sum(table => table.GetProperty("uncommitted_rows").GetInt64());

    /// <summary>Channels of the table.</summary>
    public async Task<IReadOnlyList<JsonElement>> ChannelsAsync() =>
        [
            .. (await TablesAsync())
                .EnumerateArray()
                .Single(table => table.GetProperty("name").GetString() == Table)
                .GetProperty("channels")
                .EnumerateArray(),
        ];

    /// <summary>Switches a fault on; its parts are those that GET / of the emulator lists.</summary>
    public async Task FailAsync(string fault)
    {
        using var answer = await http.PostAsync(new Uri(address, $"/emulator/faults?{fault}"), null);
        if (!answer.IsSuccessStatusCode)
            throw new InvalidOperationException($"The emulator refuses the fault {fault}: {await answer.Content.ReadAsStringAsync()}");
    }

    /// <summary>How many faults are still waiting to happen.</summary>
    public async Task<int> FaultsLeftAsync() => (await GetAsync("/emulator/faults")).GetArrayLength();

    public async Task HealAsync()
    {
        using var answer = await http.DeleteAsync(new Uri(address, "/emulator/faults"));
        answer.EnsureSuccessStatusCode();
    }

    async Task<JsonElement> GetAsync(string path) => JsonSerializer.Deserialize<JsonElement>(await TextAsync(path));

    async Task<string> TextAsync(string path)
    {
        using var answer = await http.GetAsync(new Uri(address, path));
        var text = Encoding.UTF8.GetString(await answer.Content.ReadAsByteArrayAsync());
        return answer.IsSuccessStatusCode ? text : throw new HttpRequestException($"GET {path}: {(int)answer.StatusCode} {text}");
    }
}
