using Microsoft.Extensions.Configuration;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.SnowflakeEmulator.Tests;

/// <summary>The SQL that declares file formats, stages and pipes that load files.</summary>
public class LoadSqlTests
{
    const string Start = "CREATE DATABASE D; CREATE SCHEMA D.S; USE SCHEMA D.S; CREATE TABLE T (A VARIANT, B VARCHAR);\n";
    const string Stage = "CREATE STAGE ST URL='s3://b/p/' FILE_FORMAT=(TYPE=JSON);\n";

    static Catalog Read(string sql)
    {
        var catalog = new Catalog();
        SqlReader.Read(catalog, "x.sql", Start + sql);
        return catalog;
    }

    static LoadPipe Pipe(string sql) => Assert.Single(Read(sql).LoadPipes);

    [Fact]
    public void The_projects_own_files_declare_a_pipe_that_fills_every_column_from_the_prefix()
    {
        var catalog = SqlReader.ReadDirectory($"{Emulator.ProjectSql},{Emulator.Find("sql/classic")}", "my-bucket");

        var pipe = Assert.Single(catalog.LoadPipes);
        Assert.Equal(("DEMO.DEMO.INVERTER_PIPE", "DEMO.DEMO.INVERTER_DATA_RAW"), (pipe.FullName, pipe.Table.FullName));
        Assert.Equal("s3://my-bucket/inverter-data/", pipe.StageLocation);
        Assert.True(pipe.AutoIngest);
        Assert.Equal(ErrorPolicy.SkipFile, pipe.OnError);
        Assert.Equal(new FileFormat(FileCompression.Auto, StripOuterArray: true), pipe.Format);
        Assert.Equal(pipe.Table.Columns.Count, pipe.Sources.Select(source => source.Column).Distinct().Count());
        Assert.Equal(
            [LoadField.FileName, LoadField.Record, LoadField.ContentKey, LoadField.LastModified, LoadField.StartScanTime],
            pipe.Sources.Select(source => source.Field)
        );
        // It is no pipe that anybody can stream to.
        Assert.DoesNotContain(catalog.Pipes, p => p.Name == pipe.Name);
    }

    [Theory]
    [InlineData("plant/a", "s3://my-bucket/plant/a/")]
    [InlineData("o'brien/", "s3://my-bucket/o'brien/")]
    [InlineData("", "s3://my-bucket/inverter-data/")]
    public void The_pipe_loads_from_the_prefix_that_the_settings_name(string prefix, string expected)
    {
        var settings = EmulatorSettings.Load(
            new Settings(
                new ConfigurationBuilder()
                    .AddInMemoryCollection(
                        new Dictionary<string, string?>
                        {
                            ["EMULATOR_SQL"] = $"{Emulator.ProjectSql},{Emulator.Find("sql/classic")}",
                            ["S3_BUCKET"] = "my-bucket",
                            ["S3_FILE_PREFIX"] = prefix,
                        }
                    )
                    .Build()
            )
        );

        var catalog = SqlReader.ReadDirectory(settings.SqlDirectory, settings.Bucket, settings.Prefix);

        Assert.Equal(expected, Assert.Single(catalog.LoadPipes).StageLocation);
    }

    [Fact]
    public void The_format_of_the_COPY_goes_before_that_of_the_stage()
    {
        const string formats =
            "CREATE FILE FORMAT F TYPE=JSON STRIP_OUTER_ARRAY=TRUE; CREATE OR REPLACE FILE FORMAT G TYPE='json' COMPRESSION=GZIP;";
        const string copy = "CREATE PIPE P AS COPY INTO T (A) FROM @ST";

        Assert.False(Pipe($"{Stage}{copy};").Format.StripOuterArray);
        Assert.True(Pipe($"{formats}{Stage}{copy} FILE_FORMAT = (FORMAT_NAME = F);").Format.StripOuterArray);
        Assert.Equal(FileCompression.Gzip, Pipe($"{formats}{Stage}{copy} FILE_FORMAT = (FORMAT_NAME = 'd.s.g');").Format.Compression);
        Assert.True(Pipe($"{formats}{Stage}{copy} FILE_FORMAT = f;").Format.StripOuterArray);
        Assert.False(Pipe($"{Stage}{copy};").AutoIngest);
    }

    [Fact]
    public void What_exists_stays_with_IF_NOT_EXISTS_and_is_exchanged_with_OR_REPLACE()
    {
        const string first = Stage + "CREATE PIPE P AS COPY INTO T (A) FROM @ST;";

        Assert.Equal("p/", Pipe(first + "CREATE STAGE IF NOT EXISTS ST URL='s3://b/q/';").Stage.Prefix);
        Assert.Equal("", Pipe(first + "CREATE PIPE IF NOT EXISTS P AS COPY INTO T (A) FROM @ST/x;").Path);
        Assert.Equal("x/", Pipe(first + "CREATE OR REPLACE PIPE P AS COPY INTO T (A) FROM @ST/x;").Path);
        Assert.Empty(
            Read(
                first + "CREATE OR REPLACE PIPE P AS COPY INTO T (A) FROM (SELECT $1 FROM TABLE(DATA_SOURCE(TYPE => 'STREAMING')));"
            ).LoadPipes
        );
    }

