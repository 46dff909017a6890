using Microsoft.Extensions.Configuration;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SnowpipeForwarder.Tests;

public sealed class TableSqlTests : IDisposable
{
    readonly TempDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void Reads_the_projects_own_table()
    {
        var settings = new Settings(new ConfigurationBuilder().Build());
        var limits = TableLimits.Load(settings, null);

        Assert.Empty(settings.Problems);
        Assert.NotNull(limits);
        Assert.Contains(
            "column HOSTNAME VARCHAR(100), which holds at most 100 characters; it has 101",
            Refusal(limits, $$"""{"hostname":"{{new string('h', 101)}}"}""")!,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "column TEMPERATURE DECIMAL(10, 4), which holds at most 6 digits",
            Refusal(limits, """{"temperature":12345678901234567890}""")!,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "column IPADDRESS VARCHAR(50)",
            Refusal(limits, $$"""{"ipaddress":"{{new string('1', 51)}}"}""")!,
            StringComparison.Ordinal
        );
        Assert.Contains("column CPU DECIMAL(5, 1)", Refusal(limits, """{"cpu":9999.95}""")!, StringComparison.Ordinal);
        Assert.Null(Refusal(limits, """{"cpu":9999.94,"cpufrequency":1e99,"ingestion_timestamp":"x"}"""));
    }

    [Fact]
    public void Reads_whatever_a_person_writes()
    {
        var columns = TableSql
            .Read(
                """
                /* CREATE TABLE comment (x INT); */ USE SCHEMA "A;B".C; SELECT ';', 'it''s', $$ CREATE TABLE no (x INT) $$; // CREATE TABLE
                create or replace transient table if not exists "Db".s."T;1" -- the table
                ( id number autoincrement not null, "Mixed ""Name" double precision, price numeric(12 , 2) not null default 0 comment 'a, (b)',
                  name character varying (20) collate 'en-ci' NOT NULL, flag boolean, at timestamp_ntz(9), d date, t time(3), v variant, o object, a array, f vector(float, 3),
                  big bigint, c char, s string, g geography, ts timestampltz, constraint pk primary key (id, name), unique (id) );
                ALTER TABLE "T;1" ADD COLUMN IF NOT EXISTS room VARCHAR(7), extra INT;
                ALTER TABLE s."T;1" ALTER COLUMN room SET DATA TYPE VARCHAR(9);
                ALTER TABLE "T;1" DROP COLUMN extra;
                ALTER TABLE other ADD COLUMN nothing INT;
                """,
                null
            )
            .ToDictionary(column => column.Name);

        Assert.Equal(
            ["ID", "Mixed \"Name", "PRICE", "NAME", "FLAG", "AT", "D", "T", "V", "O", "A", "F", "BIG", "C", "S", "G", "TS", "ROOM"],
            columns.Keys
        );
        Assert.Equal(
            ("NUMERIC(12, 2)", ColumnType.Number, 10, 2, false),
            (
                columns["PRICE"].Declaration,
                columns["PRICE"].Type,
                columns["PRICE"].Length,
                columns["PRICE"].Scale,
                columns["PRICE"].IsRequired
            )
        );
        Assert.Equal((20, true), (columns["NAME"].Length, columns["NAME"].IsRequired));
        Assert.Equal((38, false), (columns["ID"].Length, columns["ID"].IsRequired));
        Assert.Equal((1, 16_777_216, 9), (columns["C"].Length, columns["S"].Length, columns["ROOM"].Length));
        Assert.Equal(
            [
                ColumnType.Real,
                ColumnType.Boolean,
                ColumnType.Timestamp,
                ColumnType.Timestamp,
                ColumnType.Time,
                ColumnType.Any,
                ColumnType.Map,
                ColumnType.List,
                ColumnType.Timestamp,
            ],
            new[] { "Mixed \"Name", "FLAG", "AT", "D", "T", "V", "O", "A", "TS" }.Select(name => columns[name].Type)
        );
    }

    [Theory]
    [InlineData("CREATE TABLE T (\n A INT,\n B DECIMALL(10, 4)\n)", "line 3, column B: Snowflake has no type DECIMALL")]
    [InlineData("CREATE TABLE T (\n A DECIMAL(10, 12)\n)", "line 2, column A: DECIMAL(10, 12) is not possible")]
    [InlineData("CREATE TABLE T (\n A DECIMAL(39)\n)", "line 2, column A: DECIMAL(39) is not possible")]
    [InlineData("CREATE TABLE T (A VARCHAR(0))", "line 1, column A: VARCHAR(0) is not possible")]
    [InlineData("CREATE TABLE T (A VARCHAR(x))", "line 1, column A: the brackets of VARCHAR do not hold a number")]
    [InlineData("CREATE TABLE T (A)", "line 1, column A: a type is expected")]
    [InlineData("-- nothing\n", "no CREATE TABLE with columns")]
    [InlineData("CREATE TABLE T LIKE U", "no CREATE TABLE with columns")]
    [InlineData("CREATE TABLE T (A INT); CREATE TABLE U (B INT)", "2 tables (T, U)")]
    [InlineData("CREATE TABLE T (A INT", "the list of columns does not end")]
    [InlineData("CREATE TABLE T (\n\"A INT)", "line 2: \" is not closed")]
    [InlineData("/* CREATE", "line 1: /* without */")]
    public void Names_line_and_column_of_what_it_cannot_read(string sql, string problem)
    {
        var path = directory.File("table.sql");
        File.WriteAllText(path, sql);
        var settings = new Settings(
            new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["SNOWFLAKE_TABLE_FILE"] = path }).Build()
        );

        Assert.Null(TableLimits.Load(settings, null));

        var said = Assert.Single(settings.Problems);
        Assert.StartsWith($"SNOWFLAKE_TABLE_FILE is '{path}', ", said, StringComparison.Ordinal);
        Assert.Contains(problem, said, StringComparison.Ordinal);
    }

    [Fact]
    public void Takes_the_table_of_the_pipe_from_several_a_file_that_is_missing_is_told_and_none_judges_nothing()
    {
        var path = directory.File("table.sql");
        File.WriteAllText(path, "CREATE TABLE A (TEMPERATURE NUMBER(3)); CREATE TABLE B (TEMPERATURE NUMBER(5), ROOM VARCHAR(2));");
        RowLimits? Load(string file, string? table, int problems = 0)
        {
            var settings = new Settings(
                new ConfigurationBuilder()
                    .AddInMemoryCollection(new Dictionary<string, string?> { ["SNOWFLAKE_TABLE_FILE"] = file })
                    .Build()
            );
            var limits = TableLimits.Load(settings, table);
            Assert.Equal(problems, settings.Problems.Count);
            return limits;
        }

        Assert.NotNull(Refusal(Load(path, "A"), """{"temperature":1234}"""));
        Assert.Null(Refusal(Load(path, "B"), """{"temperature":1234,"room":"ab"}"""));
        Assert.NotNull(Refusal(Load(path, "B"), """{"temperature":1234,"room":"abc"}"""));
        Assert.Null(Load("none", null));
        Assert.Null(Load(directory.File("missing.sql"), null, problems: 1));
    }

    static string? Refusal(RowLimits? limits, string json) =>
        Payload
            .Decode(
                System.Text.Encoding.UTF8.GetBytes(json),
                isJson: true,
                "d",
                ReadingKind.Thermal,
                DateTimeOffset.UnixEpoch,
                limits: limits
            )
            .Problems.Values.FirstOrDefault();
}
