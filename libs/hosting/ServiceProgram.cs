using System.CommandLine;
using System.Diagnostics.Metrics;
using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Spectre.Console;

namespace ThermalStreaming.Hosting;

/// <summary>What a service is: the one thing each <c>Program.cs</c> says.</summary>
/// <typeparam name="TOptions">The service's own options.</typeparam>
public sealed class ServiceDefinition<TOptions> where TOptions : class
{
    /// <summary>Name of the compose service.</summary>
    public required string Name { get; init; }

    /// <summary>One sentence for <c>--help</c>.</summary>
    public required string Description { get; init; }

    /// <summary>Reads and validates the options. Must not throw; problems go to <see cref="Settings.Problem"/>.</summary>
    public required Func<Settings, TOptions> Load { get; init; }

    /// <summary>Registers what runs. Hosted services start in the order given and stop in reverse.</summary>
    public required Action<IServiceCollection, TOptions> Configure { get; init; }

    /// <summary>The steps of <c>check</c>, after the one that checks the configuration itself.</summary>
    public Func<TOptions, IServiceProvider, IEnumerable<CheckStep>>? Checks { get; init; }

    /// <summary>Command-line options of <c>check</c> that stand for a setting, for example <c>--probe</c>.</summary>
    public IReadOnlyList<SettingOption> CheckArguments { get; init; } = [];

    /// <summary>Verbs of this service alone (<c>journal</c>, <c>keygen</c>). They get the options lazily: some must work without any.</summary>
    public Func<Func<TOptions>, IEnumerable<Command>>? Commands { get; init; }

    /// <summary>Command-line options of the running service that stand for a setting, for example <c>--batch-size</c> for BATCH_SIZE.</summary>
    public IReadOnlyList<SettingOption> Arguments { get; init; } = [];

    /// <summary>Further configuration sources below the environment, for example a mounted JSON file.</summary>
    public Action<IConfigurationBuilder>? Sources { get; init; }
}

/// <summary>A command-line option that sets a setting. A switch needs no value and means <paramref name="SwitchValue"/>.</summary>
public sealed record SettingOption(string Name, string Key, string Description, bool IsSwitch = false, string SwitchValue = "true");

/// <summary>Starts a service or runs one of its verbs: none = run, <c>check</c>, <c>healthcheck</c>, <c>status</c>.</summary>
public static partial class ServiceProgram
{
    public static async Task<int> RunAsync<TOptions>(string[] args, ServiceDefinition<TOptions> definition) where TOptions : class
    {
        try
        {
            // A service runs for months, nearly always without arguments: what parses them and prints their help must not stay in memory for it.
            return args.Length == 0 ? await ServeAsync(definition, Configuration(definition, []), CancellationToken.None) : await ParseAsync(args, definition);
        }
        catch (ConfigurationException e)
        {
            return PrintProblems(e.Problems);
        }
    }

    static async Task<int> ParseAsync<TOptions>(string[] args, ServiceDefinition<TOptions> definition) where TOptions : class
    {
        var root = new RootCommand(definition.Description + Environment.NewLine + Environment.NewLine + DescribeSettings(definition));
        var arguments = Options(definition.Arguments, root);

        IConfiguration Configuration(ParseResult? parsed)
        {
            var given = arguments.Where(argument => parsed?.GetResult(argument.Option) is { Implicit: false });
            return ServiceProgram.Configuration(definition, given.Select(argument => KeyValuePair.Create(argument.Key, argument.Option switch
            {
                Option<string> text => parsed!.GetValue(text),
                Option<bool> flag when !parsed!.GetValue(flag) => "false",
                _ => argument.SwitchValue,
            })));
        }

        root.SetAction((parsed, cancellationToken) => ServeAsync(definition, Configuration(parsed), cancellationToken));

        var json = new Option<bool>("--json") { Description = "Print JSON for machines." };
        var check = new Command("check", "Tests each dependency step by step and says what to do about what fails.") { json };
        check.SetAction((parsed, cancellationToken) => CheckAsync(definition, Configuration(parsed), parsed.GetValue(json), cancellationToken));
        arguments.AddRange(Options(definition.CheckArguments, check));
        root.Subcommands.Add(check);

        var healthcheck = new Command("healthcheck", "Asks the running service whether it is well; exit code 0 or 1. For container engines.");
        healthcheck.SetAction((parsed, cancellationToken) => AskAsync(Configuration(parsed), "/readyz", cancellationToken));
        root.Subcommands.Add(healthcheck);

        var status = new Command("status", "Shows the figures of the running service.") { json };
        status.SetAction((parsed, cancellationToken) => StatusAsync(Configuration(parsed), parsed.GetValue(json), cancellationToken));
        root.Subcommands.Add(status);

        TOptions LoadOrExit()
        {
            var settings = new Settings(Configuration(null));
            var options = definition.Load(settings);
            return settings.Problems.Count == 0 ? options : throw new ConfigurationException(settings.Problems);
        }

        foreach (var command in definition.Commands?.Invoke(LoadOrExit) ?? [])
            root.Subcommands.Add(command);
        return await root.Parse(args).InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
    }

