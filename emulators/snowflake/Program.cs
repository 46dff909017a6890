using ThermalStreaming.Hosting;
using ThermalStreaming.SnowflakeEmulator;

if (args is ["--help" or "-h" or "help"])
{
    Console.Out.WriteLine(EmulatorSettings.Help());
    return ExitCodes.Ok;
}
var settings = new Settings(new ConfigurationBuilder().AddEnvironmentVariables().Build());
var options = EmulatorSettings.Load(settings);
if (args is ["healthcheck"])
    return await HealthCheck.RunAsync(options.Port);
var isSql = args is ["sql", ..];
if (args.Length > 0 && !isSql)
    settings.Problem($"'{args[0]}' is not a verb. The verbs are healthcheck, sql and --help; without one the emulator runs.");
options.CheckDirectories(settings);

WebApplication? app = null;
try
{
    if (settings.Problems.Count == 0)
    {
        var catalog = SqlReader.ReadDirectory(options.SqlDirectory, options.Bucket, options.Prefix);
        if (catalog.Tables.Count == 0)
            settings.Problem($"EMULATOR_SQL is '{options.SqlDirectory}', whose *.sql files create no table.");
        else if (isSql)
            return await SqlCommand.RunAsync(options, catalog, args[1..], Console.In, Console.Out, Console.Error);
        else
            app = EmulatorHost.Build(options, catalog, TimeProvider.System);
    }
}
catch (SqlException e)
{
    settings.Problem(e.Message);
}
catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
{
    settings.Problem($"EMULATOR_DATA is '{options.DataDirectory}', which cannot be used: {e.Message} (Is another emulator running on it?)");
}
if (app is null)
{
    foreach (var problem in settings.Problems)
        Console.Error.WriteLine($"config: {problem}");
    return ExitCodes.BadConfiguration;
}

await using (app)
{
    try
    {
        await app.RunAsync();
        return ExitCodes.Ok;
    }
    catch (Exception e)
    {
        var problem = ListenProblem.Of(e, ("EMULATOR_PORT", options.Port), ("EMULATOR_HTTPS_PORT", options.HttpsPort ?? options.Port));
        Console.Error.WriteLine(problem is null ? $"crashed: {e}" : $"config: {problem}");
        return problem is null ? ExitCodes.Failed : ExitCodes.BadConfiguration;
    }
}
