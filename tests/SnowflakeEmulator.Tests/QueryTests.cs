using System.Net;
using System.Text.Json.Nodes;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SnowflakeEmulator.Tests;

/// <summary>The verb sql and GET /emulator/query: what runs, what does not, and what a query may use.</summary>
public class QueryTests
{
    /// <summary>Runs a file with the verb, which must succeed, and returns the rows of each result.</summary>
    internal static async Task<List<List<JsonNode>>> RunAsync(Emulator emulator, string file)
    {
        var (exit, output, error) = await SqlAsync(emulator, "", "--json", file);
        Assert.True(exit == 0, error);
        return
        [
            .. output
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => JsonNode.Parse(line)!["rows"]!.AsArray().Select(row => row!).ToList()),
        ];
    }

    static async Task<(int Exit, string Output, string Error)> SqlAsync(Emulator emulator, string input, params string[] arguments)
    {
        var settings = new EmulatorSettings { DataDirectory = emulator.DataDirectory, SqlDirectory = emulator.SqlDirectory };
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exit = await SqlCommand.RunAsync(
            settings,
            SqlReader.ReadDirectory(emulator.SqlDirectory),
            arguments,
            new StringReader(input),
            output,
            error
        );
        return (exit, output.ToString(), error.ToString());
    }

    static Task<Answer> QueryAsync(Emulator emulator, string sql) => emulator.GetAsync("/emulator/query?sql=" + Uri.EscapeDataString(sql));

    static async Task<Emulator> StartAsync(params string[] uuids)
    {
        var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();
        for (var i = 0; i < uuids.Length; i++)
            await emulator.AppendAsync($"0_{i + 1}", $"{i}", Emulator.Row(uuids[i]));
        return emulator;
    }

    [Fact]
    public async Task A_table_is_drawn_for_a_person()
    {
        await using var emulator = await StartAsync("a", "b");

        var (exit, output, _) = await SqlAsync(
            emulator,
            "select uuid, length(uuid) as n, temperature from thermal_sensor_data order by 1;\nSELECT 1 AS \"one\""
        );

        Assert.Equal(0, exit);
        Assert.Equal(
            """
            ╭──────┬───┬─────────────╮
            │ UUID │ N │ TEMPERATURE │
            ├──────┼───┼─────────────┤
            │ a    │ 1 │ NULL        │
            │ b    │ 1 │ NULL        │
            ╰──────┴───┴─────────────╯
            2 rows
            ╭─────╮
            │ one │
            ├─────┤
            │   1 │
            ╰─────╯
            1 row

            """,
            output
        );
    }

    [Fact]
    public async Task A_query_by_HTTP_answers_columns_and_rows()
    {
        await using var emulator = await StartAsync("a");

        var answer = await QueryAsync(
            emulator,
            "SELECT UUID, COUNT(*) OVER () AS N, CO2, RAW_DATA:uuid AS RAW FROM DEMO.DEMO.THERMAL_SENSOR_DATA"
        );

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal(
            """{"line":1,"columns":["UUID","N","CO2","RAW"],"rows":[{"UUID":"a","N":1,"CO2":null,"RAW":"a"}],"truncated":false}""",
            answer.Body.Trim()
        );
    }

    [Fact]
    public async Task Each_query_sees_what_has_been_committed_by_then()
    {
        await using var emulator = await StartAsync("a");
        const string Sql = "SELECT COUNT(*) || MAX(UUID) AS SEEN FROM THERMAL_SENSOR_DATA";
        async Task<string?> SeenAsync() => (string?)(await QueryAsync(emulator, Sql)).Json["rows"]![0]!["SEEN"];

        Assert.Equal("1a", await SeenAsync());
        await emulator.AppendAsync("0_2", "2", Emulator.Row("b") + "bad\n" + Emulator.Row("c"));
        Assert.Equal("3c", await SeenAsync());
        Assert.Equal("3c", await SeenAsync());
        await emulator.SendAsync(HttpMethod.Post, "/emulator/reset", null);
        Assert.Null(await SeenAsync());
        await emulator.OpenAsync();
        await emulator.AppendAsync("0_1", "1", Emulator.Row("d"));
        Assert.Equal("1d", await SeenAsync());
    }

    [Fact]
    public async Task A_column_that_is_added_to_the_SQL_is_there()
    {
        await using var emulator = await StartAsync("a");
        Assert.Equal(HttpStatusCode.BadRequest, (await QueryAsync(emulator, "SELECT EXTRA FROM THERMAL_SENSOR_DATA")).Status);
        await File.WriteAllTextAsync(
            Path.Combine(emulator.SqlDirectory, "09.sql"),
            "ALTER TABLE DEMO.DEMO.THERMAL_SENSOR_DATA ADD COLUMN EXTRA NUMBER;"
        );

        await emulator.RestartAsync();

        Assert.Equal(
            """[{"UUID":"a","EXTRA":null}]""",
            (await QueryAsync(emulator, "SELECT UUID, EXTRA FROM THERMAL_SENSOR_DATA")).Json["rows"]!.ToJsonString()
        );
    }

    [Fact]
    public async Task Every_type_of_a_column_is_what_it_is_in_the_table()
    {
        await using var emulator = await Emulator.StartAsync(
            sql: """
            CREATE DATABASE DEMO; CREATE SCHEMA DEMO.DEMO; USE SCHEMA DEMO.DEMO;
            CREATE TABLE T (A NUMBER, B NUMBER(10,4), C FLOAT, D VARCHAR, E BOOLEAN, F DATE, G TIME, H TIMESTAMP_NTZ, I TIMESTAMP_TZ, J VARIANT, K ARRAY, L NUMBER(6), "m m" NUMBER(38,20));
            CREATE PIPE THERMAL_SENSOR_PIPE AS COPY INTO T FROM TABLE(DATA_SOURCE(TYPE => 'STREAMING')) MATCH_BY_COLUMN_NAME = CASE_SENSITIVE;
            """
        );
        await emulator.OpenAsync();
        await emulator.AppendAsync(
            "0_1",
            "1",
            """
            {"A":12345678901234567890123456789012345678,"B":-21.12345,"C":1e3,"D":"ü'\"\\\n","E":"yes","F":"2026-02-28","G":"23:59:58.5","H":"2026-02-28T23:59:58.123456789","I":"2026-02-28T23:59:58+02:00","J":{"x":[1.10,"y"]},"K":[1],"L":7,"m m":0.5}
            {}
            """
        );

        var rows = (
            await QueryAsync(
                emulator,
                "SELECT A + 1 AS A, B, C, D, E, F::VARCHAR AS F, G::VARCHAR AS G, H, epoch(I) AS I, J:x AS J, K::VARCHAR AS K, L, \"m m\" "
                    + "AS M FROM T ORDER BY A"
            )
        ).Json["rows"]!;

        Assert.Equal("12345678901234567890123456789012345679", rows[0]!["A"]!.ToJsonString());
        Assert.Equal("-21.1235", rows[0]!["B"]!.ToJsonString());
        Assert.Equal(1000, (double)rows[0]!["C"]!);
        Assert.Equal("ü'\"\\\n", (string?)rows[0]!["D"]);
        Assert.True((bool)rows[0]!["E"]!);
        Assert.Equal("2026-02-28 23:59:58.5", $"{rows[0]!["F"]} {rows[0]!["G"]}");
        Assert.Equal("2026-02-28 23:59:58.123", (string?)rows[0]!["H"]);
        Assert.Equal(new DateTimeOffset(2026, 2, 28, 21, 59, 58, TimeSpan.Zero).ToUnixTimeSeconds(), (double)rows[0]!["I"]!);
        Assert.Equal("[1.1,\"y\"]", (string?)rows[0]!["J"]);
        Assert.Equal("[1]", (string?)rows[0]!["K"]);
        Assert.Equal(7, (int)rows[0]!["L"]!);
        Assert.Equal(0.5, (double)rows[0]!["M"]!);
        Assert.All(rows[1]!.AsObject(), cell => Assert.Null(cell.Value));
    }

    [Fact]
    public async Task A_view_stays_for_later_queries_until_it_is_dropped()
    {
        await using var emulator = await StartAsync("a");
        var view =
            "CREATE OR REPLACE VIEW V COMMENT = 'it''s' AS SELECT UUID, DATEDIFF(SECOND, SYSDATE(), DATEADD(MINUTE, 2, SYSDATE())) AS S "
            + "FROM THERMAL_SENSOR_DATA;";

        Assert.Equal((0, "", ""), await SqlAsync(emulator, view));

        Assert.Equal("""[{"UUID":"a","S":120}]""", (await QueryAsync(emulator, "SELECT * FROM DEMO.DEMO.V")).Json["rows"]!.ToJsonString());
        Assert.Equal(0, (await SqlAsync(emulator, "USE ROLE SYSADMIN; USE DEMO.DEMO; DROP VIEW V;")).Exit);
        Assert.Equal(HttpStatusCode.BadRequest, (await QueryAsync(emulator, "SELECT * FROM V")).Status);
    }

    [Theory]
    [InlineData("INSERT INTO THERMAL_SENSOR_DATA (UUID) VALUES ('x')")]
    [InlineData("WITH X AS (SELECT 1) DELETE FROM THERMAL_SENSOR_DATA")]
    [InlineData("WITH X AS (SELECT 1) INSERT INTO THERMAL_SENSOR_DATA (UUID) SELECT 'x'")]
    [InlineData("EXPLAIN ANALYZE DELETE FROM THERMAL_SENSOR_DATA")]
    [InlineData("UPDATE THERMAL_SENSOR_DATA SET UUID = 'x'")]
    [InlineData("DROP TABLE THERMAL_SENSOR_DATA")]
    [InlineData("DROP SCHEMA DEMO.DEMO CASCADE")]
    [InlineData("CREATE TABLE VIEW (A NUMBER)")]
    [InlineData("CREATE TABLE T AS SELECT 1 AS VIEW")]
    [InlineData("SELECT BEGIN FROM (SELECT 1 AS BEGIN); COMMIT; DELETE FROM THERMAL_SENSOR_DATA")]
    [InlineData("ATTACH '/tmp/x.db'")]
    [InlineData("COPY THERMAL_SENSOR_DATA TO '/tmp/x.csv'")]
    [InlineData("SET memory_limit = '4GB'")]
    [InlineData("SELECT * FROM read_csv('/etc/passwd')")]
    [InlineData("SELECT * FROM '/etc/passwd'")]
    [InlineData("SELECT * FROM read_text('http://127.0.0.1/')")]
    [InlineData("INSTALL httpfs")]
    public async Task Nothing_can_be_changed_and_nothing_else_reached(string sql)
    {
        await using var emulator = await StartAsync("a");

        var (exit, output, error) = await SqlAsync(emulator, sql);
        var answer = await QueryAsync(emulator, sql);

        Assert.Equal((1, ""), (exit, output));
        Assert.StartsWith("sql:1: ", error, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Equal("QUERY_FAILED", answer.Code);
        Assert.Equal(
            """[{"UUID":"a"}]""",
            (await QueryAsync(emulator, "SELECT UUID FROM THERMAL_SENSOR_DATA")).Json["rows"]!.ToJsonString()
        );
    }

    [Theory]
    [InlineData("CREATE OR REPLACE VIEW V AS SELECT 1 AS A")]
    [InlineData("DROP VIEW IF EXISTS V")]
    public async Task By_HTTP_not_even_a_view_is_created(string sql)
    {
        await using var emulator = await StartAsync("a");

        Assert.Equal("QUERY_FAILED", (await QueryAsync(emulator, sql)).Code);
    }

    [Theory]
    [InlineData(
        "SELECT 1 AS A;\n\n  SELECT * FROM NOWHERE",
        "sql:3: Catalog Error: Table with name NOWHERE does not exist! This project's views are created by sql/queries/01_views.sql "
            + "(./up sql sql/queries/01_views.sql) and sql/classic/02_view.sql."
    )]
    [InlineData("\nSELECT A B C", "sql:2: Parser Error: syntax error at or near \"C\"")]
    [InlineData("SELECT 'open", "sql:1: a string is not closed")]
    [InlineData("MERGE INTO T", "sql:1: Only queries, CREATE VIEW, DROP VIEW and USE run here, not 'MERGE'.")]
    [InlineData("SELECT DATEADD('FORTNIGHT', 1, SYSDATE())", "sql:1: Invalid Input Error: DATEADD does not know the part FORTNIGHT")]
    [InlineData("-- nothing\n", "sql:1: There is no statement.")]
    public async Task An_error_says_where_and_what(string sql, string expected)
    {
        await using var emulator = await StartAsync("a");

        var (exit, _, error) = await SqlAsync(emulator, sql);

        Assert.Equal((1, expected), (exit, error.TrimEnd()));
    }

    [Fact]
    public async Task A_result_has_a_bounded_number_of_rows()
    {
        await using var emulator = await StartAsync();

        var answer = await QueryAsync(emulator, "SELECT SEQ4() AS N FROM TABLE(GENERATOR(ROWCOUNT => 1000000))");

        Assert.Equal(QueryLimits.Rows, answer.Json["rows"]!.AsArray().Count);
        Assert.True((bool)answer.Json["truncated"]!);
        var (_, drawn, _) = await SqlAsync(emulator, "SELECT 1 AS N FROM TABLE(GENERATOR(ROWCOUNT => 10001))");
        Assert.EndsWith("the first 10000 rows; there are more\n", drawn, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_query_that_needs_too_much_memory_fails_and_the_emulator_goes_on()
    {
        await using var emulator = await StartAsync("a");

        var answer = await QueryAsync(emulator, "SELECT COUNT(DISTINCT SEQ4()) FROM TABLE(GENERATOR(ROWCOUNT => 100000000))");

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Contains($"needs more than {QueryLimits.MemoryMiB} MiB of memory", answer.Body, StringComparison.Ordinal);
        Assert.Equal("0_3", (await emulator.AppendAsync("0_2", "2", Emulator.Row("b"))).Next);
    }

    [Fact]
    public async Task A_query_that_takes_too_long_is_ended()
    {
        await using var emulator = await StartAsync("a");
        const string Sql = "SELECT SUM(A.RANGE * B.RANGE) AS S FROM RANGE(10000000) AS A, RANGE(10000000) AS B";
        var statement = Assert.Single(SqlTokenizer.Statements(SqlTokenizer.Tokenize("sql", Sql)));
        using var session = await QuerySession.OpenAsync(
            emulator.DataDirectory,
            SqlReader.ReadDirectory(emulator.SqlDirectory),
            mayCreateViews: false,
            TimeSpan.FromMilliseconds(200)
        );

        var e = Assert.Throws<QueryException>(() => session.Run(Sql, statement));

        Assert.Contains("took longer than 0.2 s", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Queries_at_one_time_take_turns()
    {
        await using var emulator = await StartAsync("a");

        var answers = await Task.WhenAll(
            Enumerable.Range(0, 4).Select(i => QueryAsync(emulator, $"SELECT UUID, {i} AS I FROM THERMAL_SENSOR_DATA"))
        );

        Assert.Equal(
            Enumerable.Range(0, 4).Select(i => $$"""[{"UUID":"a","I":{{i}}}]"""),
            answers.Select(a => a.Json["rows"]!.ToJsonString())
        );
    }

    [Fact]
    public async Task A_copy_that_is_damaged_says_so()
    {
        await using var emulator = await StartAsync("a");
        await SqlAsync(emulator, "SELECT 1");
        await File.WriteAllTextAsync(Path.Combine(emulator.DataDirectory, "query", "DEMO.duckdb"), new string('x', 20_000));

        var (exit, _, error) = await SqlAsync(emulator, "SELECT 1");

        Assert.Equal(1, exit);
        Assert.Contains($"Delete {Path.Combine(emulator.DataDirectory, "query")} to have it made again", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_verb_runs_as_a_process_while_the_emulator_writes()
    {
        using var directory = new TempDirectory();
        using var emulator = await EmulatorProcess.StartAsync(directory.Path, ("EMULATOR_COMMIT_DELAY", "0"));
        await emulator.SendAsync(HttpMethod.Put, Emulator.Pipe + "/channels/CH");
        await emulator.SendAsync(
            HttpMethod.Post,
            Emulator.Data + "/channels/CH/rows?continuationToken=0_1&offsetToken=1",
            Emulator.Row("a")
        );

        Assert.Equal(0, await emulator.RunAsync(["sql", Emulator.Find("sql/queries/01_views.sql")]));
        Assert.Equal(0, await emulator.RunAsync(["sql", Emulator.Find("sql/queries/02_latest_and_freshness.sql")]));
        Assert.Equal(1, await emulator.RunAsync(["sql", directory.File("there-is-no-such-file.sql")]));
        Assert.Equal(1, await emulator.RunAsync(["sql", "--yaml"]));
        Assert.Contains(
            "\"N\":1",
            await emulator.SendAsync(HttpMethod.Get, "/emulator/query?sql=SELECT%20COUNT(*)%20AS%20N%20FROM%20THERMAL_SENSOR_READINGS"),
            StringComparison.Ordinal
        );
    }
}