    /// <param name="definition">Names the sources below the environment.</param>
    /// <param name="given">What the command line gave, which goes above it.</param>
    static IConfiguration Configuration<TOptions>(ServiceDefinition<TOptions> definition, IEnumerable<KeyValuePair<string, string?>> given) where TOptions : class
    {
        var configuration = new ConfigurationBuilder();
        definition.Sources?.Invoke(configuration);
        AddEnvironment(configuration);
        configuration.AddInMemoryCollection(given);
        return configuration.Build();
    }

    static List<(string Key, string SwitchValue, Option Option)> Options(IReadOnlyList<SettingOption> arguments, Command command)
    {
        var options = arguments.Select(argument => (argument.Key, argument.SwitchValue, Option: (Option)(argument.IsSwitch
            ? new Option<bool>(argument.Name) { Description = argument.Description }
            : new Option<string>(argument.Name) { Description = $"{argument.Description} Same as {argument.Key}." }))).ToList();
        foreach (var (_, _, option) in options)
            command.Options.Add(option);
        return options;
    }

    // Compose passes VAR= for an unset variable: blank must not hide what a file says.
    static void AddEnvironment(ConfigurationBuilder configuration)
        => configuration.AddInMemoryCollection(new ConfigurationBuilder().AddEnvironmentVariables().Build().AsEnumerable().Where(variable => !string.IsNullOrWhiteSpace(variable.Value)));

    static string DescribeSettings<TOptions>(ServiceDefinition<TOptions> definition) where TOptions : class
    {
        var settings = new Settings(new ConfigurationBuilder().Build());
        _ = HttpPort(settings);
        _ = LogSettings.Load(settings);
        _ = definition.Load(settings);
        var lines = settings.Entries.DistinctBy(entry => entry.Key)
            .Select(entry => $"  {entry.Key,-34} {entry.Description}{(entry.Default.Length == 0 ? "" : $" [{entry.Default}]")}");
        return "Settings (environment; defaults in brackets):" + Environment.NewLine + string.Join(Environment.NewLine, lines);
    }

    static async Task<int> ServeAsync<TOptions>(ServiceDefinition<TOptions> definition, IConfiguration configuration, CancellationToken cancellationToken) where TOptions : class
    {
        var settings = new Settings(configuration);
        var port = HttpPort(settings);
        var log = LogSettings.Load(settings);
        var options = definition.Load(settings);
        if (settings.Problems.Count > 0)
            return PrintProblems(settings.Problems);

        var app = Build(definition, options, port, log);
        var health = app.Services.GetRequiredService<Health>();
        var metrics = app.Services.GetRequiredService<PrometheusText>();
        var page = app.Services.GetRequiredService<StatusPage>();
        // Four paths need no routing, which would take three megabytes.
        app.Run(context => (HttpMethods.IsGet(context.Request.Method), context.Request.Path.Value) switch
        {
            (false, _) => WriteTextAsync(context, 405, "only GET is answered\n"),
            (_, "/healthz") => WriteTextAsync(context, 200, "ok\n"),
            (_, "/readyz") => WriteTextAsync(context, health.IsReady ? 200 : 503, Describe(health)),
            (_, "/metrics") => WriteTextAsync(context, 200, metrics.Render(), "text/plain; version=0.0.4"),
            (_, "/status") => WriteStatusAsync(definition.Name, health, page, TimeProvider.System, context.Response),
            _ => WriteTextAsync(context, 404, "there are /healthz, /readyz, /metrics and /status\n"),
        });

        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger(definition.Name);
        List<BackgroundService> running = [];
        try
        {
            // Before the run, because the host disposes its services at the end of it.
            running.AddRange(app.Services.GetServices<IHostedService>().OfType<BackgroundService>());
            _ = MemoryTrim.RunAsync(TimeProvider.System, app.Lifetime.ApplicationStopping);
            await app.RunAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Asked to stop while starting.
        }
        catch (Exception e)
        {
            // A part that fails while others still start cancels the start; the cause is the part's.
            if (running.FirstOrDefault(service => service.ExecuteTask is { IsFaulted: true })?.ExecuteTask!.Exception is { } cause)
                return Ended(logger, cause);
            return ListenProblem.Of(e, ("HTTP_PORT", port)) is { } problem ? PrintProblems([problem]) : Ended(logger, e);
        }
        // The host itself returns 0 when a background service dies (dotnet/runtime#68165): `restart: on-failure` would never fire.
        foreach (var service in running)
        {
            if (service.ExecuteTask is { IsFaulted: true } task)
                return Ended(logger, task.Exception);
        }
        return ExitCodes.Ok;
    }

