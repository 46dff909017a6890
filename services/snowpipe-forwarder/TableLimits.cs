using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>
/// What the table's columns can hold. Snowflake refuses a whole row for one value that does not fit; this finds it before the reading is
/// stored.
/// </summary>
static class TableLimits
{
    public const string Setting = "SNOWFLAKE_TABLE_FILE";

    /// <summary>Reads the table's SQL: the file that the setting names, or the project's own.</summary>
    /// <param name="settings">Receives the problems.</param>
    /// <param name="table">The table, if the pipe's name tells.</param>
    /// <returns>Null if nothing is to be checked.</returns>
    public static RowLimits? Load(Settings settings, string? table)
    {
        var path = settings.OptionalText(
            Setting,
            "SQL file with the CREATE TABLE of a table of your own; values that its columns cannot hold become dead letters. Without "
                + "it sql/streaming/02_table.sql applies; none switches the check off."
        );
        if (path is null)
            return new RowLimits(TableSql.Read(OwnSql(), null), isOwnTable: false);
        if (path.Equals("none", StringComparison.OrdinalIgnoreCase))
            return null;
        try
        {
            return new RowLimits(TableSql.Read(File.ReadAllText(path), table?.Trim('"')), isOwnTable: true);
        }
        catch (FormatException e)
        {
            settings.Problem($"{Setting} is '{path}', {e.Message}; correct it, or set none to leave the check to Snowflake.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            settings.Problem(
                $"{Setting} is '{path}', which cannot be read ({Settings.Reason(e)}); mount the file into the container, or leave the "
                    + "setting empty for the project's own table."
            );
        }
        return null;
    }

    static string OwnSql()
    {
        using var sql = new StreamReader(typeof(TableLimits).Assembly.GetManifestResourceStream("02_table.sql")!);
        return sql.ReadToEnd();
    }
}
