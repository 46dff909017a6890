using System.Diagnostics.Metrics;
using System.Net;
using System.Text;
using System.Text.Json;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Testing;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;
using ThermalStreaming.Sensors;
using ThermalStreaming.Sensors.Tests;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SensorAgent.Tests;

/// <summary>The agent's real sensors, on a simulated bus and a clock that the test moves.</summary>
public sealed class HardwareSensorsTests : IDisposable
{
    /// <summary>Nine sensors and those on 1-Wire are looked for; the health is renewed beside them.</summary>
    const int Tasks = 11;

    readonly ManualClock clock = new();
    readonly TempDirectory data = new();
    readonly SimulatedBus bus = new();
    readonly SimulatedScd4x scd4x;
    readonly SimulatedIcp10125 icp10125;
    readonly SimulatedSgp30 sgp30;
    readonly SimulatedBuses buses;
    readonly Health health = new();
    readonly PrometheusText prometheus = new();
    readonly Meter meter = new(PrometheusText.MeterName);
    readonly StatusPage page = new();
    readonly AgentOptions options;

    public HardwareSensorsTests()
    {
        bus.Attach(0x62, scd4x = new(clock));
        bus.Attach(0x63, icp10125 = new(clock));
        bus.Attach(0x58, sgp30 = new(clock));
        buses = new(bus);
        options = new()
        {
            DeviceId = "pi",
            DataDirectory = data.Path,
            Source = SourceKind.Hardware,
            Sensors = new() { Directory = data.File("sensors"), OneWireDirectory = data.File("w1") },
        };
    }

    public void Dispose()
    {
        prometheus.Dispose();
        meter.Dispose();
        bus.Dispose();
        data.Dispose();
    }

    HardwareSensors Create(ILogger<HardwareSensors>? logger = null)
    {
        var metrics = new AgentMetrics(meter, page, new RequestMetrics(meter));
        var readingClock = new ReadingClock(
            options,
            new FakeKernel(clock),
            metrics,
            new Health(),
            clock,
            NullLogger<ReadingClock>.Instance
        );
        return new(options, buses, metrics, readingClock, health, clock, logger ?? NullLogger<HardwareSensors>.Instance);
    }

    async Task PassAsync(TimeSpan time, int tasks = Tasks)
    {
        for (var left = time; left > TimeSpan.Zero; )
        {
            await IdleAsync(tasks);
            var step = clock.NextDue is { } due && due < left ? due : left;
            clock.Advance(step);
            left -= step;
        }
        await IdleAsync(tasks);
    }

