using System.Text.Json.Nodes;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SnowflakeEmulator.Tests;

/// <summary>Each step of the loader fails, or the process is killed in it; every record is in the table once all the same.</summary>
public class LoadFaultTests
{
    const string Key = "inverter-data/a.json";

    [Theory]
    [InlineData("fetch", "status")]
    [InlineData("fetch", "abort")]
    [InlineData("fetch", "lost_reply")]
    [InlineData("load", "abort")]
    [InlineData("load", "lost_reply")]
    [InlineData("delete", "abort")]
    [InlineData("delete", "lost_reply")]
    public async Task A_step_that_fails_is_tried_again_and_nothing_is_loaded_twice(string step, string kind)
    {
        await using var stand = await LoaderStand.StartAsync();
        // What has taken effect although its reply was lost is not done again.
        var times = kind == "lost_reply" && step != "fetch" ? 1 : 2;
        await stand.Emulator.FaultAsync(
            $$"""{"kind":"{{kind}}","endpoint":"{{step}}","status":503,"channel":"*a.json","times":{{times}}}"""
        );
        stand.Aws.Put(Key, "{\"a\":1}"u8.ToArray());
        stand.Aws.Put("inverter-data/b.json", "{\"b\":1}"u8.ToArray());

        stand.Aws.Announce(Key);
        stand.Aws.Announce("inverter-data/b.json");
        await stand.Aws.EmptyAsync();

        Assert.Equal(["""{"a":1}""", """{"b":1}"""], (await stand.BodiesAsync()).Split(' ').Order());
        Assert.Equal(["a.json LOADED 1/1", "b.json LOADED 1/1"], (await stand.HistoryAsync()).Order());
        Assert.Equal("[]", (await stand.Emulator.GetAsync("/emulator/faults")).Body);
    }

    [Fact]
    public async Task An_object_that_cannot_be_fetched_holds_up_no_other()
    {
        await using var stand = await LoaderStand.StartAsync();
        await stand.Emulator.FaultAsync("""{"kind":"status","endpoint":"fetch","status":403,"channel":"*a.json","seconds":"1h"}""");
        stand.Aws.Put(Key, "{\"a\":1}"u8.ToArray());
        stand.Aws.Announce(Key);
        await stand.Aws.ReceivedAsync(1);

        for (var i = 0; i < 25; i++)
        {
            stand.Aws.Put($"inverter-data/b{i}.json", "{\"b\":1}"u8.ToArray());
            stand.Aws.Announce($"inverter-data/b{i}.json");
        }
        for (var i = 0; i < 25; i++)
            await stand.Aws.FetchedAsync($"inverter-data/b{i}.json", 1);
        await stand.Emulator.SendAsync(HttpMethod.Delete, "/emulator/faults");
        stand.Aws.ReturnAll();
        await stand.Aws.EmptyAsync();

        Assert.Equal(26, (await stand.RowsAsync()).Length);
    }

    [Fact]
    public async Task A_message_is_not_handed_out_again_while_its_object_is_being_loaded()
    {
        var clock = Emulator.NewClock();
        await using var stand = await LoaderStand.StartAsync(clock: clock);
        await stand.Emulator.FaultAsync("""{"kind":"delay","endpoint":"fetch","delay":"1m","times":1}""");
        stand.Aws.Put(Key, "{\"a\":1}"u8.ToArray());
        stand.Aws.Announce(Key);
        await stand.Aws.ReceivedAsync(1);

        while ((await stand.Emulator.GetAsync("/emulator/faults")).Body != "[]")
            await Task.Yield();

        // SQS would hand it out again after 30 s. Time passes slowly enough for the calls that it causes.
        for (var i = 1; i <= 4; i++)
        {
            for (var extended = stand.Aws.ExtendedAsync(i); !extended.IsCompleted; )
            {
                clock.Advance(TimeSpan.FromSeconds(1));
                await Task.WhenAny(extended, Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System));
            }
        }
        Assert.True(clock.GetUtcNow() > Emulator.NewClock().GetUtcNow() + TimeSpan.FromSeconds(35));
        Assert.Equal(1, stand.Aws.MostReceived);
        clock.Advance(TimeSpan.FromMinutes(2));
        await stand.Aws.EmptyAsync();

