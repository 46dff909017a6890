using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Testing;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SnowpipeForwarder.Tests;

/// <summary>
/// Thermal rows that break a rule are flagged when they are sent, unless readings are judged on arrival; the others are not touched.
/// </summary>
public sealed class RowRulesTests
{
    static readonly DateTimeOffset Now = new(2026, 11, 20, 10, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_row_that_breaks_a_rule_is_sent_and_says_so()
    {
        List<string> problems = [];
        var rules = RuleFile.Read(
            """{ "thermal": [{ "metric": "temperature", "maximum": 85 }, { "metric": "co2", "required": true, "effect": "count" }] }"""u8.ToArray(),
            "rules.json",
            problems
        )!;
        using var meter = new Meter(nameof(RowRulesTests));
        using var directory = new TempDirectory();
        using var statistics = Statistics(meter, directory);
        using var listener = Listen(meter, out var broken);
        using var writer = new AppendWriter(new RowRules(rules, statistics));
        using var plain = new AppendWriter();

        var part = writer.Write(Readings(), 4, 0, 4, "C", Now, (_, _) => Assert.Fail()).Single();

        Assert.Equal((4, 3), (part.Rows, part.LastOffset));
        // Each of the four has no co2; one is too hot.
        Assert.Equal(["co2", "co2", "co2", "co2", "temperature"], broken.Order(StringComparer.Ordinal));
        var sent = Lines(part);
        var usual = Lines(plain.Write(Readings(), 4, 0, 4, "C", Now, (_, _) => Assert.Fail()).Single());
        Assert.Equal(usual.Where((_, i) => i != 2), sent.Where((_, i) => i != 2));
        Assert.StartsWith(usual[2][..^1], sent[2], StringComparison.Ordinal);
        Assert.Equal(
            """[{"rule":"temperature","problem":"99 is more than 85"}]""",
            JsonDocument.Parse(sent[2]).RootElement.GetProperty("broken_rules").GetRawText()
        );
    }

    /// <summary>The sink never leaves a row out for a rule: what is in the journal was judged when it arrived.</summary>
    [Theory]
    [InlineData("quarantine")]
    [InlineData("drop")]
    public async Task What_is_put_aside_on_arrival_is_not_judged_again_when_it_is_sent(string validation)
    {
        using var directory = new TempDirectory();
        await using var fixture = await SinkFixture.StartAsync(
            ("THERMAL_VALIDATION", validation),
            ("VALIDATION_RULES_FILE", await RulesFileAsync(directory))
        );
        await fixture.OpenAsync();
        await fixture.SendAsync(fixture.Batch(0, 14));
        fixture.Server.Commit();
        Assert.Equal(14, (await fixture.PollAsync()).Offset);

        fixture.NewProcess();
        await fixture.OpenAsync();
        await fixture.SendAsync(fixture.Batch(14, 14));
        fixture.Server.Commit();

        Assert.Equal(28, (await fixture.PollAsync()).Offset);
        Assert.Equal(Enumerable.Range(0, 28).Select(offset => (long)offset), SinkFixture.Offsets(fixture.Server.Table));
        Assert.Empty(DeadLetters.ReadAll(fixture.DeadLetters.Directory));
        Assert.DoesNotContain(fixture.Server.Table, row => row.ToJsonString().Contains("broken_rules", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("flag", null)]
    [InlineData("quarantine", true)]
    [InlineData("drop", false)]
    public async Task The_setting_says_whether_intake_judges(string validation, bool? keeps)
    {
        using var directory = new TempDirectory();
        var rules = await RulesFileAsync(directory);
        await using var fixture = await SinkFixture.StartAsync(("THERMAL_VALIDATION", validation), ("VALIDATION_RULES_FILE", rules));
        await using var without = await SinkFixture.StartAsync(("THERMAL_VALIDATION", validation));
        using var meter = new Meter(nameof(RowRulesTests) + validation);
        using var listener = Listen(meter, out var broken);

        using var provider = Provider(fixture, meter);
        using var none = Provider(without, meter);

        Assert.Null(none.GetService<IntakeRules>());
        var found = provider.GetService<IntakeRules>();
        Assert.Equal(keeps, found?.Keeps);
        if (found is null)
            return;
        Assert.Equal(rules, found.Rules.Name);
        found.Count("temperature");
        Assert.Equal(["temperature"], broken);
    }

    /// <summary>A second letter would become a second row at a replay.</summary>
    [Fact]
    public async Task A_reading_without_a_row_is_kept_once_also_when_the_channel_is_opened_again()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        var payload = Encoding.UTF8.GetBytes($$"""[{"note":"{{new string('x', 5_000_000)}}"},{"temperature":1},{"temperature":2}]""");
        fixture.Server.Next("append", new Script(413, "<html>too large</html>"));

        Assert.Equal(SinkFailure.Reopen, (await fixture.SendFailsAsync(fixture.Batch(0, 3, payload, isJson: true))).Failure);
        await fixture.OpenAsync();
        await fixture.SendAsync(fixture.Batch(0, 3, payload, isJson: true));
        fixture.Server.Commit();

        Assert.Equal(3, (await fixture.PollAsync()).Offset);
        Assert.Equal(1, fixture.DeadLetters.Count);
        Assert.Equal([1, 2], SinkFixture.Offsets(fixture.Server.Table));
    }

    static async Task<string> RulesFileAsync(TempDirectory directory)
    {
        var path = directory.File("rules.json");
        await File.WriteAllTextAsync(
            path,
            """{ "thermal": [{ "metric": "temperature", "maximum": 21.53 }] }""",
            TestContext.Current.CancellationToken
        );
        return path;
    }

    static ServiceProvider Provider(SinkFixture fixture, Meter meter) =>
        new ServiceCollection()
            .AddLogging()
            .AddSingleton(meter)
            .AddSingleton(new StatusPage())
            .AddSingleton(fixture.Cost)
            .AddSingleton(TimeProvider.System)
            .AddSnowpipe(fixture.Options())
            .BuildServiceProvider();

    static MeterListener Listen(Meter meter, out ConcurrentBag<string> broken)
    {
        var names = broken = [];
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listening) =>
            {
                if (instrument.Meter == meter && instrument.Name == "thermal.snowpipe.invalid_readings")
                    listening.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, _, tags, _) => names.Add($"{tags[0].Value}"));
        listener.Start();
        return listener;
    }

    static IEnumerable<BatchReading> Readings()
    {
        var batch = new ReadingBatch { DeviceId = "pi", BootId = "0123456789abcdef0123456789abcdef" };
        for (var i = 0; i < 4; i++)
            batch.Thermal.Add(
                new ThermalReading
                {
                    Sequence = (ulong)i + 1,
                    ObservedAtUs = Instants.ToMicroseconds(Now),
                    TemperatureC = i == 2 ? 99 : 21,
                }
            );
        var payload = Payload.Decode(batch.ToByteArray(), isJson: false, "pi", ReadingKind.Thermal, Now);
        return Enumerable.Range(0, 4).Select(i => new BatchReading(i, payload, i));
    }

    static string[] Lines(RowPart part) => Encoding.UTF8.GetString(Call.Decompress(part.Body.ToArray())).TrimEnd('\n').Split('\n');

    static SnowpipeStatistics Statistics(Meter meter, TempDirectory directory) =>
        new(
            new SnowpipeOptions(),
            meter,
            new StatusPage(),
            SinkFixture.NewCost(meter, directory.Path, TimeProvider.System, new FakeLogCollector()),
            TimeProvider.System,
            Microsoft.Extensions.Logging.Abstractions.NullLogger<SnowpipeStatistics>.Instance
        );
}
