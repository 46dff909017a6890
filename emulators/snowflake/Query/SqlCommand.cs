using ThermalStreaming.Hosting;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>
/// The verb <c>sql</c>: runs the statements of a file, or of standard input, on the rows that the emulator has committed. It runs in a
/// separate process, so that no query can take the emulator's memory or stop it.
/// </summary>
static class SqlCommand
{
    const string Usage = "usage: sql [--json] [--read-only] [FILE]   (without FILE, or with -, SQL is read from standard input)";

    /// <param name="settings">Location of rows and declarations.</param>
    /// <param name="catalog">The declared tables.</param>
    /// <param name="arguments">The arguments after the verb.</param>
    /// <param name="input">Standard input.</param>
    /// <param name="output">Receives the results.</param>
    /// <param name="error">Receives the problem if a statement cannot be run.</param>
    /// <returns>The exit code: <see cref="ExitCodes.Failed"/> if a statement cannot be run; earlier ones have been run.</returns>
    public static async Task<int> RunAsync(
        EmulatorSettings settings,
        Catalog catalog,
        string[] arguments,
        TextReader input,
        TextWriter output,
        TextWriter error
    )
    {
        string[] files = [.. arguments.Where(argument => argument is "-" || !argument.StartsWith('-'))];
        if (files.Length > 1 || arguments.Except(files).Except(["--json", "--read-only"]).Any())
        {
            await error.WriteLineAsync(Usage);
            return ExitCodes.Failed;
        }
        var file = files is [var path] && path != "-" ? path : null;
        var line = 1;
        try
        {
            var sql = file is null ? await input.ReadToEndAsync() : await File.ReadAllTextAsync(file);
            if (sql.Length > QueryLimits.SqlLength)
                throw new QueryException($"The SQL has {sql.Length} characters; {QueryLimits.SqlLength} is the most.");
            var statements = SqlTokenizer.Statements(SqlTokenizer.Tokenize(file ?? "sql", sql)).ToList();
            if (statements.Count == 0)
                throw new QueryException("There is no statement.");
            using var session = await QuerySession.OpenAsync(
                settings.DataDirectory,
                catalog,
                mayCreateViews: !arguments.Contains("--read-only"),
                QueryLimits.Time,
                pipesRun: settings.Loader is not null
            );
            foreach (var statement in statements)
            {
                line = statement[0].Line;
                if (session.Run(sql, statement) is not { } result)
                    continue;
                if (arguments.Contains("--json"))
                    ResultWriter.WriteJson(result, output);
                else
                    ResultWriter.Draw(result, output);
            }
            return ExitCodes.Ok;
        }
        catch (SqlException e)
        {
            await error.WriteLineAsync(e.Message);
        }
        catch (Exception e) when (e is QueryException or IOException or InvalidDataException or UnauthorizedAccessException)
        {
            await error.WriteLineAsync($"{file ?? "sql"}:{line}: {e.Message}");
        }
        return ExitCodes.Failed;
    }
}
