using System.Diagnostics;
using System.Text.RegularExpressions;

namespace ThermalStreaming.SnowflakeEmulator.Tests;

/// <summary>
/// All of sql/: what a user runs in his account. Tables, columns and streaming pipes are read by the emulator's own reader; queries and
/// views are parsed by sqlglot, which knows Snowflake's dialect (Debian's python3-sqlglot; ./test installs it).
/// </summary>
public partial class ProjectSqlTests
{
    static string Root => Path.GetDirectoryName(Path.GetFullPath(Emulator.ProjectSql))!;

    public static TheoryData<string> Files(string folders)
    {
        var files = new TheoryData<string>();
        foreach (var folder in folders.Split(' '))
        {
            foreach (var file in Directory.GetFiles(Path.Combine(Root, folder), "*.sql").Order(StringComparer.Ordinal))
                files.Add(Path.GetRelativePath(Root, file));
        }
        return files;
    }

    [Theory]
    [MemberData(nameof(Files), "streaming classic queries")]
    public void The_emulator_reads_or_skips_every_statement_of(string file)
    {
        var catalog = SqlReader.ReadDirectory($"{Emulator.ProjectSql},{Emulator.Find("sql/classic")}");
        var tables = catalog.Tables.Count;

        SqlReader.Read(catalog, file, File.ReadAllText(Path.Combine(Root, file)));

        Assert.Equal(tables, catalog.Tables.Count);
    }

    [Theory]
    [MemberData(nameof(Files), "streaming classic queries")]
    public void Running_it_twice_does_no_harm(string file)
    {
        foreach (var statement in Statements(file))
        {
            Assert.True(
                !statement.StartsWith("CREATE", StringComparison.Ordinal)
                    || statement.StartsWith("CREATE OR REPLACE VIEW", StringComparison.Ordinal)
                    || statement.Contains(" IF NOT EXISTS ", StringComparison.Ordinal),
                statement
            );
            Assert.True(
                !statement.StartsWith("DROP", StringComparison.Ordinal) || statement.Contains(" IF EXISTS ", StringComparison.Ordinal),
                statement
            );
            Assert.True(
                !statement.Contains("ADD COLUMN", StringComparison.Ordinal)
                    || statement.Contains("ADD COLUMN IF NOT EXISTS", StringComparison.Ordinal),
                statement
            );
            Assert.DoesNotMatch("^(INSERT|UPDATE|DELETE|TRUNCATE|MERGE)", statement);
        }
    }

    [Theory]
    [MemberData(nameof(Files), "streaming classic queries")]
    public async Task A_parser_of_Snowflakes_dialect_understands_the_queries_of(string file)
    {
        foreach (var query in Statements(file).Where(IsQuery))
        {
            var (code, said) = await ParseAsync(query);

            Assert.True(code == 0, $"{file}: {said}\n{query}");
        }
    }

    [Theory]
    [InlineData("SELECT COUNT(* FROM T")]
    [InlineData("SELECT A B C FROM T")]
    [InlineData("SELECT A FROM T QUALIFY ROW_NUMBER() OVER (PARTITION A) = 1")]
    [InlineData("CREATE OR REPLACE VIEW V AS SELEC A FROM T")]
    public async Task A_parser_of_Snowflakes_dialect_refuses(string query)
    {
        var (code, _) = await ParseAsync(query);

        Assert.Equal(1, code);
    }

    [Fact]
    public void Every_column_that_a_query_takes_from_the_table_is_in_the_table()
    {
        var table = SqlReader.ReadDirectory(Emulator.ProjectSql).Tables.Single(table => table.Name == "THERMAL_SENSOR_DATA");
        var view = Statements(Path.Combine("queries", "01_views.sql"))
            .Single(statement => statement.Contains("VIEW THERMAL_SENSOR_READINGS", StringComparison.Ordinal));
        var select = view[
            view.IndexOf("SELECT", StringComparison.Ordinal)..view.IndexOf("FROM THERMAL_SENSOR_DATA", StringComparison.Ordinal)
        ];

        var used = Word()
            .Matches(select)
            .Select(match => match.Value)
            .Except(["SELECT", "AS", "COALESCE", "DEVICE", "TEMPERATUREICP_C", "CPUTEMP_C"])
            .ToList();

        Assert.DoesNotContain(used, name => table.IndexOf(name) < 0);
        Assert.True(used.Count > 20);
    }

    static bool IsQuery(string statement) => Query().IsMatch(statement);

    [GeneratedRegex("^(SELECT|WITH|CREATE OR REPLACE VIEW)\\b")]
    private static partial Regex Query();

    [GeneratedRegex("[A-Z][A-Z0-9_]*")]
    private static partial Regex Word();

    /// <summary>Without comments; a statement ends with a semicolon at the end of a line.</summary>
    static List<string> Statements(string file)
    {
        var text = Regex.Replace(File.ReadAllText(Path.Combine(Root, file)), "--.*", "");
        return
        [
            .. Regex
                .Split(text, @";[ \t]*$", RegexOptions.Multiline)
                .Select(statement => statement.Trim())
                .Where(statement => statement.Length > 0),
        ];
    }

    /// <summary>
    /// Exit code 0: one statement, understood. SYSTEM$ functions are spelt without the $, which the parser's older versions do not know in
    /// a name.
    /// </summary>
    static async Task<(int Code, string Said)> ParseAsync(string query)
    {
        const string script = """
            import logging, sys
            logging.disable(logging.CRITICAL)
            try:
                import sqlglot
            except ImportError:
                print("sqlglot is missing: apt-get install python3-sqlglot"); sys.exit(3)
            try:
                parsed = [p for p in sqlglot.parse(sys.stdin.read().replace("SYSTEM$", "SYSTEM_"), read="snowflake") if p]
            except Exception as e:
                print(e); sys.exit(1)
            kinds = [type(p).__name__ for p in parsed]
            print(kinds); sys.exit(0 if len(kinds) == 1 and kinds[0] in ("Select", "Create", "Union") else 1)
            """;
        using var python = Process.Start(
            new ProcessStartInfo("/usr/bin/python3", ["-c", script])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        await python.StandardInput.WriteAsync(query);
        python.StandardInput.Close();
        var output = python.StandardOutput.ReadToEndAsync();
        var errors = python.StandardError.ReadToEndAsync();
        await python.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        return (python.ExitCode, await output + await errors);
    }
}
