using System.Globalization;

namespace ThermalStreaming.Bench;

/// <summary>
/// One fleet of simulated devices on the broker, the forwarder and the emulator, as processes of their own on loopback: connecting, the
/// default rate, a cut of all connections at once, and the count of what is stored.
/// </summary>
/// <param name="root">The repository.</param>
/// <param name="options">What is asked.</param>
/// <param name="table">Gets the figures.</param>
/// <param name="say">Gets a line for each step.</param>
sealed class FleetMeasurement(string root, FleetOptions options, FleetTable table, Action<string> say)
{
    const double MiB = 1024 * 1024;
    const int Seed = 20_261_130;

    static readonly TimeProvider clock = TimeProvider.System;
    static readonly TimeSpan samplePause = TimeSpan.FromMilliseconds(500),
        deafness = TimeSpan.FromSeconds(1),
        patience = TimeSpan.FromMinutes(5);

    /// <summary>Measures a fleet.</summary>
    /// <param name="devices">How many.</param>
    /// <param name="connections">How many of them have a connection, for their share of all.</param>
    /// <returns>Whether every reading is stored, each once.</returns>
    public async Task<bool> RunAsync(int devices, int connections)
    {
        var interval = options.Interval ?? FleetOptions.IntervalOf(devices);
        say($"{devices} devices, a reading of each every {interval.TotalSeconds:0.#} s: starting the processes");
        await using var stand = new Stand(root, options.IsCompiled);
        var files = new ShippedBrokerFiles(root, stand.Place, devices, connections);
        await stand.StartShippedBrokerAsync(files);
        await stand.StartEmulatorAsync(string.Create(CultureInfo.InvariantCulture, $"{options.CommitDelay.TotalSeconds}s"));
        await using var forwarder = await stand.StartForwarderAsync(
            1,
            [.. files.ForwarderSettings, .. LedgerFor(devices), .. options.Settings]
        );
        await using var fleet = new DeviceProcess(new DeviceOptions(files.Port, devices, connections, interval, files.Password, Seed));
        var run = new Run(stand, forwarder, fleet, devices, connections);

        Add(run, "connections", connections, "");
        Add(run, "interval of a device", interval.TotalSeconds, "s");
        await ConnectAsync(run);
        await SteadyAsync(run, interval);
        await CutAsync(run);
        return await CountAsync(run);
    }

    /// <summary>The ledger's usual bound is for 28,000 devices.</summary>
    static (string, string)[] LedgerFor(int devices) =>
        devices > 20_000 ? [("LEDGER_MAX_BYTES", (devices * 1600L).ToString(CultureInfo.InvariantCulture))] : [];

    void Add(Run run, string name, double value, string unit) => table.Add(run.Devices, name, value, unit);

    async Task ConnectAsync(Run run)
    {
        var processor = run.Stand.Broker.CpuSeconds;
        var kernel = KernelBytes();
        var started = clock.GetTimestamp();
        await run.Fleet.OrderAsync(DeviceOrder.Connect);
        var all = await ProgressAsync(run, report => report.Connected == run.Connections, "are not all connected", "connected");
        var took = clock.GetElapsedTime(started, all.At).TotalSeconds;
        Add(run, "connecting all", took, "s");
        Add(run, "connections a second", run.Connections / took, "");
        Add(run, "broker: processor of a connection", (run.Stand.Broker.CpuSeconds - processor) * 1e3 / run.Connections, "ms");
        Add(run, "broker: resident, all connected", run.Stand.Broker.ResidentBytes / MiB, "MiB");
        if (run.Connections >= 10_000)
            Add(run, "kernel: memory of a connection, one end", (KernelBytes() - kernel) / 2048.0 / run.Connections, "KiB");
    }

