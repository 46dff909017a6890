using System.Globalization;
using System.Text.Json;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Console.Tests;

/// <summary>The last 24 hours on disk.</summary>
public sealed class HistoryTests : IDisposable
{
    readonly TempDirectory directory = new();
    readonly ManualClock clock = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void What_was_written_is_read_again_to_the_minute()
    {
        var (now, devices) = (clock.GetUtcNow(), new DeviceBook(clock));
        Hear(devices, now.AddMinutes(-90), 20);
        Hear(devices, now.AddMinutes(-90).AddSeconds(1), 22);
        Hear(devices, now.AddMinutes(-1), 30);
        var files = Yesterday.Files(directory.Path, devices, clock);
        files.Write(now.AddMinutes(-90));
        files.Write(now.AddMinutes(-1));

        var values = ReadAgain();

        Assert.Equal([20, 30], values.Select(value => value.Least));
        Assert.Equal(30, values[^1].Mean);
        Assert.Equal(89, values[^1].Minute - values[0].Minute);
    }

    [Fact]
    public void A_file_that_is_cut_or_changed_at_any_byte_costs_its_hour_and_nothing_else()
    {
        var (now, devices) = (clock.GetUtcNow(), new DeviceBook(clock));
        Hear(devices, now.AddHours(-3), 20);
        Hear(devices, now.AddHours(-1), 30);
        var files = Yesterday.Files(directory.Path, devices, clock);
        files.Write(now.AddHours(-3));
        var path = Assert.Single(Directory.GetFiles(directory.File("history")));
        files.Write(now.AddHours(-1));
        var whole = File.ReadAllBytes(path);
        Assert.Equal([20, 30], ReadAgain().Select(value => value.Mean));

        for (var at = 0; at < whole.Length; at++)
        {
            File.WriteAllBytes(path, whole[..at]);
            Assert.Equal([30], ReadAgain().Select(value => value.Mean));
            var changed = whole.ToArray();
            changed[at] ^= 0x40;
            File.WriteAllBytes(path, changed);
            Assert.Equal([30], ReadAgain().Select(value => value.Mean));
        }
    }

    [Fact]
    public void It_never_takes_more_than_25_files_and_forgets_what_is_older_than_a_day()
    {
        var devices = new DeviceBook(clock);
        var files = Yesterday.Files(directory.Path, devices, clock);
        for (var hour = 0; hour < 60; hour++)
        {
            Hear(devices, clock.GetUtcNow(), hour);
            files.Write(clock.GetUtcNow());
            clock.Advance(TimeSpan.FromHours(1));
        }

        Assert.Equal(25, Directory.GetFiles(directory.File("history")).Length);
        var values = ReadAgain();
        Assert.Equal(59, values[^1].Mean);
        Assert.InRange(values.Count, 23, 25);
    }

    [Fact]
    public void A_full_book_of_devices_stays_within_the_largest_file_that_is_read()
    {
        var (now, devices) = (clock.GetUtcNow(), new DeviceBook(clock));
        for (var device = 0; device < DeviceBook.MostDevices + 20; device++)
        {
            var observations = Enumerable
                .Range(0, Metric.Count)
                .SelectMany(metric => Enumerable.Range(0, 60).Select(minute => new Observation(now.AddMinutes(-minute), metric, minute)));
            devices.Hear(new string('d', 90) + device, new Message(1, [.. observations], [], "", false));
        }
        Yesterday.Files(directory.Path, devices, clock).Write(now);

        var again = new DeviceBook(clock);
        Yesterday.Files(directory.Path, again, clock).Read();

        Assert.Equal(DeviceBook.MostDevices, again.Read(all => all.Count()));
    }

    [Fact]
    public async Task A_stopped_console_goes_on_where_it_was_and_a_killed_one_loses_what_it_had_not_written()
    {
        await using var broker = await MosquittoProcess.StartAsync();
        using var console = new ConsoleProcess(directory.Path, broker.Port);
        await console.ReadyAsync();
        await using var sender = await MqttNetClient.ConnectedAsync(broker.Port, "sender");
        await ShownAsync(console, sender, 21.5);

        Assert.Equal(0, await console.StopAsync());
        console.StartAgain();
        await console.ReadyAsync();

        Assert.Equal(21.5, await MeanAsync(console));
        var before = Directory.GetFiles(directory.File("history")).Select(File.GetLastWriteTimeUtc).Max();
        await ShownAsync(console, sender, 25);
        console.Kill();
        Assert.Equal(before, Directory.GetFiles(directory.File("history")).Select(File.GetLastWriteTimeUtc).Max());
        console.StartAgain();
        await console.ReadyAsync();
        Assert.Equal(21.5, await MeanAsync(console));
    }

    /// <summary>Publishes until the console has heard it: it may still be connecting.</summary>
    static async Task ShownAsync(ConsoleProcess console, MqttNetClient sender, double temperature)
    {
        using var timeout = new CancellationTokenSource(ConsoleProcess.Patience);
        var payload = System.Text.Encoding.UTF8.GetBytes(
            string.Create(CultureInfo.InvariantCulture, $"{{\"temperature\": {temperature}}}")
        );
        var before = await MeanAsync(console);
        while (await MeanAsync(console) == before)
        {
            await sender.PublishAsync("telemetry/v1/shed/thermal", payload, cancellationToken: timeout.Token);
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, timeout.Token);
        }
    }

    /// <summary>The mean of the newest minute; null when there is none.</summary>
    static async Task<double?> MeanAsync(ConsoleProcess console)
    {
        using var history = JsonDocument.Parse(await console.Http.GetStringAsync(new Uri("/api/history?device=shed", UriKind.Relative)));
        return history.RootElement.GetProperty("day").TryGetProperty("temperature", out var flat) && flat.GetArrayLength() >= 4
            ? flat[flat.GetArrayLength() - 2].GetDouble()
            : null;
    }

    List<MinuteValue> ReadAgain()
    {
        var again = new DeviceBook(clock);
        Yesterday.Files(directory.Path, again, clock).Read();
        var last = clock.GetUtcNow().ToUnixTimeSeconds() / 60 + 1;
        return again.Read("shed", device => device?.Minutes[Metric.Temperature]?.Between(last - MinuteRing.Length, last).ToList() ?? []);
    }

    static void Hear(DeviceBook devices, DateTimeOffset at, double temperature) =>
        devices.Hear("shed", new Message(1, [new Observation(at, Metric.Temperature, temperature)], [], "", false));
}
