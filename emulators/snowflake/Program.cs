using ThermalStreaming.SnowflakeEmulator;

const int Stopped = 0, Crashed = 1, BadConfiguration = 78;

if (args is ["--help" or "-h" or "help"])
{
    Console.Out.WriteLine(EmulatorSettings.Help);
    return Stopped;
}
if (args is ["healthcheck"])
    return await HealthCheck.RunAsync();
if (args.Length > 0)
{
    Console.Error.WriteLine($"config: '{args[0]}' is no verb; there are none (run), healthcheck and --help.");
    return BadConfiguration;
}

var problems = new List<string>();
var settings = EmulatorSettings.Read(Environment.GetEnvironmentVariable, problems);
Catalog? catalog = null;
WebApplication? app = null;
try
{
    if (problems.Count == 0)
    {
        catalog = SqlReader.ReadDirectory(settings.SqlDirectory);
        if (catalog.Tables.Count == 0)
            problems.Add($"EMULATOR_SQL is '{settings.SqlDirectory}', whose *.sql files create no table.");
    }
    if (problems.Count == 0)
        app = EmulatorHost.Build(settings, catalog!, TimeProvider.System);
}
catch (SqlException e)
{
    problems.Add(e.Message);
}
catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
{
    problems.Add($"the data directory {settings.DataDirectory} cannot be used: {e.Message} (Is another emulator running on it?)");
}

if (app is null)
{
    foreach (var problem in problems)
        Console.Error.WriteLine($"config: {problem}");
    return BadConfiguration;
}
await using (app)
{
    try
    {
        await app.RunAsync();
        return Stopped;
    }
    catch (IOException e)
    {
        Console.Error.WriteLine($"config: cannot listen on EMULATOR_PORT {settings.Port}"
            + (settings.HttpsPort is { } https ? $" and EMULATOR_HTTPS_PORT {https}" : "") + $": {e.Message}");
        return BadConfiguration;
    }
    catch (Exception e)
    {
        Console.Error.WriteLine($"crashed: {e}");
        return Crashed;
    }
}
