using System.Text;
using Microsoft.Extensions.Configuration;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>Rules of a file decide where readings go; changing the file costs and doubles nothing.</summary>
public sealed class ValidationTests(ITestOutputHelper output) : SinkTest
{
    [Fact]
    public async Task A_quarantined_reading_carries_the_rules_that_it_broke()
    {
        var rules = Rules(
            """
            { "inverter": [
              { "rule": "too_hot", "metric": "temperature", "unit": "°C", "maximum": 50 },
              { "metric": "fault_status", "allowed": ["None"] },
              { "metric": "PAC", "minimum": 1000, "effect": "count" },
            ] }
            """
        );
        Spool.AddInverters(
            4,
            change: (i, reading) =>
            {
                reading.TemperatureC = i == 1 ? 51 : 40;
                reading.FaultStatus = i == 2 ? FaultStatus.Overheat : FaultStatus.None;
                reading.PacW = 1;
            }
        );

        await Spool.DeliverAsync(NewSink(Options() with { Rules = rules }));

        AssertOnce(4);
        Assert.Equal([1, 4], S3.Sequences());
        var (key, value) = Assert.Single(S3.In(), entry => entry.Key.StartsWith("inverter-quarantine/", StringComparison.Ordinal));
        Assert.Equal(
            [
                """[{"rule":"too_hot","problem":"51 °C is more than 50"}]""",
                """[{"rule":"fault_status","problem":"\"Overheat\" is not \"None\""}]""",
            ],
            Spool.Rows(key, value.Bytes).Select(row => row.GetProperty("reasons").GetRawText())
        );
    }

    /// <summary>The rules are changed while half of a batch is uploaded: the batch is finished by those that it was begun with.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_plan_is_finished_by_the_rules_that_it_was_made_by(int crashAt)
    {
        Spool.AddInverters(40, change: (i, reading) => reading.PacW = 1000 + 10 * i);
        var puts = 0;
        using var crash = new CancellationTokenSource();
        S3.Script = call =>
            call.Method == "PUT" && Interlocked.Increment(ref puts) == crashAt
                ? new S3Fault { After = crash.CancelAsync, AbortAfter = true }
                : null;
        await Assert.ThrowsAnyAsync<Exception>(() =>
            Spool.DeliverAsync(NewSink(Options(files: 2) with { Rules = Above(1200) }, retries: 0), cancellationToken: crash.Token)
        );
        S3.Script = _ => null;

        await Spool.DeliverAsync(NewSink(Options(files: 2) with { Rules = Above(1100) }));

        AssertOnce(40);
        Assert.Equal(S3SinkTests.Numbers(21, 40), S3.Sequences());
        Assert.DoesNotContain(Spool.LoggedWarnings, line => line.Contains("rules", StringComparison.Ordinal));

        // The next batch goes by the new ones, and what the old plan needed is gone.
        Spool.AddInverters(40, change: (i, reading) => reading.PacW = 1000 + 10 * i);
        await Spool.DeliverAsync(NewSink(Options(files: 2) with { Rules = Above(1100) }));
        Assert.Equal(S3SinkTests.Numbers(21, 40).Concat(S3SinkTests.Numbers(51, 80)), S3.Sequences().Order());
        Assert.Single(Directory.GetFiles(Spool.DirectoryPath, "s3-rules-*.json"));
    }

    /// <summary>An upgrade together with a rules file, in the middle of a batch: the version before had no other rules and kept
    /// none.</summary>
    [Fact]
    public async Task A_plan_of_a_version_before_rule_files_is_finished_by_the_built_in_rules()
    {
        Spool.AddInverters(40, change: (i, reading) => reading.PacW = 900 + 10 * i);
        using var crash = new CancellationTokenSource();
        S3.Script = call => call.Method == "PUT" ? new S3Fault { After = crash.CancelAsync, AbortAfter = true } : null;
        await Assert.ThrowsAnyAsync<Exception>(() =>
            Spool.DeliverAsync(NewSink(Options(files: 2), retries: 0), cancellationToken: crash.Token)
        );
        S3.Script = _ => null;
        foreach (var file in Directory.GetFiles(Spool.DirectoryPath, "s3-rules-*.json"))
            File.Delete(file);

        await Spool.DeliverAsync(NewSink(Options(files: 2) with { Rules = Above(1100) }));

        AssertOnce(40);
        Assert.Equal(S3SinkTests.Numbers(11, 40), S3.Sequences());
    }

