using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging.Console;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Assembles the emulator.</summary>
static partial class EmulatorHost
{
    /// <summary>Builds the server; it does not listen yet.</summary>
    /// <param name="settings">Checked settings.</param>
    /// <param name="catalog">What the SQL files declare.</param>
    /// <param name="clock">The time.</param>
    /// <exception cref="IOException">A file cannot be opened or created.</exception>
    /// <exception cref="InvalidDataException">A stored file is damaged.</exception>
    public static WebApplication Build(EmulatorSettings settings, Catalog catalog, TimeProvider clock)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.Sources.Clear();
        Configure(builder.Logging, settings);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => Configure(kestrel, settings, clock));
        builder
            .Services.AddSingleton(settings)
            .AddSingleton(catalog)
            .AddSingleton(clock)
            .AddSingleton<StreamingTables>()
            .AddSingleton<Stage>()
            .AddSingleton<PipeKeys>()
            .AddSingleton<PublicKeys>()
            .AddSingleton<Authenticator>()
            .AddSingleton<ServerSecret>()
            .AddSingleton<Faults>()
            .AddSingleton<Appender>()
            .AddSingleton<FailureGate>()
            .AddSingleton<BrowserGate>()
            .AddSingleton<FaultGate>()
            .AddSingleton<AuthenticationGate>()
            .AddSingleton<PipeGate>()
            .AddSingleton<LoadPipeGate>()
            .AddSingleton<RateGate>()
            .AddSingleton<SignInApi>()
            .AddSingleton<ChannelApi>()
            .AddSingleton<PipeInfoApi>()
            .AddSingleton<RowsApi>()
            .AddSingleton<FileBufferApi>()
            .AddSingleton<FileRequests>()
            .AddHostedService(provider => provider.GetRequiredService<FileRequests>())
            .AddSingleton<FilesApi>()
            .AddSingleton<StageApi>()
            .AddSingleton<EmulatorApi>()
            .AddSingleton<TablesApi>()
            .AddSingleton<LoadsApi>()
            .AddSingleton<QueryApi>()
            .AddSingleton<FaultsApi>();
        if (settings.Loader is { } loader)
            AddLoader(builder.Services, loader);

        var app = builder.Build();
        Endpoints.Map(app);
        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("ThermalStreaming.SnowflakeEmulator");
        app.Lifetime.ApplicationStarted.Register(() =>
        {
            var addresses = string.Join(" and ", Addresses(app));
            var names = string.Join(", ", catalog.Tables.Select(t => t.FullName));
            LogStarted(logger, addresses, names);
        });
        return app;
    }

    /// <summary>Addresses on which a started emulator listens.</summary>
    public static IReadOnlyCollection<string> Addresses(WebApplication app) =>
        [.. app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses];

    static void AddLoader(IServiceCollection services, LoaderSettings settings) =>
        services
            .AddSingleton(settings)
            .AddSingleton(_ => AwsClients.Queue(settings))
            .AddSingleton(_ => AwsClients.Store(settings))
            .AddSingleton<LoadFaults>()
            .AddSingleton<FileLoader>()
            .AddHostedService<Loader>();

    static void Configure(ILoggingBuilder logging, EmulatorSettings settings)
    {
        logging.SetMinimumLevel(settings.LogLevel);
        logging.AddFilter("Microsoft", settings.LogLevel > LogLevel.Warning ? settings.LogLevel : LogLevel.Warning);
        // Program prints the reason of a failed start, once.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            console.ColorBehavior = LoggerColorBehavior.Disabled;
        });
    }

    static void Configure(KestrelServerOptions kestrel, EmulatorSettings settings, TimeProvider clock)
    {
        kestrel.AddServerHeader = false;
        // A whole file, plus the sizes and signatures of its chunks.
        kestrel.Limits.MaxRequestBodySize = Stage.MaxFile + 1024 * 1024;
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.ListenAnyIP(settings.Port);
        if (settings.HttpsPort is not { } port)
            return;
        var certificate = new EmulatorCertificate(settings, clock);
        _ = certificate.Current;
        kestrel.ListenAnyIP(
            port,
            listen =>
            {
                // As S3 does. Over HTTP/2 a lost reply would end a stream and not the connection, which clients treat differently.
                listen.Protocols = HttpProtocols.Http1;
                listen.UseHttps(https => https.ServerCertificateSelector = (_, _) => certificate.Current);
            }
        );
    }

    [LoggerMessage(EventId = 730, Level = LogLevel.Information, Message = "Snowflake emulator listens on {Addresses}; tables: {Tables}")]
    static partial void LogStarted(ILogger logger, string addresses, string tables);
}