    static int Ended(ILogger logger, Exception e)
    {
        // The host wraps what its services threw.
        while (e is AggregateException { InnerException: { } inner })
            e = inner;
        if (e is ConfigurationException configuration)
            return PrintProblems(configuration.Problems);
        if (e is StoppedException)
        {
            LogStopped(logger, e.Message);
            return ExitCodes.Failed;
        }
        LogCrashed(logger, e, e.Message);
        return ExitCodes.Failed;
    }

    static WebApplication Build<TOptions>(ServiceDefinition<TOptions> definition, TOptions options, int port, LogSettings log) where TOptions : class
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = definition.Name });
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Any, port, listen => listen.Protocols = HttpProtocols.Http1);
        });
        log.Apply(builder.Logging);
        // A stop may use what the container's grace period allows (compose: 30 s), less a margin.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(25));
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<Health>();
        builder.Services.AddSingleton<StatusPage>();
        builder.Services.AddSingleton(new RunningService(port));
        builder.Services.AddSingleton(new Meter(PrometheusText.MeterName));
        builder.Services.AddSingleton(new PrometheusText());
        builder.Services.AddSingleton(options);
        definition.Configure(builder.Services, options);
        return builder.Build();
    }

    static async Task<int> CheckAsync<TOptions>(ServiceDefinition<TOptions> definition, IConfiguration configuration, bool json, CancellationToken cancellationToken) where TOptions : class
    {
        var settings = new Settings(configuration);
        var port = HttpPort(settings);
        var options = definition.Load(settings);
        List<CheckStep> steps =
        [
            new("configuration", _ => Task.FromResult(settings.Problems.Count == 0
                ? CheckResult.Ok($"{settings.Entries.Count} settings are valid")
                : CheckResult.Failed(string.Join(" | ", settings.Problems), "A setting is missing or out of range.", "Correct it in .env, then start the service again."))),
        ];
        await using var app = settings.Problems.Count == 0 ? Build(definition, options, port, new LogSettings(LogLevel.Critical, Json: false)) : null;
        if (app is not null)
            steps.AddRange(definition.Checks?.Invoke(options, app.Services) ?? []);
        await using var output = Console.OpenStandardOutput();
        return await CheckList.RunAsync(steps, json, CheckList.ConsoleFor(Console.Out, isTerminal: !Console.IsOutputRedirected), output, TimeProvider.System, cancellationToken);
    }

    static async Task<int> AskAsync(IConfiguration configuration, string path, CancellationToken cancellationToken)
    {
        var (code, text) = await GetAsync(configuration, path, cancellationToken);
        await Console.Out.WriteLineAsync(text.TrimEnd());
        return code == HttpStatusCode.OK ? ExitCodes.Ok : ExitCodes.Failed;
    }

    static async Task<int> StatusAsync(IConfiguration configuration, bool json, CancellationToken cancellationToken)
    {
        var (code, text) = await GetAsync(configuration, "/status", cancellationToken);
        if (code != HttpStatusCode.OK || json)
        {
            await Console.Out.WriteLineAsync(text.TrimEnd());
            return code == HttpStatusCode.OK ? ExitCodes.Ok : ExitCodes.Failed;
        }
        var table = new Table().Border(TableBorder.Rounded).AddColumn("what").AddColumn("value");
        using var document = JsonDocument.Parse(text);
        foreach (var property in document.RootElement.EnumerateObject())
            table.AddRow(new Markup(Markup.Escape(property.Name)), new Markup(Markup.Escape(property.Value.ToString())));
        AnsiConsole.Write(table);
        return ExitCodes.Ok;
    }

    static async Task<(HttpStatusCode? Code, string Text)> GetAsync(IConfiguration configuration, string path, CancellationToken cancellationToken)
    {
        var settings = new Settings(configuration);
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(5), BaseAddress = new Uri($"http://127.0.0.1:{HttpPort(settings)}") };
        try
        {
            using var response = await client.GetAsync(new Uri(path, UriKind.Relative), cancellationToken);
            return (response.StatusCode, await response.Content.ReadAsStringAsync(cancellationToken));
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return (null, $"{client.BaseAddress} does not answer ({e.Message}); is the service running, and is HTTP_PORT the one it uses?");
        }
    }

    static Task WriteTextAsync(HttpContext context, int code, string text, string contentType = "text/plain; charset=utf-8")
    {
        context.Response.StatusCode = code;
        context.Response.ContentType = contentType;
        return context.Response.WriteAsync(text);
    }

    static string Describe(Health health)
    {
        var lines = health.Parts.Select(part => part.Value is null ? $"ok   {part.Key}" : $"FAIL {part.Key}: {part.Value}").ToList();
        return (lines.Count == 0 ? "FAIL starting: no part has reported yet" : string.Join('\n', lines)) + "\n";
    }

    static async Task WriteStatusAsync(string name, Health health, StatusPage page, TimeProvider clock, HttpResponse response)
    {
        response.ContentType = "application/json";
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        await using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("service"u8, name);
            json.WriteString("time"u8, clock.GetUtcNow());
            json.WriteBoolean("ready"u8, health.IsReady);
            json.WriteStartObject("parts"u8);
            foreach (var (part, problem) in health.Parts)
                json.WriteString(part, problem ?? "ok");
            json.WriteEndObject();
            page.Write(json);
            json.WriteEndObject();
        }
        await response.Body.WriteAsync(buffer.WrittenMemory);
    }

    static int HttpPort(Settings settings) => settings.WholeNumber("HTTP_PORT", 8080, 1, 65535, "Port of /healthz, /readyz, /metrics and /status.");

    static int PrintProblems(IEnumerable<string> problems)
    {
        foreach (var problem in problems)
            Console.Error.WriteLine($"config: {problem}");
        return ExitCodes.BadConfiguration;
    }

    [LoggerMessage(EventId = 600, Level = LogLevel.Critical, Message = "Stopped by an error that should not happen: {Reason}")]
    static partial void LogCrashed(ILogger logger, Exception e, string reason);

    [LoggerMessage(EventId = 601, Level = LogLevel.Critical, Message = "Stopped: {Reason}")]
    static partial void LogStopped(ILogger logger, string reason);
}

