using System.Globalization;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging.Console;

namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Puts the emulator together.</summary>
static partial class EmulatorHost
{
    /// <summary>Builds the server; it does not listen yet.</summary>
    /// <param name="settings">Checked settings.</param>
    /// <param name="catalog">What the SQL files declare.</param>
    /// <param name="clock">The time.</param>
    public static WebApplication Build(EmulatorSettings settings, Catalog catalog, TimeProvider clock)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.Sources.Clear();
        builder.Logging.SetMinimumLevel(settings.LogLevel);
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        // What stops the start is told once, by Program.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        builder.Logging.AddSimpleConsole(o =>
        {
            o.SingleLine = true;
            o.UseUtcTimestamp = true;
            o.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            o.ColorBehavior = LoggerColorBehavior.Disabled;
        });
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // A whole file, and the sizes and signatures of its chunks.
            kestrel.Limits.MaxRequestBodySize = Stage.MaxFile + 1024 * 1024;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.ListenAnyIP(settings.Port);
            if (settings.HttpsPort is { } port)
            {
                var certificate = new EmulatorCertificate(settings, clock);
                _ = certificate.Current;
                kestrel.ListenAnyIP(port, listen =>
                {
                    // As S3 speaks it. Over HTTP/2 a lost reply would end a stream and not the connection, which clients take differently.
                    listen.Protocols = Microsoft.AspNetCore.Server.Kestrel.Core.HttpProtocols.Http1;
                    listen.UseHttps(https => https.ServerCertificateSelector = (_, _) => certificate.Current);
                });
            }
        });
        builder.Services.AddSingleton(settings);
        builder.Services.AddSingleton(catalog);
        builder.Services.AddSingleton(clock);
        builder.Services.AddSingleton<Faults>();
        builder.Services.AddSingleton<PublicKeys>();
        builder.Services.AddSingleton<Authenticator>();
        builder.Services.AddSingleton<StreamingTables>();
        builder.Services.AddSingleton<ServerSecret>();
        builder.Services.AddSingleton<PipeKeys>();
        builder.Services.AddSingleton<Stage>();
        builder.Services.AddSingleton<CallGate>();
        builder.Services.AddSingleton<Appender>();
        builder.Services.AddSingleton<SignInApi>();
        builder.Services.AddSingleton<PipeInfoApi>();
        builder.Services.AddSingleton<ChannelApi>();
        builder.Services.AddSingleton<RowsApi>();
        builder.Services.AddSingleton<FileBufferApi>();
        builder.Services.AddSingleton<StageApi>();
        builder.Services.AddSingleton<StreamingApi>();
        builder.Services.AddSingleton<TablesApi>();
        builder.Services.AddSingleton<FaultsApi>();
        builder.Services.AddSingleton<QueryApi>();
        builder.Services.AddSingleton<EmulatorApi>();

        var app = builder.Build();
        // Made now and not at the first request, so that a file that cannot be opened stops the start.
        var streaming = app.Services.GetRequiredService<StreamingApi>();
        var stage = app.Services.GetRequiredService<StageApi>();
        var emulator = app.Services.GetRequiredService<EmulatorApi>();
        var faults = app.Services.GetRequiredService<Faults>();
        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("ThermalStreaming.SnowflakeEmulator");
        app.Run(context => Handle(context, streaming, stage, emulator, faults, logger));
        app.Lifetime.ApplicationStarted.Register(() =>
        {
            var addresses = string.Join(" and ", Addresses(app));
            var names = string.Join(", ", catalog.Tables.Select(t => t.FullName));
            LogStarted(logger, addresses, names);
        });
        return app;
    }

    /// <summary>Where a started emulator listens.</summary>
    public static IReadOnlyCollection<string> Addresses(WebApplication app) =>
        [.. app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses];

    static async Task Handle(
        HttpContext context, StreamingApi streaming, StageApi stage, EmulatorApi emulator, Faults faults, ILogger logger)
    {
        if (faults.ClockIsSkewed)
            context.Response.Headers.Date = faults.ServerTime.ToString("R", CultureInfo.InvariantCulture);
        var path = Segments(context);
        try
        {
            if (path is ["healthz" or "readyz"])
                await Reply.Text(context, 200, "ok\n");
            else if (path is ["v2", "streaming", ..] or ["oauth", ..] or ["telemetry", ..])
                await streaming.Handle(context, path);
            else if (path is [Stage.Bucket, _, ..])
                await stage.Handle(context, path);
            else
                await emulator.Handle(context, path);
        }
        catch (Exception e) when (e is BadHttpRequestException
            || (context.RequestAborted.IsCancellationRequested && e is OperationCanceledException or IOException))
        {
            // The client has gone, or sent half a request; there is nobody to answer.
            context.Abort();
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            // The disk. A client that retries is right to.
            LogStorage(logger, context.Request.Method, context.Request.Path, e.Message);
            if (context.Response.HasStarted)
                context.Abort();
            else
                await Reply.Text(context, 503, "\"ERR_GENERAL_EXCEPTION_RETRY_REQUEST\"", "application/json");
        }
    }

    /// <summary>
    /// The decoded segments of the path. Taken from the request line and not from <see cref="HttpRequest.Path"/>, which leaves %2F
    /// as it is and so cannot name an object with a slash.
    /// </summary>
    static string[] Segments(HttpContext context)
    {
        var target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        if (!target.StartsWith('/'))
            target = context.Request.Path.Value ?? "/";
        var query = target.IndexOf('?', StringComparison.Ordinal);
        if (query >= 0)
            target = target[..query];
        return [.. target.Trim('/').Split('/').Select(Uri.UnescapeDataString)];
    }

    [LoggerMessage(EventId = 730, Level = LogLevel.Information, Message = "Snowflake emulator listens on {Addresses}; tables: {Tables}")]
    static partial void LogStarted(ILogger logger, string addresses, string tables);

    [LoggerMessage(EventId = 731, Level = LogLevel.Error, Message = "{Method} {Path} failed: {Problem}")]
    static partial void LogStorage(ILogger logger, string method, string path, string problem);
}
