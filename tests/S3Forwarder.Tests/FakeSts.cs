using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>
/// AWS STS on a port of this machine: its answers are those of the "AWS STS API Reference" (AssumeRole, AssumeRoleWithWebIdentity,
/// GetCallerIdentity, Common Errors).
/// </summary>
sealed class FakeSts : IAsyncDisposable
{
    readonly WebApplication app;

    FakeSts(WebApplication app) => this.app = app;

    public Uri Address { get; private set; } = new("http://127.0.0.1");

    /// <summary>The form of each request, and its Authorization header.</summary>
    public ConcurrentQueue<(IFormCollection Form, string Authorization)> Calls { get; } = new();

    /// <summary>Status and body instead of success; null serves it.</summary>
    public Func<(int Status, string ContentType, string Body)?> Script { get; set; } = () => null;

    /// <summary>When the keys that are given end.</summary>
    public DateTimeOffset Expiration { get; set; } = TimeProvider.System.GetUtcNow().AddHours(1);

    public static async Task<FakeSts> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder
            .WebHost.UseKestrelCore()
            .ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1));
        builder.Logging.SetMinimumLevel(LogLevel.None);
        var app = builder.Build();
        var fake = new FakeSts(app);
        app.Run(fake.ServeAsync);
        await app.StartAsync();
        fake.Address = new Uri(app.Urls.Single());
        return fake;
    }

    public static (int Status, string ContentType, string Body) Error(int status, string code, string message) =>
        (
            status,
            "text/xml",
            $"""
            <ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId></ErrorResponse>
            """
        );

    public async ValueTask DisposeAsync() => await app.DisposeAsync();

    async Task ServeAsync(HttpContext context)
    {
        var form = await context.Request.ReadFormAsync();
        Calls.Enqueue((form, context.Request.Headers.Authorization.ToString()));
        var action = form["Action"].ToString();
        var (status, type, body) = Script() ?? (200, "text/xml", action == "GetCallerIdentity" ? Identity() : Role(action));
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        await context.Response.WriteAsync(body);
    }

    static string Identity() =>
        """
            <GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/Alice</Arn><UserId>AIDACKCEVSQ6C2EXAMPLE</UserId><Account>123456789012</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ResponseMetadata></GetCallerIdentityResponse>
            """;

    string Role(string action) =>
        $"""
            <{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result><AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/demo/TestAR</Arn><AssumedRoleId>ARO123EXAMPLE123:TestAR</AssumedRoleId></AssumedRoleUser><Credentials><AccessKeyId>{FakeS3.AccessKeyId}</AccessKeyId><SecretAccessKey>wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY</SecretAccessKey><SessionToken>TOKEN{Calls.Count}</SessionToken><Expiration>{Expiration:yyyy-MM-ddTHH:mm:ssZ}</Expiration></Credentials><PackedPolicySize>8</PackedPolicySize></{action}Result><ResponseMetadata><RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId></ResponseMetadata></{action}Response>
            """;
}
