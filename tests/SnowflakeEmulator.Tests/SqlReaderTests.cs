namespace ThermalStreaming.SnowflakeEmulator.Tests;

/// <summary>The SQL that declares tables and pipes.</summary>
public class SqlReaderTests
{
    static Catalog Read(string sql)
    {
        var catalog = new Catalog();
        SqlReader.Read(catalog, "x.sql", sql);
        return catalog;
    }

    const string Start = "CREATE DATABASE D; CREATE SCHEMA D.S; USE SCHEMA D.S;\n";

    [Fact]
    public void The_projects_own_files_declare_the_table_with_its_columns_and_the_pipe_that_fills_all_of_them()
    {
        var catalog = SqlReader.ReadDirectory(Emulator.ProjectSql);

        var table = catalog.Tables.Single(t => t.Name == "THERMAL_SENSOR_DATA");
        var pipe = catalog.Pipes.Single(p => p.Name == "THERMAL_SENSOR_PIPE");
        Assert.Equal("DEMO.DEMO.THERMAL_SENSOR_DATA", table.FullName);
        Assert.True(table.ErrorLogging);
        Assert.Equal(table.Columns.Count, pipe.Sources!.Select(s => s.Column).Distinct().Count());
        string[] keys =
        [
            "uuid",
            "rowid",
            "ipaddress",
            "macaddress",
            "host",
            "hostname",
            "cputempf",
            "runtime",
            "systemtime",
            "starttime",
            "endtime",
            "te",
            "ts",
            "datetimestamp",
            "cpu",
            "memory",
            "diskusage",
            "temperature",
            "humidity",
            "co2",
            "pressure",
            "temperatureicp",
            "equivalentco2ppm",
            "totalvocppb",
            "device_id",
            "boot_id",
            "sequence",
            "forwarded_at",
            "channel_id",
            "stream_offset",
            "gas_resistance",
            "quality",
            "sensors",
            "under_voltage",
            "throttled",
            "load_1m",
            "uptime_s",
        ];
        Assert.Equal(keys.Order(), pipe.Sources!.Select(s => s.Key).OfType<string>().Distinct().Order());
        Assert.Single(pipe.Sources!, s => s.Key is null);
        Assert.DoesNotContain(table.Columns, c => c.NotNull);
        Assert.Equal(
            "DECIMAL(10,4)".Replace("DECIMAL", "NUMBER", StringComparison.Ordinal),
            table.Columns[table.IndexOf("TEMPERATURE")].Type.ToString()
        );
    }

    [Fact]
    public void Reading_the_files_twice_changes_nothing()
    {
        var once = SqlReader.ReadDirectory(Emulator.ProjectSql);
        var twice = new Catalog();
        for (var i = 0; i < 2; i++)
        {
            foreach (var file in Directory.GetFiles(Emulator.ProjectSql, "*.sql").Order(StringComparer.Ordinal))
                SqlReader.Read(twice, file, File.ReadAllText(file));
        }

        Assert.Equal(
            once.Tables.Select(t => $"{t.FullName}: {string.Join(", ", t.Columns.Select(c => c.Name))}"),
            twice.Tables.Select(t => $"{t.FullName}: {string.Join(", ", t.Columns.Select(c => c.Name))}")
        );
        Assert.Equal(once.Pipes.Where(p => !p.IsDefault).Select(p => p.Name), twice.Pipes.Select(p => p.Name));
    }