/// <summary>The configuration cannot work. Ends the process with <see cref="ExitCodes.BadConfiguration"/> and one line per problem.</summary>
public sealed class ConfigurationException(IReadOnlyList<string> problems) : Exception(string.Join(Environment.NewLine, problems))
{
    public IReadOnlyList<string> Problems { get; } = problems;
}

/// <summary>
/// The service cannot go on, for a reason outside of it (a disk). Ends the process with <see cref="ExitCodes.Failed"/> and one line; where in the program it
/// was noticed says nothing.
/// </summary>
public sealed class StoppedException(string reason, Exception inner) : Exception(reason, inner);

/// <summary>What is logged and how.</summary>
sealed record LogSettings(LogLevel Level, bool Json)
{
    enum Format { Text, Json }

    public static LogSettings Load(Settings settings) => new(
        settings.Choice("LOG_LEVEL", LogLevel.Information, "Least severe level that is logged."),
        settings.Choice("LOG_FORMAT", Format.Text, "Lines for people or JSON for a log collector.") == Format.Json);

    public void Apply(ILoggingBuilder logging)
    {
        logging.SetMinimumLevel(Level);
        // The framework's own Information lines say nothing an operator acts on.
        logging.AddFilter("Microsoft", Level > LogLevel.Warning ? Level : LogLevel.Warning);
        // What ends a part is told once, by this program (Ended), and not with a stack trace when it is the configuration.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        logging.AddFilter("System.Net.Http", Level > LogLevel.Warning ? Level : LogLevel.Warning);
        if (Json)
            logging.AddJsonConsole(console => { console.UseUtcTimestamp = true; console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ"; });
        else
            logging.AddSimpleConsole(console => { console.SingleLine = true; console.UseUtcTimestamp = true; console.TimestampFormat = "yyyy-MM-ddTHH:mm:ssZ "; console.ColorBehavior = LoggerColorBehavior.Disabled; });
    }
}