    [Fact]
    public void A_path_below_the_stage_keeps_its_spelling()
    {
        var pipe = Pipe(Stage + "CREATE PIPE P AS COPY INTO T (A) FROM (SELECT $1 FROM @D.S.ST/Year/2026-11-20/) ON_ERROR = CONTINUE;");

        Assert.Equal("Year/2026-11-20/", pipe.Path);
        Assert.True(pipe.Takes("b", "p/Year/2026-11-20/a.json"));
        Assert.False(pipe.Takes("b", "p/year/2026-11-20/a.json"));
        Assert.False(pipe.Takes("c", "p/Year/2026-11-20/a.json"));
    }

    [Fact]
    public void A_prefix_without_a_slash_at_its_end_is_a_part_of_a_name()
    {
        var pipe = Pipe("CREATE STAGE ST URL='s3://b/p' FILE_FORMAT=(TYPE=JSON); CREATE PIPE P AS COPY INTO T (A) FROM @ST;");

        Assert.True(pipe.Takes("b", "public/a.json"));
    }

    [Theory]
    [InlineData("CREATE STAGE ST URL='azure://x/';", "x.sql:2: the URL of stage ST is 'azure://x/'; only s3://bucket/path/ is emulated")]
    [InlineData("CREATE STAGE ST URL='s3://b/' FILE_FORMAT=(TYPE=CSV);", "only file formats of TYPE = JSON are emulated")]
    [InlineData("CREATE STAGE ST URL='s3://b/' FILE_FORMAT=(FORMAT_NAME=F);", "file format D.S.F does not exist")]
    [InlineData("CREATE FILE FORMAT F TYPE=JSON COMPRESSION=BROTLI;", "COMPRESSION = BROTLI is not emulated")]
    [InlineData("CREATE FILE FORMAT F TYPE=JSON STRIP_NULL_VALUES=TRUE;", "STRIP_NULL_VALUES = TRUE is not emulated")]
    [InlineData("CREATE FILE FORMAT F TYPE=JSON; CREATE FILE FORMAT F TYPE=JSON;", "file format F is created twice")]
    [InlineData(Stage + Stage, "x.sql:3: stage ST is created twice")]
    [InlineData("CREATE PIPE P AUTO_INGEST=TRUE AS COPY INTO T FROM @ST;", "stage D.S.ST does not exist")]
    [InlineData(
        Stage + "CREATE PIPE P AS COPY INTO T FROM @ST;",
        "a file of JSON has one column, $1; select what the columns of T get from it"
    )]
    [InlineData(
        Stage + "CREATE PIPE P AS COPY INTO T (A) FROM (SELECT $1, METADATA$FILENAME FROM @ST);",
        "more expressions than there are columns"
    )]
    [InlineData(
        Stage + "CREATE PIPE P AS COPY INTO T FROM (SELECT $1 FROM @ST) ON_ERROR=ABORT_STATEMENT;",
        "ABORT_STATEMENT is not for pipes"
    )]
    [InlineData(Stage + "CREATE PIPE P AS COPY INTO T FROM (SELECT $1 FROM @ST) PURGE=TRUE;", "expected FILE_FORMAT, ON_ERROR or PATTERN")]
    [InlineData(Stage + "CREATE PIPE P AS COPY INTO T FROM (SELECT $1 FROM @ST) PATTERN='(';", "PATTERN is not a regular expression")]
    [InlineData(Stage + "CREATE PIPE P AS COPY INTO T FROM (SELECT CONVERT_TIMEZONE('Europe/Berlin', $1) FROM @ST);", "for 'UTC' alone")]
    [InlineData(
        Stage + "CREATE PIPE P AS COPY INTO T (B) FROM (SELECT METADATA$START_SCAN_TIME FROM @ST);",
        "cast it to the column's own type"
    )]
    [InlineData(
        "CREATE STAGE ST URL='s3://b/'; CREATE PIPE P AS COPY INTO T (A) FROM @ST;",
        "neither the COPY nor stage ST has a FILE_FORMAT"
    )]
    [InlineData(Stage + "CREATE PIPE P AS COPY INTO T (A) FROM @ST; CREATE PIPE P AS COPY INTO T (A) FROM @ST;", "pipe P is created twice")]
    public void What_is_not_understood_is_named_with_file_and_line(string sql, string problem)
    {
        var message = Assert.Throws<SqlException>(() => Read(sql)).Message;

        Assert.Contains(problem, message, StringComparison.Ordinal);
        Assert.StartsWith("x.sql:", message, StringComparison.Ordinal);
    }
}