    /// <summary>The default rate, once every device has been heard.</summary>
    async Task SteadyAsync(Run run, TimeSpan interval)
    {
        await run.Fleet.OrderAsync(DeviceOrder.Take);
        await ProgressAsync(run, report => report.Acknowledged >= run.Devices, "have not all been heard", "heard");
        say($"{run.Devices} devices: the default rate for {options.Steady.TotalSeconds:0} s");
        run.Forwarder.Kernel.ResetPeak();
        var before = await run.UsageAsync();
        var lags = new LagSamples(run.Fleet.TakenAt, clock.TimestampFrequency);
        do
        {
            await Task.Delay(samplePause, clock);
            var status = await run.Forwarder.StatusAsync();
            lags.Note(clock.GetTimestamp(), status.Committed);
        } while (clock.GetTimestamp() / (double)clock.TimestampFrequency - before.At < options.Steady.TotalSeconds);
        var used = await run.UsageAsync() - before;
        Add(run, "readings a second", used.Readings / used.At, "");
        Add(run, "broker: processor", used.Broker / used.At * 1e3, "ms/s");
        Add(run, "forwarder: processor", used.Forwarder / used.At * 1e3, "ms/s");
        Add(run, "simulated devices: processor", used.Devices / used.At * 1e3, "ms/s");
        Add(run, "broker: processor of a reading", used.Broker / used.Readings * 1e6, "µs");
        Add(run, "forwarder: processor of a reading", used.Forwarder / used.Readings * 1e6, "µs");
        Add(run, "fsyncs a second", used.Fsyncs / used.At, "");
        Add(run, "readings of an fsync", used.Readings / used.Fsyncs, "");
        Add(run, "forwarder: written of a reading", used.ForwarderWritten / used.Readings, "B");
        Add(run, "broker: written of a reading", used.BrokerWritten / used.Readings, "B");
        Add(run, "lag p50", lags.Percentile(0.5), "s");
        Add(run, "lag p99", lags.Percentile(0.99), "s");
        Add(run, "appends a second", used.Calls.Appends / used.At, "");
        Add(run, "status calls a second", used.Calls.Status / used.At, "");
        Add(run, "row before compression", used.Uncompressed / used.Rows, "B");
        Add(run, "row on the wire", used.Wire / used.Rows, "B");
        var model = SlotModel.Shipped().Rate(used.Readings / used.At, used.Uncompressed / used.Rows, options.CommitDelay);
        Add(run, "model of a slot: calls, model / measured", model.All * used.At / used.Calls.All, "");
    }

    /// <summary>
    /// All connections are cut at once; the devices go on taking readings, and come back with what they hold. What the broker acknowledged
    /// in the second before, they have not heard, and send again.
    /// </summary>
    async Task CutAsync(Run run)
    {
        var before = await run.UsageAsync();
        var duplicates = (await run.Forwarder.StatusAsync()).Duplicates;
        say($"{run.Devices} devices: cut for {options.Outage.TotalSeconds:0} s");
        await run.Fleet.OrderAsync(DeviceOrder.Deaf);
        await Task.Delay(deafness, clock);
        await run.Fleet.OrderAsync(DeviceOrder.Cut);
        await Task.Delay(options.Outage, clock);
        var held = run.Fleet.Latest is var report ? report.Taken - report.Acknowledged : 0;
        var started = clock.GetTimestamp();
        await run.Fleet.OrderAsync(DeviceOrder.Connect);
        var back = await ProgressAsync(run, now => now.Connected == run.Connections, "are not all connected again", "connected again");
        // As much on its way as a second brings.
        var usual = (long)Math.Max(10, before.Readings / Math.Max(1, before.At));
        var rate = Math.Max(10, run.Devices / (options.Interval ?? FleetOptions.IntervalOf(run.Devices)).TotalSeconds);
        var sent = await ProgressAsync(run, now => now.Taken - now.Acknowledged <= Math.Max(usual, rate), "still hold readings", "emptied");
        await run.Fleet.OrderAsync(DeviceOrder.Stop);
        var settled = await ProgressAsync(run, now => now.Acknowledged == now.Taken, "still hold readings", "emptied");
        var stored = await run.Forwarder.ReachAsync(status => status.Committed, settled.Taken, patience, mayRepeat: true);
        Add(run, "cut: readings held by the devices", held, "");
        Add(run, "cut: all connected again after", clock.GetElapsedTime(started, back.At).TotalSeconds, "s");
        Add(run, "cut: nothing held any more after", clock.GetElapsedTime(started, sent.At).TotalSeconds, "s");
        Add(run, "cut: everything committed after", clock.GetElapsedTime(started, stored).TotalSeconds, "s");
        Add(run, "cut: repeats dropped", (await run.Forwarder.StatusAsync()).Duplicates - duplicates, "");
    }