    [Theory]
    [InlineData("GRANT USAGE ON DATABASE D TO ROLE R;")]
    [InlineData("REVOKE ALL ON SCHEMA D.S FROM ROLE R;")]
    [InlineData("CREATE ROLE IF NOT EXISTS R; CREATE OR REPLACE USER U TYPE = SERVICE DEFAULT_ROLE = R;")]
    [InlineData("ALTER USER U SET RSA_PUBLIC_KEY = 'MIIB; not the end';")]
    [InlineData("CREATE WAREHOUSE IF NOT EXISTS W WAREHOUSE_SIZE = XSMALL; ALTER WAREHOUSE W SUSPEND;")]
    [InlineData("CREATE OR REPLACE VIEW V AS SELECT * FROM T WHERE A > 1; CREATE SECURE VIEW W AS SELECT 1;")]
    [InlineData(
        "CREATE OR REPLACE ALERT A SCHEDULE = '5 MINUTE' IF (EXISTS (SELECT 1)) THEN BEGIN LET X := 1; CALL SYSTEM$LOG('a;b'); END;"
    )]
    [InlineData("CREATE TASK T1 AS SELECT CASE WHEN 1 = 1 THEN 2 END;")]
    [InlineData("CREATE NETWORK POLICY P ALLOWED_IP_LIST = ('0.0.0.0/0'); CREATE AUTHENTICATION POLICY Q PAT_POLICY = (X = Y);")]
    [InlineData("DROP PIPE IF EXISTS D.S.P; DROP TABLE IF EXISTS D.S.T; DROP DATABASE D;")]
    [InlineData("SHOW PIPES; DESC PIPE P; DESCRIBE TABLE T; SELECT SYSTEM$PIPE_STATUS('D.S.P'); WITH X AS (SELECT 1) SELECT * FROM X;")]
    [InlineData("USE ROLE ACCOUNTADMIN; USE WAREHOUSE W; USE SECONDARY ROLES ALL; SET X = 1;")]
    [InlineData(
        "COMMENT ON TABLE T IS 'x'; ALTER SCHEMA D.S SET LOG_EVENT_LEVEL = INFO; ALTER PIPE P SET COMMENT = 'x'; ALTER DATABASE D SET X "
            + "= 1;"
    )]
    [InlineData("EXECUTE IMMEDIATE $$ BEGIN CREATE TABLE NOT_SEEN (A INT); END; $$;")]
    [InlineData(
        "CREATE NOTIFICATION INTEGRATION N TYPE = EMAIL ENABLED = TRUE; CREATE RESOURCE MONITOR M WITH CREDIT_QUOTA = 1; CREATE EVENT "
            + "TABLE E;"
    )]
    [InlineData("-- nothing\n/* ; */ // ;\n ;;")]
    public void Statements_about_other_things_are_skipped(string sql)
    {
        var catalog = Read(Start + "CREATE TABLE T (A INT);\n" + sql);

        Assert.Equal("T", Assert.Single(catalog.Tables).Name);
        Assert.Empty(catalog.Pipes);
    }

    [Fact]
    public void Columns_take_every_type_option_and_spelling()
    {
        var table = Assert.Single(
            Read(
                Start
                    + """
                    CREATE OR REPLACE TRANSIENT TABLE t (
                        a number, b DECIMAL(10, 4) NOT NULL, "c d" VARCHAR(5) DEFAULT 'it''s' COMMENT 'a, b', e STRING, f CHAR,
                        g DOUBLE PRECISION, h TIMESTAMP_NTZ(9), i VARIANT NULL, j BOOLEAN DEFAULT TRUE, k INT DEFAULT -5 UNIQUE,
                        l INT PRIMARY KEY, CONSTRAINT x UNIQUE (a), PRIMARY KEY (e)
                    ) CLUSTER BY (a, TO_DATE(h)) ERROR_LOGGING = TRUE COMMENT = 'c' CHANGE_TRACKING = TRUE;
                    """
            ).Tables
        );

        Assert.Equal(
            [
                "A NUMBER(38,0)",
                "B NUMBER(10,4) NOT NULL",
                "c d VARCHAR(5)",
                "E VARCHAR(16777216) NOT NULL",
                "F VARCHAR(1)",
                "G FLOAT",
                "H TIMESTAMP_NTZ",
                "I VARIANT",
                "J BOOLEAN",
                "K NUMBER(38,0)",
                "L NUMBER(38,0) NOT NULL",
            ],
            table.Columns.Select(c => $"{c.Name} {c.Type}{(c.NotNull ? " NOT NULL" : "")}")
        );
        Assert.True(table.ErrorLogging);
    }

