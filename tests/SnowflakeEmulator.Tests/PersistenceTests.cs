using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SnowflakeEmulator.Tests;

/// <summary>What a restart, a kill and a torn file leave behind.</summary>
public class PersistenceTests
{
    static string Row(string uuid) => Emulator.Row(uuid);

    [Fact]
    public async Task A_restart_changes_nothing_about_channels_rows_and_errors()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync("One");
        await emulator.AppendAsync("0_1", "1", Row("a") + "bad\n", "One");
        await emulator.OpenAsync("One");
        await emulator.AppendAsync("1_1", "2", Row("b"), "One");
        await emulator.OpenAsync("TWO");
        await emulator.OpenAsync("GONE");
        await emulator.DropAsync("GONE");
        var tables = (await emulator.GetAsync("/emulator/tables")).Body;
        var statuses = (await emulator.BulkStatusAsync(Emulator.Pipe, "One", "TWO", "GONE")).Body;
        var rows = (await emulator.GetAsync("/emulator/tables/THERMAL_SENSOR_DATA/rows")).Body;
        var errors = (await emulator.GetAsync("/emulator/tables/THERMAL_SENSOR_DATA/errors")).Body;

        await emulator.RestartAsync();

        Assert.Equal(tables, (await emulator.GetAsync("/emulator/tables")).Body);
        Assert.Equal(statuses, (await emulator.BulkStatusAsync(Emulator.Pipe, "One", "TWO", "GONE")).Body);
        Assert.Equal(rows, (await emulator.GetAsync("/emulator/tables/THERMAL_SENSOR_DATA/rows")).Body);
        Assert.Equal(errors, (await emulator.GetAsync("/emulator/tables/THERMAL_SENSOR_DATA/errors")).Body);
        Assert.Equal("1_3", (await emulator.AppendAsync("1_2", "3", Row("c"), "One")).Next);
        Assert.Equal("STALE_CONTINUATION_TOKEN_SEQUENCER", (await emulator.AppendAsync("0_2", "3", Row("c"), "One")).Code);
    }

    [Fact]
    public async Task Rows_that_were_buffered_at_a_restart_are_committed_in_their_time_and_the_token_goes_on()
    {
        var clock = Emulator.NewClock();
        await using var emulator = await Emulator.StartAsync(s => s.CommitDelay = TimeSpan.FromSeconds(5), clock);
        await emulator.OpenAsync();
        await emulator.AppendAsync("0_1", "1", Row("a"));

        await emulator.RestartAsync();

        Assert.Null(await emulator.CommittedAsync());
        Assert.Equal("0_2", (await emulator.AppendAsync("0_1", "1", Row("a"))).Next);
        Assert.Equal("0_3", (await emulator.AppendAsync("0_2", "2", Row("b"))).Next);
        clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal("2", await emulator.CommittedAsync());
        Assert.Equal("ab", await emulator.UuidsAsync());
    }

    /// <summary>
    /// What a power cut leaves of the write-ahead log, at every place where a frame ends and at random ones within: the database
    /// opens with whole appends and with the offset token of the last of them.
    /// </summary>
    [Fact]
    public async Task A_log_cut_at_any_place_opens_with_whole_appends_and_the_offset_token_of_the_last_of_them()
    {
        const int LogHeader = 32;
        const int Frame = 24 + 4096;
        var clock = Emulator.NewClock();
        await using var emulator = await Emulator.StartAsync(s => s.CommitDelay = TimeSpan.FromSeconds(5), clock);
        await emulator.OpenAsync();
        await emulator.AppendAsync("0_1", "1", Row("a"));
        clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal("1", await emulator.CommittedAsync());
        await emulator.AppendAsync("0_2", "2", Row("b") + "bad\n");
        await emulator.AppendAsync("0_3", "3", Row("c"));
        clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal("3", await emulator.CommittedAsync());
        var database = await File.ReadAllBytesAsync(emulator.StoreFile);
        var log = await File.ReadAllBytesAsync(emulator.StoreFile + "-wal");
        var bodies = await File.ReadAllBytesAsync(emulator.BodyFile);
        var catalog = SqlReader.ReadDirectory(emulator.SqlDirectory);
        var table = Assert.Single(catalog.Tables);
        var pipe = catalog.Pipes.First(p => !p.IsDefault);
        using var directory = new TempDirectory();
        var (random, seed) = Seed.Next();
        TableStore Open(string path) => new(table, path, _ => pipe, TimeSpan.FromHours(1), TimeSpan.FromDays(30), clock);
        HashSet<long> seen = [];

        for (var frames = 0; LogHeader + frames * Frame <= log.Length; frames++)
        {
            foreach (var length in (int[])[LogHeader + frames * Frame, LogHeader + frames * Frame + random.Next(1, Frame)])
            {
                var path = directory.File($"{length}.db");
                await File.WriteAllBytesAsync(path, database);
                await File.WriteAllBytesAsync(path + "-wal", log[..Math.Min(length, log.Length)]);
                await File.WriteAllBytesAsync(directory.File($"{length}.rows"), bodies);
                // Time stands still: what is committed is so because the file says so.
                using (var store = Open(path))
                {
                    var (rows, errors) = store.Count();
                    var committed = store.StatusOf(pipe.Name, "CH")?.CommittedToken;
                    seen.Add(rows);

                    Assert.True(
                        committed
                            == rows switch
                            {
                                0 => null,
                                1 => "1",
                                3 => "3",
                                _ => "never",
                            },
                        $"seed {seed}, {length} bytes: {committed} with {rows} rows"
                    );
                    Assert.Equal(rows == 3 ? 1 : 0, errors);
                    var read = 0;
                    store.ReadRows(0, long.MaxValue, (_, _) => read++);
                    Assert.Equal(rows, read);
                    Assert.NotNull(store.Open(pipe.Name, "LATER", default, 10, out _));
                }
                using var again = Open(path);
                Assert.NotNull(again.StatusOf(pipe.Name, "LATER"));
            }
        }
        Assert.Equal([0, 1, 3], seen.Order());
    }

    [Fact]
    public async Task Buffered_rows_that_are_damaged_are_discarded_with_what_their_channel_sent_behind_them()
    {
        var clock = Emulator.NewClock();
        await using var emulator = await Emulator.StartAsync(s => s.CommitDelay = TimeSpan.FromSeconds(5), clock);
        await emulator.OpenAsync();
        await emulator.OpenAsync("OTHER");
        await emulator.AppendAsync("0_1", "1", Row("a"));
        clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal("1", await emulator.CommittedAsync());
        await emulator.AppendAsync("0_2", "2", Row("damaged"));
        await emulator.AppendAsync("0_3", "3", Row("c"));
        await emulator.AppendAsync("0_1", "1", Row("other"), "OTHER");
        await emulator.StopAsync();
        await DamageAsync(emulator.BodyFile);

        await emulator.RestartAsync();
        clock.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal("1", await emulator.CommittedAsync());
        Assert.Equal("aother", await emulator.UuidsAsync());
        // The client is told that the channel is behind it, and repeats what was discarded.
        Assert.Equal("ERR_CHANNEL_HAS_INVALID_ROW_SEQUENCER", (await emulator.AppendAsync("0_4", "4", Row("d"))).Code);
        Assert.Equal("0_3", (await emulator.AppendAsync("0_2", "2", Row("b"))).Next);
    }

    [Fact]
    public async Task Damaged_committed_rows_are_an_error_and_not_a_silent_gap()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();
        await emulator.AppendAsync("0_1", "1", Row("damaged"));
        await emulator.StopAsync();
        await DamageAsync(emulator.BodyFile);

        await emulator.RestartAsync();

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await emulator.GetAsync("/emulator/tables/THERMAL_SENSOR_DATA/rows")).Status);
    }

    /// <summary>Changes a byte in every copy of the text "damaged" in a file.</summary>
    static async Task DamageAsync(string path)
    {
        var bytes = await File.ReadAllBytesAsync(path);
        Assert.True(bytes.AsSpan().IndexOf("damaged"u8) > 0);
        for (int at; (at = bytes.AsSpan().IndexOf("damaged"u8)) > 0; )
            bytes[at] ^= 1;
        await File.WriteAllBytesAsync(path, bytes);
    }

    [Theory]
    [InlineData("something else")]
    [InlineData("cut")]
    [InlineData("overwritten")]
    [InlineData("its last page overwritten")]
    public async Task A_store_whose_structure_is_damaged_is_one_line_and_exit_code_78(string how)
    {
        using var directory = new TempDirectory();
        using (var emulator = await EmulatorProcess.StartAsync(directory.Path, ("EMULATOR_COMMIT_DELAY", "0"), ("EMULATOR_LIMITS", "off")))
        {
            await emulator.SendAsync(HttpMethod.Put, Emulator.Pipe + "/channels/CH");
            for (var i = 1; i <= 300; i++)
                await emulator.SendAsync(
                    HttpMethod.Post,
                    $"{Emulator.Data}/channels/CH/rows?continuationToken=0_{i}&offsetToken={i}",
                    Row("a")
                );
            Assert.Equal(0, await emulator.TerminateAsync());
        }
        var path = directory.File("tables/DEMO.DEMO.THERMAL_SENSOR_DATA.db");
        var bytes = await File.ReadAllBytesAsync(path);
        await File.WriteAllBytesAsync(
            path,
            how switch
            {
                "something else" => [.. "This is no database, but it is longer than the header of one would be. "u8, .. new byte[8192]],
                "cut" => bytes[..(bytes.Length / 8192 * 4096)],
                "its last page overwritten" => [.. bytes[..^4096], .. Enumerable.Repeat((byte)0x5A, 4096)],
                // All but the first page, which declares the tables.
                _ => [.. bytes[..4096], .. Enumerable.Repeat((byte)0x5A, bytes.Length - 4096)],
            }
        );

        var (exit, output) = await EmulatorProcess.FailAsync(directory.Path);

        Assert.Equal(78, exit);
        var line = Assert.Single(output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains(path + " is damaged, or is not a database of this emulator", line, StringComparison.Ordinal);
        Assert.Contains("move the file away", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_emulators_do_not_share_a_directory()
    {
        await using var emulator = await Emulator.StartAsync();

        Assert.Throws<IOException>(() =>
            EmulatorHost.Build(
                new EmulatorSettings { Port = 0, DataDirectory = emulator.DataDirectory },
                SqlReader.ReadDirectory(emulator.SqlDirectory),
                TimeProvider.System
            )
        );
    }

    [Fact]
    public async Task A_column_that_is_added_later_shows_in_rows_that_carried_its_key()
    {
        await using var emulator = await Emulator.StartAsync(
            sql: """
            CREATE DATABASE DEMO; CREATE SCHEMA DEMO.DEMO; USE SCHEMA DEMO.DEMO;
            CREATE TABLE T (A NUMBER);
            CREATE PIPE THERMAL_SENSOR_PIPE AS COPY INTO T FROM TABLE(DATA_SOURCE(TYPE => 'STREAMING')) MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE;
            """
        );
        await emulator.OpenAsync();
        await emulator.AppendAsync("0_1", "1", """{"a":1,"b":2}""");
        await File.WriteAllTextAsync(Path.Combine(emulator.SqlDirectory, "02.sql"), "ALTER TABLE DEMO.DEMO.T ADD COLUMN B NUMBER;");

        await emulator.RestartAsync();

        Assert.Equal("""{"A":1,"B":2}""", Assert.Single(await emulator.RowsAsync(table: "T")).ToJsonString());
    }

    [Fact]
    public async Task A_row_that_the_table_no_longer_takes_is_told_and_not_worth_a_retry()
    {
        const string Sql = """
            CREATE DATABASE DEMO; CREATE SCHEMA DEMO.DEMO; USE SCHEMA DEMO.DEMO;
            CREATE TABLE T (A VARCHAR);
            CREATE PIPE THERMAL_SENSOR_PIPE AS COPY INTO T FROM TABLE(DATA_SOURCE(TYPE => 'STREAMING')) MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE;
            """;
        await using var emulator = await Emulator.StartAsync(sql: Sql);
        await emulator.OpenAsync();
        await emulator.AppendAsync("0_1", "1", """{"a":"text"}""");
        await File.WriteAllTextAsync(
            Path.Combine(emulator.SqlDirectory, "01.sql"),
            Sql.Replace("VARCHAR", "NUMBER", StringComparison.Ordinal)
        );
        await emulator.RestartAsync();

        var answer = await emulator.GetAsync("/emulator/tables/T/rows");

        Assert.Equal(HttpStatusCode.Conflict, answer.Status);
        Assert.Contains("does not fit the table as it is declared now", answer.Body, StringComparison.Ordinal);
        Assert.Equal("""{"a":"text"}""", (await emulator.GetAsync("/emulator/tables/T/rows?raw=1")).Body.Trim());
    }

    /// <summary>
    /// A client that streams as fast as it is let while the process is killed without warning again and again. After each
    /// start it goes on as a careful client does: same request again, or reopen and replay from the committed token.
    /// </summary>
    [Fact]
    public async Task Kill_9_at_any_moment_neither_loses_nor_doubles_a_committed_row()
    {
        using var directory = new TempDirectory();
        var (random, seed) = Seed.Next();
        var next = 0;
        var committedEver = 0;
        for (var round = 0; round < 5; round++)
        {
            using var emulator = await EmulatorProcess.StartAsync(
                directory.Path,
                ("EMULATOR_COMMIT_DELAY", "20ms"),
                ("EMULATOR_LIMITS", "off")
            );
            var open = JsonNode.Parse(await emulator.SendAsync(HttpMethod.Put, Emulator.Pipe + "/channels/CH"))!;
            var token = (string)open["next_continuation_token"]!;
            var committed = (string?)open["channel_status"]!["last_committed_offset_token"];
            var from = committed is null ? 0 : int.Parse(committed, System.Globalization.CultureInfo.InvariantCulture) + 1;
            // What was committed stays so; what was not may be gone, and then it is sent again.
            Assert.True(from >= committedEver, $"seed {seed}: committed {from} after {committedEver} before the kill");
            next = from;
            var stopAt = next + random.Next(20, 120);
            var killed = false;
            while (!killed)
            {
                var append = $"{Emulator.Data}/channels/CH/rows?continuationToken={token}&offsetToken={next}";
                var answer = emulator.SendAsync(HttpMethod.Post, append, $"{{\"uuid\":\"{next}\",\"sequence\":{next}}}\n");
                if (next >= stopAt)
                {
                    // In the middle of a request, not after it.
                    emulator.Kill();
                    killed = true;
                }
                try
                {
                    token = (string)JsonNode.Parse(await answer)!["next_continuation_token"]!;
                    next++;
                    if (next % 10 == 0)
                    {
                        var status = await emulator.SendAsync(
                            HttpMethod.Post,
                            Emulator.Pipe + ":bulk-channel-status",
                            """{"channel_names":["CH"]}"""
                        );
                        var seen = (string?)JsonNode.Parse(status)!["channel_statuses"]!["CH"]!["last_committed_offset_token"];
                        if (seen is not null)
                            committedEver = int.Parse(seen, System.Globalization.CultureInfo.InvariantCulture) + 1;
                    }
                }
                catch (HttpRequestException) when (killed) { }
            }
        }

        using var last = await EmulatorProcess.StartAsync(directory.Path, ("EMULATOR_COMMIT_DELAY", "0"));
        var status2 = JsonNode.Parse(
            await last.SendAsync(HttpMethod.Post, Emulator.Pipe + ":bulk-channel-status", """{"channel_names":["CH"]}""")
        )!;
        var count =
            int.Parse(
                (string)status2["channel_statuses"]!["CH"]!["last_committed_offset_token"]!,
                System.Globalization.CultureInfo.InvariantCulture
            ) + 1;
        var rows = (await last.SendAsync(HttpMethod.Get, "/emulator/tables/THERMAL_SENSOR_DATA/rows")).Split(
            '\n',
            StringSplitOptions.RemoveEmptyEntries
        );
        Assert.Equal(Enumerable.Range(0, count).Select(i => $"{i}"), rows.Select(r => (string)JsonNode.Parse(r)!["UUID"]!));
        Assert.True(count >= committedEver, $"seed {seed}");
    }

    [Fact]
    public async Task SIGTERM_stops_with_0_and_keeps_everything()
    {
        using var directory = new TempDirectory();
        // Docker may pass a proxy to every container. The health check does not ask it.
        (string, string)[] settings =
        [
            ("EMULATOR_COMMIT_DELAY", "1h"),
            ("HTTP_PROXY", "http://127.0.0.1:1"),
            ("http_proxy", "http://127.0.0.1:1"),
        ];
        using (var emulator = await EmulatorProcess.StartAsync(directory.Path, settings))
        {
            await emulator.SendAsync(HttpMethod.Put, Emulator.Pipe + "/channels/CH");
            await emulator.SendAsync(HttpMethod.Post, Emulator.Data + "/channels/CH/rows?continuationToken=0_1&offsetToken=1", Row("a"));
            Assert.Equal(0, await emulator.RunAsync(["healthcheck"]));

            Assert.Equal(0, await emulator.TerminateAsync());
            Assert.Equal(1, await emulator.RunAsync(["healthcheck"]));
        }

        using var again = await EmulatorProcess.StartAsync(directory.Path, ("EMULATOR_COMMIT_DELAY", "0"));
        Assert.Contains(
            "\"UUID\":\"a\"",
            await again.SendAsync(HttpMethod.Get, "/emulator/tables/THERMAL_SENSOR_DATA/rows"),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("EMULATOR_PORT", "http")]
    [InlineData("EMULATOR_HTTPS_PORT", "99999")]
    [InlineData("EMULATOR_COMMIT_DELAY", "soon")]
    [InlineData("EMULATOR_LIMITS", "perhaps")]
    [InlineData("EMULATOR_HOSTNAME_FORMAT", "xml")]
    [InlineData("EMULATOR_SQL", "/there/is/no/such/directory")]
    [InlineData("EMULATOR_DATA", "/proc/nowhere")]
    public async Task A_wrong_setting_is_one_line_and_exit_code_78(string key, string value)
    {
        using var directory = new TempDirectory();

        var (exit, output) = await EmulatorProcess.FailAsync(directory.Path, (key, value));

        Assert.Equal(78, exit);
        var line = Assert.Single(output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith($"config: {key} is '{value}'", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SQL_that_is_not_understood_is_exit_code_78_with_file_and_line()
    {
        using var directory = new TempDirectory();
        await File.WriteAllTextAsync(directory.File("01.sql"), "CREATE DATABASE D;\n\nTRUNCATE TABLE X;\n");

        var (exit, output) = await EmulatorProcess.FailAsync(directory.Path, ("EMULATOR_SQL", directory.Path));

        Assert.Equal(78, exit);
        Assert.Equal($"config: {directory.File("01.sql")}:3: expected a statement, found 'TRUNCATE'\n", output);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_exit_code_78()
    {
        using var directory = new TempDirectory();
        using var other = new TempDirectory();
        using var emulator = await EmulatorProcess.StartAsync(directory.Path);

        var (exit, output) = await EmulatorProcess.FailAsync(other.Path, ("EMULATOR_PORT", $"{emulator.Port}"));

        Assert.Equal(78, exit);
        Assert.Contains(
            $"config: EMULATOR_PORT is {emulator.Port}, and another program listens on that port",
            output,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }
}

/// <summary>The emulator as its own process, as it runs in a container.</summary>
sealed class EmulatorProcess : IDisposable
{
    readonly Process process;
    readonly HttpClient client;
    readonly (string, string)[] settings;

    EmulatorProcess(Process process, int port, (string, string)[] settings)
    {
        this.process = process;
        this.settings = settings;
        Port = port;
        client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromSeconds(30) };
        client.DefaultRequestHeaders.Accept.ParseAdd("application/json");
        client.DefaultRequestHeaders.Authorization = new("Bearer", Emulator.Pat);
    }

    public int Port { get; }

    /// <summary>Most memory that the process has had resident (bytes).</summary>
    public long PeakMemory
    {
        get
        {
            process.Refresh();
            return process.PeakWorkingSet64;
        }
    }

    static Process Launch(string[] arguments, (string Key, string Value)[] settings)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "ThermalStreaming.SnowflakeEmulator.dll"));
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        foreach (var (key, value) in settings)
            start.Environment[key] = value;
        return Process.Start(start)!;
    }

    static (string, string)[] With(string directory, (string, string)[] more) =>
        [
            ("EMULATOR_PORT", "0"),
            ("EMULATOR_DATA", directory),
            ("EMULATOR_KEYS", directory),
            ("EMULATOR_SQL", Emulator.ProjectSql),
            ("EMULATOR_PATS", Emulator.Pat),
            .. more,
        ];

    /// <summary>Starts the process and waits until it says where it listens.</summary>
    public static async Task<EmulatorProcess> StartAsync(string directory, params (string Key, string Value)[] more)
    {
        var settings = With(directory, more);
        var process = Launch([], settings);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (await process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
        {
            if (System.Text.RegularExpressions.Regex.Match(line, @"listens on http://[^ ]*:(\d+)") is { Success: true } match)
            {
                var port = int.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
                return new EmulatorProcess(process, port, [.. settings, ("EMULATOR_PORT", $"{port}")]);
            }
        }
        throw new InvalidOperationException("The emulator did not start: " + await process.StandardError.ReadToEndAsync(limit.Token));
    }

    /// <summary>Runs it with settings it must refuse.</summary>
    public static async Task<(int Exit, string Output)> FailAsync(string directory, params (string Key, string Value)[] more)
    {
        using var process = Launch([], With(directory, more));
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var error = await process.StandardError.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, error + await output);
    }

    /// <summary>Runs another process with the same settings, for a verb.</summary>
    public async Task<int> RunAsync(string[] arguments)
    {
        using var verb = Launch(arguments, settings);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await verb.WaitForExitAsync(limit.Token);
        return verb.ExitCode;
    }

    /// <summary>Sends a request and returns the body of its 2xx answer.</summary>
    public async Task<string> SendAsync(HttpMethod method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : new StringContent(body) };
        using var response = await client.SendAsync(request);
        return await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync();
    }

    /// <summary>SIGKILL.</summary>
    public void Kill()
    {
        process.Kill();
        process.WaitForExit();
    }

    public async Task<int> TerminateAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{process.Id}"]);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await process.WaitForExitAsync(limit.Token);
        return process.ExitCode;
    }

    public void Dispose()
    {
        client.Dispose();
        if (!process.HasExited)
            Kill();
        process.Dispose();
    }
}