    async Task<bool> CountAsync(Run run)
    {
        var taken = run.Fleet.Latest.Taken;
        say($"{run.Devices} devices: counting the rows of {taken} readings");
        var rows = new StoredRows(run.Devices, taken);
        await rows.ReadAsync(run.Stand.Emulator, new DeviceMessages(Seed));
        Add(run, "broker: resident at the end", run.Stand.Broker.ResidentBytes / MiB, "MiB");
        Add(run, "forwarder: resident at the end", run.Forwarder.Kernel.ResidentBytes / MiB, "MiB");
        Add(run, "forwarder: peak resident", run.Forwarder.Kernel.PeakResidentBytes / MiB, "MiB");
        Add(run, "simulated devices: resident", run.Fleet.Kernel.ResidentBytes / MiB, "MiB");
        Add(run, "ledger: streams", await run.Forwarder.MetricAsync("thermal_forwarder_ledger_streams"), "");
        Add(run, "ledger: share of its bound", await run.Forwarder.MetricAsync("thermal_forwarder_ledger_fill") * 100, "%");
        Add(run, "ledger: streams forgotten", await run.Forwarder.MetricAsync("thermal_forwarder_ledger_forgotten_total"), "");
        Add(run, "ledger: file", new FileInfo(Path.Combine(run.Forwarder.Data, "ledger")).Length / MiB, "MiB");
        Add(run, "data directory", DirectoryBytes(run.Forwarder.Data) / MiB, "MiB");
        Add(run, "readings taken", taken, "");
        Add(run, "stored once", rows.Once, "");
        Add(run, "missing, repeated or foreign", rows.Missing + rows.Repeated + rows.Foreign, "");
        if (!rows.AreExact)
            say($"NOT EXACT: {rows.Missing} missing, {rows.Repeated} repeated, {rows.Foreign} foreign rows of {taken} readings");
        return rows.AreExact;
    }

    async Task<DeviceReport> ProgressAsync(Run run, Func<DeviceReport, bool> condition, string otherwise, string what)
    {
        var told = clock.GetTimestamp();
        return await run.Fleet.UntilAsync(
            report =>
            {
                if (clock.GetElapsedTime(told) > TimeSpan.FromSeconds(10))
                {
                    told = clock.GetTimestamp();
                    say(
                        $"{run.Devices} devices: waiting until they are {what}; {report.Connected} connected, {report.Acknowledged} of "
                            + $"{report.Taken} readings acknowledged"
                    );
                }
                return condition(report);
            },
            $"the devices {otherwise}",
            patience
        );
    }

    /// <summary>Memory of the kernel that cannot be given back, the sockets' among it.</summary>
    static double KernelBytes() =>
        File.ReadLines("/proc/meminfo")
            .Where(line => line.StartsWith("SUnreclaim:", StringComparison.Ordinal))
            .Select(line => double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024)
            .First();

    static double DirectoryBytes(string path) =>
        new DirectoryInfo(path).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => (double)file.Length);

    sealed record Run(Stand Stand, RunningForwarder Forwarder, DeviceProcess Fleet, int Devices, int Connections)
    {
        public async Task<Usage> UsageAsync()
        {
            var metrics = await Forwarder.MetricsAsync();
            return new Usage(
                clock.GetTimestamp() / (double)clock.TimestampFrequency,
                Stand.Broker.CpuSeconds,
                Forwarder.Kernel.CpuSeconds,
                Fleet.Kernel.CpuSeconds,
                metrics.Sum("thermal_forwarder_fsyncs_total"),
                Forwarder.Kernel.BytesWritten,
                Stand.Broker.BytesWritten,
                Fleet.Latest.Taken,
                new Calls(
                    metrics.Sum("thermal_request_duration_seconds_count", "operation=\"append\""),
                    metrics.Sum("thermal_request_duration_seconds_count", "operation=\"status\""),
                    metrics.Sum("thermal_request_duration_seconds_count", "operation=\"sign_in\"")
                ),
                metrics.Sum("thermal_snowpipe_uncompressed_bytes_total"),
                metrics.Sum("thermal_snowpipe_sent_bytes_total"),
                metrics.Sum("thermal_snowpipe_rows_appended_total")
            );
        }
    }
}