    async Task IdleAsync(int tasks)
    {
        for (var patience = 0; clock.Waiting < tasks; patience++)
        {
            Assert.True(patience < 20_000, "A sensor does not wait for its next tick.");
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None);
        }
    }

    static ThermalReading Take(HardwareSensors sensors)
    {
        var reading = new ThermalReading();
        sensors.AddTo(reading);
        return reading;
    }

    [Fact]
    public async Task Readings_get_the_sensors_values_and_nothing_else()
    {
        using var sensors = Create();
        Assert.Equal(new ThermalReading(), Take(sensors));
        await sensors.StartAsync(default);
        await PassAsync(TimeSpan.FromSeconds(20));

        var reading = Take(sensors);

        Assert.Equal((500, 512, 37), (reading.Co2Ppm, reading.EquivalentCo2Ppm, reading.TvocPpb));
        Assert.Equal(25.0027, reading.TemperatureC, 4);
        Assert.Equal(37.0016, reading.HumidityPercent, 4);
        Assert.Equal(101_326.4074, reading.PressurePa, 4);
        Assert.Equal(24.2593 * 9 / 5 + 32, reading.IcpTemperatureF, 3);
        Assert.Equal(("scd4x,icp10125,sgp30", false), (reading.Sensors, reading.HasQuality));
        Assert.True(health.IsReady);
        var metrics = prometheus.Render();
        Assert.Contains("thermal_agent_sensor_reads_total{sensor=\"scd4x@1:62\"} ", metrics, StringComparison.Ordinal);
        Assert.Contains("thermal_agent_sensor_age_seconds{sensor=\"icp10125@1:63\"} ", metrics, StringComparison.Ordinal);
        Assert.Contains("thermal_agent_sensor_working{sensor=\"sgp30@1:58\"} 1\n", metrics, StringComparison.Ordinal);
        Assert.Contains("thermal_agent_sensor_flagged_total{sensor=\"scd4x@1:62\",flag=\"stuck\"} 0\n", metrics, StringComparison.Ordinal);
        Assert.Contains("thermal_agent_sensor_flagged_total{sensor=\"scd4x@1:62\",flag=\"jump\"} 0\n", metrics, StringComparison.Ordinal);
        Assert.DoesNotContain("bme68x", metrics, StringComparison.Ordinal);
        await sensors.StopAsync(default);
    }

    [Fact]
    public async Task Sensors_are_tested_and_calibrated_for_a_caller_and_deliver_again()
    {
        using var sensors = Create();
        var control = new SensorControl(new SensorList(sensors, null, clock), sensors);
        await sensors.StartAsync(default);
        await PassAsync(TimeSpan.FromMinutes(4));

        var tested = await EndAsync(control.SelfTestAsync("", CancellationToken.None));

        Assert.Equal(["scd4x@1:62", "icp10125@1:63", "sgp30@1:58"], tested.Results.Select(result => result.SensorId));
        Assert.All(tested.Results, result => Assert.True(result.Passed, result.Detail));
        Assert.Contains("3639", scd4x.Commands);
        await PassAsync(TimeSpan.FromMinutes(4));
        Assert.Equal(-20, (await EndAsync(control.CalibrateAsync("scd4x@1:62", 480, CancellationToken.None))).Correction);
        await PassAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(500, Take(sensors).Co2Ppm);

        Assert.Equal(StatusCode.NotFound, await RefusedAsync("scd4x@9:62", 480));
        Assert.Equal(StatusCode.Unimplemented, await RefusedAsync("sgp30@1:58", 480));
        Assert.Equal(StatusCode.InvalidArgument, await RefusedAsync("scd4x@1:62", 399));
        Assert.Equal(StatusCode.InvalidArgument, await RefusedAsync("scd4x@1:62", double.NaN));
        // It was started again just now.
        Assert.Equal(StatusCode.FailedPrecondition, await RefusedAsync("scd4x@1:62", 480));
        Assert.Empty(scd4x.Violations);
        Assert.Empty(sgp30.Violations);
        await sensors.StopAsync(default);

        async Task<StatusCode> RefusedAsync(string id, double reference) =>
            (
                await Assert.ThrowsAsync<RpcException>(() => EndAsync(control.CalibrateAsync(id, reference, CancellationToken.None)))
            ).StatusCode;
    }

    /// <summary>Lets time pass until the task has ended.</summary>
    async Task<T> EndAsync<T>(Task<T> task)
    {
        for (var patience = 0; !task.IsCompleted; patience++)
        {
            Assert.True(patience < 20_000, "It does not end.");
            clock.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None);
        }
        return await task;
    }

    [Fact]
    public async Task A_sensor_that_is_gone_leaves_its_columns_empty_and_is_named()
    {
        using var sensors = Create();
        await sensors.StartAsync(default);
        await PassAsync(TimeSpan.FromSeconds(20));
        scd4x.Unplugged = true;
        await PassAsync(TimeSpan.FromSeconds(20));

        var reading = Take(sensors);

        Assert.False(reading.HasCo2Ppm || reading.HasTemperatureC || reading.HasHumidityPercent);
        Assert.True(reading.HasPressurePa && reading.HasTvocPpb);
        Assert.False(health.IsReady);
        Assert.Contains("scd4x@1:62", health.Parts.Single().Value, StringComparison.Ordinal);
        await sensors.StopAsync(default);
    }

    [Fact]
    public async Task A_stuck_sensor_is_named_in_the_reading_and_a_heated_one_gives_its_resistance()
    {
        scd4x.Unplugged = true;
        bus.Attach(0x76, new SimulatedBme68x(clock));
        options.Sensors = options.Sensors with { StuckAfter = TimeSpan.FromSeconds(30), Gas = GasMode.LowPower };
        using var sensors = Create();
        await sensors.StartAsync(default);
        await PassAsync(TimeSpan.FromSeconds(25));
        Assert.False(Take(sensors).HasQuality);
        await PassAsync(TimeSpan.FromSeconds(30));

        var reading = Take(sensors);

        Assert.Equal(("bme68x,icp10125,sgp30", "bme68x:Stuck,icp10125:Stuck,sgp30:Stuck"), (reading.Sensors, reading.Quality));
        Assert.Equal(117_297, reading.GasResistanceOhm, 0);
        await sensors.StopAsync(default);
    }

    [Fact]
    public async Task A_bus_that_comes_later_is_found_and_its_absence_is_a_problem_for_hardware_alone()
    {
        buses.IsThere = false;
        using var sensors = Create();
        await sensors.StartAsync(default);
        await PassAsync(TimeSpan.FromSeconds(90), tasks: 1);
        Assert.Contains("There is no /dev/i2c-1", health.Parts.Single().Value, StringComparison.Ordinal);
        Assert.Equal(new ThermalReading(), Take(sensors));

        buses.IsThere = true;
        clock.Advance(TimeSpan.FromMinutes(1));
        await PassAsync(TimeSpan.FromSeconds(20));

        Assert.Equal(500, Take(sensors).Co2Ppm);
        Assert.True(health.IsReady);
        await sensors.StopAsync(default);
    }

    [Fact]
    public async Task With_auto_no_bus_is_no_problem()
    {
        options.Source = SourceKind.Auto;
        buses.IsThere = false;
        using var sensors = Create();
        await sensors.StartAsync(default);
        await PassAsync(TimeSpan.FromSeconds(90), tasks: 1);

        Assert.Empty(health.Parts);
        await sensors.StopAsync(default);
    }

    [Fact]
    public async Task A_transfer_that_hangs_delays_neither_a_reading_nor_the_stop()
    {
        using var hang = new ManualResetEventSlim();
        bus.Hang = hang;
        using var sensors = Create();
        await sensors.StartAsync(default);

        Assert.Equal(new ThermalReading(), Take(sensors));
        await sensors.StopAsync(default).WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System);
        hang.Set();
    }

    [Fact]
    public async Task The_status_page_shows_each_sensor_as_the_verb_reads_it()
    {
        using var sensors = Create();
        await sensors.StartAsync(default);
        await PassAsync(TimeSpan.FromSeconds(20));

        var rows = sensors.Sensors.Select(SensorRow.Of).ToList();
        using var document = JsonDocument.Parse(Encoding.UTF8.GetBytes(SensorCommands.ToJson(rows)));
        var read = document.RootElement.EnumerateArray().Select(SensorRow.Parse).ToList();

        Assert.Equal([.. Enumerable.Repeat("Working", 3), .. Enumerable.Repeat("Missing", 6)], read.Select(row => row.State));
        Assert.Equal("temperature_c 25, humidity_percent 37, co2_ppm 500", read[0].ValuesText);
        using var table = new StringWriter();
        SensorCommands.WriteTable(table, read);
        Assert.Contains("SCD40, serial F8969F073BBE, periodic", table.ToString(), StringComparison.Ordinal);
        await sensors.StopAsync(default);
    }

    [Theory]
    [InlineData("Hardware", "Failed")]
    [InlineData("Auto", "Warning")]
    public async Task Check_finds_no_bus_or_no_sensor(string source, string outcome)
    {
        options.Source = Enum.Parse<SourceKind>(source);
        var survey = new SensorSurvey(options.Sensors, buses, new RunningService(Ports.Take()), TimeProvider.System);
        buses.IsThere = false;

        var noBus = await SensorCheck.RunAsync(options, survey, default);

        Assert.Equal((outcome, "there is no /dev/i2c-1"), (noBus.Outcome.ToString(), noBus.Detail));
        var none = SensorCheck.Judge(
            options.Source,
            [SensorRow.Of(new("scd4x@1:62", SensorState.Missing, "", "did not acknowledge", 0, 0, 0, null, null))],
            null
        );
        Assert.Equal(outcome, none.Outcome.ToString());
        Assert.Contains("scd4x@1:62", none.Cause, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Auto", "", CheckOutcome.Warning)]
    [InlineData("Hardware", "", CheckOutcome.Failed)]
    [InlineData("Auto", "SCD40", CheckOutcome.Failed)]
    public void Check_names_a_bus_that_the_running_agent_cannot_use(string source, string description, CheckOutcome outcome)
    {
        var row = SensorRow.Of(new("scd4x@1:62", SensorState.NoBus, description, "/dev/i2c-1 is stuck (errno 110)", 0, 0, 0, null, null));

        var judged = SensorCheck.Judge(Enum.Parse<SourceKind>(source), [row], null);

        Assert.Equal((outcome, "/dev/i2c-1 is stuck (errno 110)"), (judged.Outcome, judged.Detail));
    }

    [Fact]
    public async Task Check_names_what_is_attached_and_another_program_that_reads_it()
    {
        foreach (var device in new SimulatedDevice[] { scd4x, sgp30 })
            device.Unplugged = true;
        // The survey has a clock of its own, so a device without execution times that matter is left.
        var survey = new SensorSurvey(options.Sensors, buses, new RunningService(Ports.Take()), TimeProvider.System);
        using (var guard = SensorLock.TryTake(options.Sensors))
        {
            Assert.NotNull(guard);
            Assert.Contains("another program", (await SensorCheck.RunAsync(options, survey, default)).Detail, StringComparison.Ordinal);
        }

        var judged = SensorCheck.Judge(
            SourceKind.Auto,
            [SensorRow.Of(new("sgp30@1:58", SensorState.Failing, "SGP30", "a read failed", 3, 9, 0, null, null))],
            null
        );

        Assert.Equal((CheckOutcome.Failed, "sgp30@1:58: a read failed"), (judged.Outcome, judged.Cause));
    }

    [Fact]
    public async Task Waiting_for_another_program_is_warned_of_once_and_ends_with_it()
    {
        var logger = new FakeLogger<HardwareSensors>();
        using var sensors = Create(logger);
        using (var guard = SensorLock.TryTake(options.Sensors))
        {
            Assert.NotNull(guard);
            await sensors.StartAsync(default);
            await PassAsync(TimeSpan.FromSeconds(30), tasks: 1);
            Assert.Contains(
                "Another program reads the sensors",
                Assert.Single(logger.Collector.GetSnapshot(), record => record.Level is LogLevel.Warning).Message,
                StringComparison.Ordinal
            );
        }

        clock.Advance(TimeSpan.FromSeconds(5));
        await PassAsync(TimeSpan.FromSeconds(20));

        Assert.Equal(500, Take(sensors).Co2Ppm);
        Assert.Single(logger.Collector.GetSnapshot(), record => record.Level is LogLevel.Warning);
        await sensors.StopAsync(default);
    }

    [Fact]
    public async Task A_bus_that_hangs_makes_the_agent_unwell_and_its_sensors_no_longer_work()
    {
        using var sensors = Create();
        await sensors.StartAsync(default);
        await PassAsync(TimeSpan.FromSeconds(20));
        Assert.True(health.IsReady);
        using var hang = new ManualResetEventSlim();
        var before = bus.Transfers;
        bus.Hang = hang;
        clock.Advance(TimeSpan.FromSeconds(3));
        while (bus.Transfers == before)
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None);

        // The health is renewed every 5 s, whatever the sensors do.
        for (var i = 0; i < 4; i++)
        {
            await IdleAsync(1);
            clock.Advance(TimeSpan.FromSeconds(5));
        }
        await IdleAsync(1);

        Assert.DoesNotContain(sensors.Sensors, sensor => sensor.State == SensorState.Working);
        Assert.Contains("has not finished a transfer", health.Parts.Single().Value, StringComparison.Ordinal);
        var judged = SensorCheck.Judge(SourceKind.Auto, [.. sensors.Sensors.Select(SensorRow.Of)], null);
        Assert.Equal(CheckOutcome.Failed, judged.Outcome);
        hang.Set();
        await sensors.StopAsync(default);
    }

    [Fact]
    public async Task Read_asks_the_running_agent_until_every_sensor_has_a_value()
    {
        var port = Ports.Take();
        using var agent = new HttpListener();
        agent.Prefixes.Add($"http://127.0.0.1:{port}/");
        agent.Start();
        var asked = 0;
        var answering = AnswerAsync();
        var survey = new SensorSurvey(options.Sensors, buses, new RunningService(port), TimeProvider.System);

        var rows = await survey.AskAgentForValuesAsync(TimeSpan.FromSeconds(45), default);

        Assert.Equal((3, "Working"), (asked, Assert.Single(rows!).State));
        agent.Stop();
        await answering;

        async Task AnswerAsync()
        {
            while (agent.IsListening)
            {
                try
                {
                    var call = await agent.GetContextAsync();
                    var state = ++asked < 3 ? SensorState.Starting : SensorState.Working;
                    var row = SensorRow.Of(new("sgp30@1:58", state, "SGP30", null, 0, 0, 0, null, null));
                    var json = Encoding.UTF8.GetBytes($"{{\"sensors\":{SensorCommands.ToJson([row])}}}");
                    await call.Response.OutputStream.WriteAsync(json);
                    call.Response.Close();
                }
                catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
                {
                    return;
                }
            }
        }
    }

    [Fact]
    public async Task A_thermometer_on_1_wire_alone_fills_the_temperature()
    {
        buses.IsThere = false;
        options.Sensors = options.Sensors with { Buses = [] };
        var device = Path.Combine(data.File("w1"), "28-0316a2794aff");
        Directory.CreateDirectory(device);
        const string bytes = "72 01 4b 46 7f ff 0e 10 57";
        await File.WriteAllTextAsync(Path.Combine(device, "w1_slave"), $"{bytes} : crc=57 YES\n{bytes} t=23125\n");
        using var sensors = Create();
        await sensors.StartAsync(default);
        await PassAsync(TimeSpan.FromSeconds(30), tasks: 3);

        var reading = Take(sensors);

        Assert.Equal((23.125, "ds18b20", false), (reading.TemperatureC, reading.Sensors, reading.HasHumidityPercent));
        Assert.True(health.IsReady);
        await sensors.StopAsync(default);
    }
}
