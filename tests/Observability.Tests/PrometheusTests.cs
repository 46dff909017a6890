using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Observability.Tests;

/// <summary>
/// A real Prometheus with the shipped configuration and rules. Names need the DNS of Docker, so addresses stand in their place; two replicas
/// of one service are two targets of one job, as there.
/// </summary>
public sealed partial class PrometheusTests(RunningServices services, ITestOutputHelper output)
    : IClassFixture<RunningServices>,
        IAsyncLifetime
{
    static readonly TimeSpan patience = TimeSpan.FromMinutes(3);

    readonly TempDirectory directory = new();
    readonly HttpClient http = new();
    Process? prometheus;

    public async ValueTask InitializeAsync()
    {
        var port = Ports.Take();
        var targets = new Dictionary<string, ServiceProcess[]>(StringComparer.Ordinal)
        {
            ["sensor-agent"] = [services.Agent],
            ["snowpipe-forwarder"] = [services.Snowpipe, services.OtherSnowpipe],
            ["s3-forwarder"] = [services.S3],
        };
        var shipped = await File.ReadAllTextAsync(Repository.File("deploy/observability/prometheus/prometheus.yml"));
        var configuration = Discovery().Replace(shipped, match => $"static_configs: [{{ targets: [{Addresses(match.Groups[1].Value)}] }}]");
        Assert.DoesNotContain("dns_sd_configs", configuration, StringComparison.Ordinal);
        await File.WriteAllTextAsync(
            directory.File("prometheus.yml"),
            configuration
                .Replace("_interval: 30s", "_interval: 1s", StringComparison.Ordinal)
                .Replace("scrape_timeout: 10s", "scrape_timeout: 1s", StringComparison.Ordinal)
        );
        File.Copy(Repository.File(Queries.Alerts), directory.File("alerts.yml"));
        string[] arguments =
        [
            $"--config.file={directory.File("prometheus.yml")}",
            $"--storage.tsdb.path={directory.File("data")}",
            "--storage.tsdb.retention.time=30d",
            "--storage.tsdb.retention.size=1GB",
            $"--web.listen-address=127.0.0.1:{port}",
        ];
        prometheus = Process.Start(new ProcessStartInfo("prometheus", arguments) { RedirectStandardError = true })!;
        prometheus.ErrorDataReceived += (_, e) => Keep(e.Data);
        prometheus.BeginErrorReadLine();
        http.BaseAddress = new Uri($"http://127.0.0.1:{port}/api/v1/");

        string Addresses(string job) => string.Join(", ", targets[job].Select(service => $"'127.0.0.1:{service.Port}'"));
    }

    public ValueTask DisposeAsync()
    {
        if (prometheus is { HasExited: false })
        {
            prometheus.Kill();
            prometheus.WaitForExit();
        }
        prometheus?.Dispose();
        http.Dispose();
        directory.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task It_scrapes_all_replicas_and_nothing_is_wrong_with_them()
    {
        await UntilAsync("sum(up)", 4);
        await UntilAsync("count(thermal_build_info)", 4);
        await UntilAsync("count(max by (job, device) (thermal_forwarder_device_heard_timestamp_seconds))", 2);
        Assert.Equal(2, await ValueAsync("count(up{job=\"snowpipe-forwarder\"} == 1)"));

        foreach (var query in Queries.OfDashboard())
            Assert.Equal((query, "success"), (query, (await QueryAsync(query)).GetProperty("status").GetString()));
        // A rule that was evaluated and failed says "err", one that was not yet says "unknown".
        await UntilAsync("every rule was evaluated", async () => (await RulesAsync("health")).All(health => health == "ok"));
        // A scrape that a busy machine does not answer within a second makes ServiceDown pending until the next one. Two are of the machine
        // that runs the test: its clock may follow no other, and its disk may be small.
        await UntilAsync(
            "no alert is pending",
            async () =>
                !(await RulesAsync("state"))
                    .Zip(await RulesAsync("name"))
                    .Where(rule => rule.First != "inactive")
                    .Select(rule => rule.Second)
                    .Except(["ClockUnsynchronised", "DiskNearlyFull"])
                    .Any()
        );
    }

    Task UntilAsync(string query, double value) => UntilAsync(query, async () => await ValueAsync(query) == value);

    async Task UntilAsync(string what, Func<Task<bool>> condition)
    {
        using var timeout = new CancellationTokenSource(patience);
        while (!timeout.IsCancellationRequested)
        {
            try
            {
                if (await condition())
                    return;
            }
            catch (Exception e) when (e is HttpRequestException or JsonException && !prometheus!.HasExited)
            {
                // It has only just started.
            }
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, CancellationToken.None);
        }
        throw new TimeoutException(what);
    }

    async Task<double?> ValueAsync(string query)
    {
        var result = (await QueryAsync(query)).GetProperty("data").GetProperty("result");
        return result.GetArrayLength() == 0
            ? null
            : double.Parse(result[0].GetProperty("value")[1].GetString()!, CultureInfo.InvariantCulture);
    }

    async Task<JsonElement> QueryAsync(string query)
    {
        using var answer = await http.GetAsync(new Uri($"query?query={Uri.EscapeDataString(query)}", UriKind.Relative));
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        return json.RootElement.Clone();
    }

    async Task<List<string>> RulesAsync(string property)
    {
        using var json = JsonDocument.Parse(await http.GetStringAsync(new Uri("rules", UriKind.Relative)));
        return
        [
            .. json
                .RootElement.GetProperty("data")
                .GetProperty("groups")
                .EnumerateArray()
                .SelectMany(group => group.GetProperty("rules").EnumerateArray())
                .Select(rule => rule.GetProperty(property).GetString()!),
        ];
    }

    void Keep(string? line)
    {
        try
        {
            output.WriteLine(line ?? "");
        }
        catch (InvalidOperationException)
        {
            // The test has ended.
        }
    }

    [GeneratedRegex(@"dns_sd_configs: \[\{ names: \[([a-z0-9-]+)\], type: A, port: 8080, refresh_interval: 15s \}\]")]
    private static partial Regex Discovery();
}