    /// <summary>What is delivered is what frees a full disk.</summary>
    [Fact]
    public async Task Rules_that_cannot_be_kept_do_not_stop_the_delivery()
    {
        Directory.CreateDirectory(Path.Combine(new PlannedRules(Spool.DirectoryPath).PathOf(Above(1100).Identity), "in the way"));
        Spool.AddInverters(40, change: (i, reading) => reading.PacW = 1000 + 10 * i);

        await Spool.DeliverAsync(NewSink(Options(files: 2) with { Rules = Above(1100) }));

        AssertOnce(40);
    }

    [Fact]
    public async Task Without_the_old_rules_the_batch_is_planned_again_and_nothing_is_left_out()
    {
        Spool.AddInverters(40, change: (i, reading) => reading.PacW = 1000 + 10 * i);
        using var crash = new CancellationTokenSource();
        S3.Script = call => call.Method == "PUT" ? new S3Fault { After = crash.CancelAsync, AbortAfter = true } : null;
        await Assert.ThrowsAnyAsync<Exception>(() =>
            Spool.DeliverAsync(NewSink(Options(files: 1) with { Rules = Above(1200) }, retries: 0), cancellationToken: crash.Token)
        );
        S3.Script = _ => null;
        foreach (var file in Directory.GetFiles(Spool.DirectoryPath, "s3-rules-*.json"))
            await File.WriteAllTextAsync(file, "{}", TestContext.Current.CancellationToken);

        await Spool.DeliverAsync(NewSink(Options(files: 1) with { Rules = Above(1100) }));

        Assert.Equal(S3SinkTests.Numbers(1, 40), S3.Sequences().Concat(S3.Sequences("inverter-quarantine/")).Distinct().Order());
        Assert.Contains(Spool.LoggedWarnings, line => line.Contains("are lost", StringComparison.Ordinal));
    }

    /// <summary>Planned again, the readings that are uploaded already would be loaded twice.</summary>
    [Fact]
    public async Task Old_rules_that_the_disk_does_not_give_now_are_waited_for()
    {
        Spool.AddInverters(40, change: (i, reading) => reading.PacW = 1000 + 10 * i);
        using var crash = new CancellationTokenSource();
        var puts = 0;
        // Several are on their way at once; those that come to the bucket after the crash change nothing any more.
        S3.Script = call =>
            call.Method != "PUT"
                ? null
                : Interlocked.Increment(ref puts) switch
                {
                    1 => null,
                    2 => new S3Fault { After = crash.CancelAsync, AbortAfter = true },
                    _ => new S3Fault { AbortBefore = true },
                };
        await Assert.ThrowsAnyAsync<Exception>(() =>
            Spool.DeliverAsync(NewSink(Options(files: 4) with { Rules = Above(1200) }, retries: 0), cancellationToken: crash.Token)
        );
        var kept = Assert.Single(Directory.GetFiles(Spool.DirectoryPath, "s3-rules-*.json"));
        File.Move(kept, $"{kept}.aside");
        Directory.CreateDirectory(kept);
        // By its key, the next sink's requests are told from those that were under way.
        const string nextKey = "AKIANEXTEXAMPLE";

        var refused = await Assert.ThrowsAsync<SinkException>(() =>
            Spool.DeliverAsync(
                NewSink(Options(files: 4) with { Rules = Above(1100), Credentials = new AwsCredentials(nextKey, "secret") }, retries: 0)
            )
        );
        Assert.Equal(SinkFailure.Transient, refused.Failure);
        Assert.DoesNotContain(
            S3.Calls,
            call => call.Method == "PUT" && call.Headers.Authorization.ToString().Contains(nextKey, StringComparison.Ordinal)
        );
        Assert.Contains(Path.GetFileName(kept), refused.Message, StringComparison.Ordinal);

        S3.Script = _ => null;
        Directory.Delete(kept);
        File.Move($"{kept}.aside", kept);
        await Spool.DeliverAsync(NewSink(Options(files: 4) with { Rules = Above(1100) }));

        AssertOnce(40);
    }

