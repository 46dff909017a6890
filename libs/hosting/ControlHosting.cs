using System.Net.Security;
using Grpc.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ThermalStreaming.Hosting;

/// <summary>Serves gRPC on a separate listener, with health and reflection. The other listener needs no routing.</summary>
static class ControlHosting
{
    /// <summary>Enough for the ids of thousands of dead letters.</summary>
    const int MostRequestBytes = 512 * 1024;

    /// <summary>How long running calls may take to end at a stop; then their connections are closed.</summary>
    static readonly TimeSpan stopPatience = TimeSpan.FromSeconds(2);

    /// <summary>Registers the services that control needs.</summary>
    public static void Add(WebApplicationBuilder builder, ControlDefinition definition, ControlSettings settings, string service)
    {
        if (settings.Tls is not null)
            builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(
                settings.Address,
                settings.Port,
                listen =>
                {
                    listen.Protocols = HttpProtocols.Http2;
                    if (settings.Tls is var (certificate, key))
                        listen.UseHttps(Tls(certificate, key, listen.ApplicationServices));
                }
            )
        );
        builder.Services.AddSingleton(definition);
        builder.Services.AddSingleton(new ControlToken(settings.TokenFile));
        builder.Services.AddSingleton<ControlGuard>();
        builder.Services.AddTransient<ControlStreams>();
        builder.Services.AddTransient<StatusWatch>();
        builder.Services.AddSingleton<ControlHealth>();
        builder.Services.AddSingleton(provider => new ServiceFacts(
            service,
            provider.GetRequiredService<Health>(),
            provider.GetRequiredService<TimeProvider>()
        ));
        builder.Services.AddSingleton(
            new ReflectionServiceImpl(
                definition.Service,
                Grpc.Health.V1.Health.Descriptor,
                Grpc.Reflection.V1Alpha.ServerReflection.Descriptor
            )
        );
        builder.Services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = MostRequestBytes;
            grpc.Interceptors.Add<ControlGuard>();
        });
    }

    static TlsHandshakeCallbackOptions Tls(string certificateFile, string keyFile, IServiceProvider services)
    {
        var certificate = new ControlCertificate(
            certificateFile,
            keyFile,
            services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<ILogger<ControlCertificate>>()
        );
        // Reads the certificate now, so that the log names it at the start.
        _ = certificate.Current;
        return new TlsHandshakeCallbackOptions
        {
            OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions { ServerCertificateContext = certificate.Current }),
        };
    }

    /// <summary>Makes the delegate that answers the calls.</summary>
    public static RequestDelegate Build(IServiceProvider services, ControlDefinition definition)
    {
        // Created now, because it records when the service started.
        _ = services.GetRequiredService<ServiceFacts>();
        var application = new ApplicationBuilder(services);
        application.UseRouting();
        application.UseEndpoints(endpoints =>
        {
            definition.Map(endpoints);
            endpoints.MapGrpcService<ControlHealth>();
            endpoints.MapGrpcService<ReflectionServiceImpl>();
        });
        var answer = application.Build();
        var stopping = services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        return async context =>
        {
            // A stop waits for running calls, and a caller may leave one open for ever.
            using var patience = new CancellationTokenSource();
            await using var onStop = stopping.Register(() => patience.CancelAfter(stopPatience));
            await using var onEnd = patience.Token.Register(context.Abort);
            await answer(context);
        };
    }
}