    [Theory]
    [InlineData("CREATE TABLE T (A INT,\n B GEOGRAPHY);", "x.sql:3: type GEOGRAPHY is not emulated")]
    [InlineData("CREATE TABLE T (A INT AUTOINCREMENT);", "x.sql:2: expected ')', found 'AUTOINCREMENT'")]
    [InlineData("CREATE TABLE T (A INT) WITH ROW ACCESS POLICY P ON (A);", "x.sql:2: expected a table option")]
    [InlineData("CREATE TABLE T (A INT) ENABLE_SCHEMA_EVOLUTION = TRUE;", "x.sql:2: ENABLE_SCHEMA_EVOLUTION = TRUE is not emulated")]
    [InlineData("CREATE TABLE T (A TIMESTAMP_NTZ DEFAULT CURRENT_TIMESTAMP());", "x.sql:2: DEFAULT CURRENT_TIMESTAMP is not understood")]
    [InlineData("CREATE TABLE T (A INT DEFAULT 'x');", "x.sql:2: DEFAULT x is not a NUMBER(38,0)")]
    [InlineData("CREATE TABLE NOWHERE.S.T (A INT);", "x.sql:2: schema NOWHERE.S does not exist")]
    [InlineData("CREATE TABLE T (A INT);\nCREATE TABLE T (A INT);", "x.sql:3: table D.S.T is created twice")]
    [InlineData("ALTER TABLE T ADD COLUMN B INT;", "x.sql:2: table D.S.T does not exist")]
    [InlineData("CREATE TABLE T (A INT); ALTER TABLE T DROP COLUMN A;", "x.sql:2: expected ADD COLUMN")]
    [InlineData("CREATE TABLE T (A INT); ALTER TABLE T ADD COLUMN A INT;", "x.sql:2: column A exists already")]
    [InlineData("CREATE TABLE T (A INT); CREATE PIPE P AS COPY INTO T FROM @stage;", "x.sql:2: stage D.S.STAGE does not exist")]
    [InlineData(
        "CREATE TABLE T (A INT); CREATE PIPE P AS COPY INTO T FROM (SELECT $1:a:b::INT FROM TABLE(DATA_SOURCE(TYPE => 'STREAMING')));",
        "x.sql:2: expected FROM"
    )]
    [InlineData(
        "CREATE TABLE T (A INT); CREATE PIPE P AS COPY INTO T FROM (SELECT $1:a.b::INT FROM TABLE(DATA_SOURCE(TYPE => 'STREAMING')));",
        "x.sql:2: a path below a key is not emulated"
    )]
    [InlineData(
        "CREATE TABLE T (A INT); CREATE PIPE P AS COPY INTO T FROM (SELECT UPPER($1:a) FROM TABLE(DATA_SOURCE(TYPE => 'STREAMING')));",
        "x.sql:2: expected $1"
    )]
    [InlineData(
        "CREATE TABLE T (A INT); CREATE PIPE P AS COPY INTO T FROM (SELECT $1:a::VARCHAR FROM TABLE(DATA_SOURCE(TYPE => 'STREAMING')));",
        "x.sql:2: a value cast to VARCHAR(16777216) goes into column A"
    )]
    [InlineData(
        "CREATE TABLE T (A INT); CREATE PIPE P AS COPY INTO T (A) FROM (SELECT $1:a::INT, $1:b::INT FROM TABLE(DATA_SOURCE(TYPE => "
            + "'STREAMING')));",
        "x.sql:2: the SELECT has more expressions"
    )]
    [InlineData(
        "CREATE TABLE T (A INT); CREATE PIPE P AS COPY INTO T (B) FROM (SELECT $1:a::INT FROM TABLE(DATA_SOURCE(TYPE => 'STREAMING')));",
        "x.sql:2: no column B"
    )]
    [InlineData(
        "CREATE TABLE T (A INT); CREATE PIPE P AS COPY INTO T FROM TABLE(DATA_SOURCE(TYPE => 'STREAMING'));",
        "x.sql:2: a streaming pipe has either"
    )]
    [InlineData("CREATE TABLE T (A INT); CREATE PIPE P AUTO_INGEST = TRUE AS COPY INTO T FROM @s;", "x.sql:2: stage D.S.S does not exist")]
    [InlineData("CREATE TABLE T (A INT, A INT);", "x.sql:2: column A is declared twice in D.S.T")]
    [InlineData(
        "CREATE TABLE T (A INT); CREATE PIPE \"T-STREAMING\" AS COPY INTO T FROM TABLE(DATA_SOURCE(TYPE => 'STREAMING')) "
            + "MATCH_BY_COLUMN_NAME = CASE_SENSITIVE;",
        "x.sql:2: a name that ends in -STREAMING"
    )]
    [InlineData("INSERT INTO T VALUES (1);", "x.sql:2: expected a statement")]
    [InlineData("CREATE SOMETHING X;", "x.sql:2: expected DATABASE, SCHEMA, TABLE, FILE FORMAT, STAGE or PIPE")]
    [InlineData("SELECT 'open", "x.sql:2: a string is not closed")]
    [InlineData("/* open", "x.sql:2: a comment is not closed")]
    public void What_is_not_understood_is_an_error_with_file_and_line(string sql, string problem)
    {
        var error = Assert.Throws<SqlException>(() => Read(Start + sql));

        Assert.StartsWith(problem, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pipe_may_be_replaced_and_its_columns_may_come_in_any_order_with_aliases()
    {
        var pipe = Assert.Single(
            Read(
                Start
                    + """
                    CREATE TABLE T (A INT, B TIMESTAMP_NTZ, C VARIANT);
                    CREATE PIPE P AS COPY INTO T FROM TABLE(DATA_SOURCE(TYPE => 'STREAMING')) MATCH_BY_COLUMN_NAME = CASE_SENSITIVE;
                    CREATE OR REPLACE PIPE P COMMENT = 'x' AS
                    COPY INTO T (C, B, A) FROM (SELECT $1 AS raw, TO_TIMESTAMP_NTZ($1:when) b, $1:"A b"::INTEGER AS a FROM TABLE(DATA_SOURCE(TYPE => 'STREAMING')))
                    CLUSTER_AT_INGEST_TIME = TRUE;
                    """
            ).Pipes
        );

        Assert.Equal([(2, null), (1, "when"), (0, "A b")], pipe.Sources!.Select(s => (s.Column, s.Key)));
    }
}