        Assert.Equal("""{"a":1}""", await stand.BodiesAsync());
    }

    [Fact]
    public async Task A_connection_that_dies_in_the_middle_of_an_object_is_given_up()
    {
        var clock = Emulator.NewClock();
        await using var stand = await LoaderStand.StartAsync(clock: clock);
        stand.Aws.Put(Key, "{\"a\":1}\n{\"a\":2}\n"u8.ToArray());
        stand.Aws.Stall();

        stand.Aws.Announce(Key);
        for (var empty = stand.Aws.EmptyAsync(); !empty.IsCompleted; )
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(empty, Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System));
        }

        Assert.Equal("""{"a":1} {"a":2}""", await stand.BodiesAsync());
        Assert.Equal(2, stand.Aws.Fetched.Count);
    }

    [Fact]
    public async Task A_queue_that_fails_is_asked_again()
    {
        await using var stand = await LoaderStand.StartAsync();
        await stand.LoadAsync("a.json", "{\"a\":1}");
        await stand.Emulator.FaultAsync("""{"kind":"status","endpoint":"receive","status":500,"times":2}""");

        await stand.LoadAsync("b.json", "{\"b\":1}");
        await stand.LoadAsync("c.json", "{\"c\":1}");

        Assert.Equal("""{"a":1} {"b":1} {"c":1}""", await stand.BodiesAsync());
    }

    [Fact]
    public async Task A_fault_for_any_endpoint_is_not_used_up_by_the_loader()
    {
        await using var stand = await LoaderStand.StartAsync();
        await stand.Emulator.FaultAsync("""{"kind":"status","status":503,"times":1}""");

        await stand.LoadAsync("a.json", "{\"a\":1}");

        Assert.Single((await stand.Emulator.GetAsync("/emulator/faults")).Json.AsArray());
    }

    /// <summary>SIGKILL while a step waits, at random steps, again and again; then every record of every object is there once.</summary>
    [Fact]
    public async Task Killed_in_any_step_it_loads_every_record_once()
    {
        var (random, seed) = Seed.Next();
        using var directory = new TempDirectory();
        await using var aws = await FakeAws.StartAsync();
        List<string> expected = [];
        for (var round = 0; round < 6; round++)
        {
            using var emulator = await StartAsync(directory, aws);
            // Every step is killed at least once: before its work, or with its work done and the next step waiting.
            var step = LoadStep.All[1 + round % 3];
            var skip = random.Next(0, 4);
            await emulator.SendAsync(
                HttpMethod.Post,
                "/emulator/faults",
                $$"""{"kind":"delay","endpoint":"{{step}}","delay":"1h","skip":{{skip}},"times":1}"""
            );
            List<string> keys = [];
            for (var i = 0; i < 5; i++)
            {
                var key = $"inverter-data/{round}-{i}.json";
                var records = Enumerable.Range(0, random.Next(1, 4)).Select(n => $"{{\"n\":\"{round}-{i}-{n}\"}}").ToList();
                expected.AddRange(records);
                aws.Put(key, System.Text.Encoding.UTF8.GetBytes(string.Join('\n', records)));
                keys.Add(key);
            }
            foreach (var key in keys)
                aws.Announce(key);
            // Whatever comes first: the step that waits has been reached when its fault is used up.
            while ((await emulator.SendAsync(HttpMethod.Get, "/emulator/faults")) != "[]")
                await Task.Yield();
            emulator.Kill();
            aws.ReturnAll();
        }

        using var last = await StartAsync(directory, aws);
        await aws.EmptyAsync();

        var rows = (await last.SendAsync(HttpMethod.Get, $"/emulator/tables/{LoaderStand.Table}/rows"))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(row => JsonNode.Parse(row)!["JSON_BODY"]!.ToJsonString());
        Assert.True(expected.Order().SequenceEqual(rows.Order()), $"seed {seed}");
        Assert.Empty(Directory.GetFiles(directory.File("loading")));
    }

    [Fact]
    public async Task A_file_of_100_MB_is_loaded_in_bounded_memory()
    {
        using var directory = new TempDirectory();
        await using var aws = await FakeAws.StartAsync();
        using var emulator = await StartAsync(directory, aws);
        var line = "{\"id\":\"Inverter_1\",\"text\":\"" + new string('x', 960) + "\"}\n";
        const int lines = 100_000;
        var file = LoaderStand.Gzip(string.Concat(Enumerable.Repeat(line, lines)));

        aws.Put("inverter-data/large.json.gz", file);
        aws.Announce("inverter-data/large.json.gz");
        await aws.EmptyAsync();

        var table = JsonNode.Parse(await emulator.SendAsync(HttpMethod.Get, "/emulator/tables"))!.AsArray();
        Assert.Equal(lines, (int)table.Single(t => (string?)t!["name"] == LoaderStand.Table)!["rows"]!);
        Assert.InRange(emulator.PeakMemory, 1, 300 * 1024 * 1024);
    }

    static Task<EmulatorProcess> StartAsync(TempDirectory directory, FakeAws aws) =>
        EmulatorProcess.StartAsync(
            directory.Path,
            ("EMULATOR_SQL", $"{Emulator.ProjectSql},{Emulator.Find("sql/classic")}"),
            ("S3_BUCKET", FakeAws.Bucket),
            ("SQS_QUEUE", FakeAws.Queue),
            ("S3_ENDPOINT_URL", aws.Address.ToString()),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test")
        );
}
