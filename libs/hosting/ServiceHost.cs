using System.Diagnostics.Metrics;
using System.Net;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ThermalStreaming.Hosting;

/// <summary>Runs a service until it is asked to stop, and turns the way it ended into an exit code.</summary>
static partial class ServiceHost
{
    /// <summary>How long a stop may take. Compose's grace period is 30 s; this leaves a margin.</summary>
    static readonly TimeSpan shutdownTimeout = TimeSpan.FromSeconds(25);

    /// <summary>After this long without traffic, a gRPC caller is asked whether it is still there, and has this long to answer.</summary>
    static readonly TimeSpan callerSilence = TimeSpan.FromSeconds(30);

    /// <returns>The exit code.</returns>
    public static async Task<int> ServeAsync<TOptions>(
        ServiceDefinition<TOptions> definition,
        IConfiguration configuration,
        CancellationToken cancellationToken
    )
        where TOptions : class
    {
        // During the stop for a restart, a signal would only stop the host. Noted here, it ends the process.
        var isStopAsked = false;
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, _ => Volatile.Write(ref isStopAsked, true));
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, _ => Volatile.Write(ref isStopAsked, true));
        while (true)
        {
            var restart = new ServiceRestart();
            var code = await ServeOnceAsync(definition, configuration, restart, cancellationToken);
            var isStopped = Volatile.Read(ref isStopAsked) || cancellationToken.IsCancellationRequested;
            if (!restart.IsRequested || code != ExitCodes.Ok || isStopped)
                return code;
        }
    }

    static async Task<int> ServeOnceAsync<TOptions>(
        ServiceDefinition<TOptions> definition,
        IConfiguration configuration,
        ServiceRestart restart,
        CancellationToken cancellationToken
    )
        where TOptions : class
    {
        var settings = new Settings(configuration);
        var port = ServiceConfiguration.HttpPort(settings);
        var control = ServiceConfiguration.Control(definition, settings, port);
        var log = LogSettings.Load(settings);
        var otlp = OtlpOptions.Load(settings);
        var options = definition.Load(settings);
        if (settings.Problems.Count > 0)
            return ServiceProgram.PrintProblems(settings.Problems);

        var app = Build(definition, options, port, control, log, restart);
        restart.Stop = app.Lifetime.StopApplication;
        var endpoints = new StatusEndpoints(
            definition.Name,
            app.Services.GetRequiredService<Health>(),
            app.Services.GetRequiredService<PrometheusText>(),
            app.Services.GetRequiredService<StatusPage>(),
            TimeProvider.System
        );
        if (definition.Control is { } controlled && control.Port > 0)
        {
            var answerCall = ControlHosting.Build(app.Services, controlled);
            app.Run(context => context.Connection.LocalPort == control.Port ? answerCall(context) : endpoints.AnswerAsync(context));
        }
        else
            app.Run(endpoints.AnswerAsync);

        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger(definition.Name);
        ServiceMetrics.Publish(app.Services.GetRequiredService<Meter>(), definition.Name, app.Services.GetRequiredService<Health>());
        using var export = OtlpExport.Start(otlp, definition.Name, logger);
        List<BackgroundService> running = [];
        try
        {
            // Looked up before the run: the host disposes its services when it ends.
            running.AddRange(app.Services.GetServices<IHostedService>().OfType<BackgroundService>());
            _ = MemoryTrim.RunAsync(TimeProvider.System, app.Lifetime.ApplicationStopping);
            await app.RunAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Asked to stop while it started.
        }
        catch (Exception e)
        {
            // A part that fails while others still start cancels the start: the part's exception is the cause.
            if (running.FirstOrDefault(service => service.ExecuteTask is { IsFaulted: true })?.ExecuteTask!.Exception is { } cause)
                return Ended(logger, cause);
            return ListenProblem.Of(e, ("HTTP_PORT", port), ("GRPC_PORT", control.Port)) is { } problem
                ? ServiceProgram.PrintProblems([problem])
                : Ended(logger, e);
        }
        // The host itself returns 0 when a background service dies (dotnet/runtime#68165), so `restart: on-failure` would never restart it.
        foreach (var service in running)
        {
            if (service.ExecuteTask is { IsFaulted: true } task)
                return Ended(logger, task.Exception);
        }
        return ExitCodes.Ok;
    }

    public static WebApplication Build<TOptions>(
        ServiceDefinition<TOptions> definition,
        TOptions options,
        int port,
        ControlSettings control,
        LogSettings log,
        ServiceRestart restart
    )
        where TOptions : class
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = definition.Name });
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // A caller whose network was cut sends nothing more. Without this, its call would keep one of the few places for watchers for
            // ever.
            kestrel.Limits.Http2.KeepAlivePingDelay = callerSilence;
            kestrel.Limits.Http2.KeepAlivePingTimeout = callerSilence;
            kestrel.Listen(IPAddress.Any, port, listen => listen.Protocols = HttpProtocols.Http1);
        });
        if (definition.Control is { } controlled && control.Port > 0)
            ControlHosting.Add(builder, controlled, control, definition.Name);
        log.Apply(builder.Logging);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = shutdownTimeout);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<Health>();
        builder.Services.AddSingleton<StatusPage>();
        builder.Services.AddSingleton(new RunningService(port));
        builder.Services.AddSingleton(restart);
        builder.Services.AddSingleton(new Meter(PrometheusText.MeterName));
        builder.Services.AddSingleton(new PrometheusText());
        builder.Services.AddSingleton<RequestMetrics>();
        builder.Services.AddSingleton(options);
        definition.Configure(builder.Services, options);
        return builder.Build();
    }

    static int Ended(ILogger logger, Exception e)
    {
        // The host wraps what its services threw.
        while (e is AggregateException { InnerException: { } inner })
            e = inner;
        if (e is ConfigurationException configuration)
            return ServiceProgram.PrintProblems(configuration.Problems);
        LogCrashed(logger, e, e.Message);
        return ExitCodes.Failed;
    }

    [LoggerMessage(EventId = 600, Level = LogLevel.Critical, Message = "Stopped by an error that should not happen: {Reason}")]
    static partial void LogCrashed(ILogger logger, Exception e, string reason);
}