    /// <summary>Whatever the rules, the setting and the crashes: each reading is accepted, quarantined or dropped, and once.</summary>
    [Fact]
    public async Task Accepted_and_quarantined_and_dropped_are_all()
    {
        var (random, seed) = Seed.Next();
        output.WriteLine($"THERMAL_TEST_SEED={seed}");
        var expected = new Dictionary<string, List<ulong>>
        {
            ["data"] = [],
            ["quarantine"] = [],
            ["dropped"] = [],
        };
        var total = 0;
        for (var round = 0; round < 25; round++)
        {
            var bound = random.Next(0, 1000);
            var validation = (InvalidReadings)random.Next(3);
            var count = random.Next(1, 80);
            Spool.AddInverters(
                count,
                change: (_, reading) =>
                {
                    reading.PacW = random.Next(1000);
                    var fate =
                        reading.PacW >= bound || validation == InvalidReadings.Forward ? "data"
                        : validation == InvalidReadings.Quarantine ? "quarantine"
                        : "dropped";
                    expected[fate].Add(reading.Sequence);
                }
            );
            total += count;
            var options = Options(files: random.Next(1, 5)) with { Rules = Above(bound), Validation = validation };
            var crashAt = random.Next(1, 12);
            var requests = 0;
            using var crash = new CancellationTokenSource();
            S3.Script = call =>
                Interlocked.Increment(ref requests) == crashAt ? new S3Fault { After = crash.CancelAsync, AbortAfter = true } : null;
            try
            {
                await Spool.DeliverAsync(NewSink(options, retries: 0), loseCursor: random.Next(4) == 0, cancellationToken: crash.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or SinkException)
            {
                // The crash. Another start, perhaps with other rules already.
            }
            S3.Script = _ => null;
            // What is not planned yet goes by the rules in force then.
            if (BatchPlan.Load(Spool.DirectoryPath)?.End == Spool.End)
                options = options with { Rules = Above(random.Next(0, 1000)), Validation = (InvalidReadings)random.Next(3) };
            await Spool.DeliverAsync(NewSink(options));
        }

        Assert.Equal(total, expected.Values.Sum(sequences => sequences.Count));
        Assert.Equal(expected["data"], S3.Sequences().Order());
        Assert.Equal(expected["quarantine"], S3.Sequences("inverter-quarantine/").Order());
        Assert.All(S3.In(), entry => Assert.Equal(1, entry.Value.Writes));
        Assert.Equal(total, Spool.Cursor);
    }

    [Fact]
    public void A_bad_file_is_told_at_the_start_with_line_and_rule()
    {
        using var directory = new TempDirectory();
        var path = directory.File("rules.json");
        File.WriteAllText(
            path,
            "{ \"inverter\": [\n  { \"metric\": \"PAC\", \"minimum\": 5, \"maximum\": 1 },\n  { \"metric\": \"pac\" }\n] }"
        );

        Assert.Equal(
            [
                $"VALIDATION_RULES_FILE: {path}:2: inverter rule \"PAC\": no number is from 5 to 1; swap the two bounds.",
                $"VALIDATION_RULES_FILE: {path}:3: inverter rule \"pac\": inverter rows have no key \"pac\"; did you mean \"PAC\"?; for a key "
                    + "that your devices add, write \"own_key\": true.",
            ],
            Problems(path)
        );
        Assert.Contains("it does not exist", Assert.Single(Problems(directory.File("none.json"))), StringComparison.Ordinal);
        Assert.Contains("is a directory", Assert.Single(Problems(directory.Path)), StringComparison.Ordinal);

        static IReadOnlyList<string> Problems(string path)
        {
            var settings = new Settings(
                new ConfigurationBuilder()
                    .AddInMemoryCollection([
                        new("S3_BUCKET", "b-1"),
                        new("AWS_REGION", "eu-central-1"),
                        new("AWS_ACCESS_KEY_ID", "k"),
                        new("AWS_SECRET_ACCESS_KEY", "s"),
                        new("VALIDATION_RULES_FILE", path),
                    ])
                    .Build()
            );
            S3OptionsLoader.Load(settings);
            return settings.Problems;
        }
    }

    static ValidationRules Above(int bound) => Rules($$"""{ "inverter": [{ "metric": "PAC", "minimum": {{bound}}, "required": true }] }""");

    static ValidationRules Rules(string file)
    {
        List<string> problems = [];
        var rules = RuleFile.Read(Encoding.UTF8.GetBytes(file), "rules.json", problems);
        Assert.Empty(problems);
        return rules!;
    }
}
