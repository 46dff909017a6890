using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>What the proxy does with an upload.</summary>
enum ProxyFault
{
    None,

    /// <summary>Answers 503 SlowDown, as S3 does under load, and passes nothing on.</summary>
    SlowDown,

    /// <summary>Passes it on and breaks the connection instead of passing the answer back.</summary>
    LoseReply,

    /// <summary>Breaks the connection and passes nothing on.</summary>
    Abort,

    /// <summary>Passes it on after ten seconds.</summary>
    Slow,

    /// <summary>Answers 500 and passes nothing on.</summary>
    InternalError,
}

/// <summary>Stands between the s3-forwarder and S3, on the machine's address in the project's network, and spoils PUTs as told.</summary>
sealed class Proxy : IAsyncDisposable
{
    readonly HttpClient http = new(new SocketsHttpHandler { AllowAutoRedirect = false });
    readonly Uri target;
    readonly WebApplication app;
    int spoiled;
    int left;
    int preconditionFailed;
    ProxyFault fault;

    Proxy(IPAddress address, Uri target)
    {
        this.target = target;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(address, 0);
            kestrel.Limits.MaxRequestBodySize = null;
        });
        builder.Logging.ClearProviders();
        app = builder.Build();
        app.Run(HandleAsync);
    }

    /// <summary>Where it listens.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>Uploads that it has spoiled.</summary>
    public int Spoiled => Volatile.Read(ref spoiled);

    /// <summary>Uploads that S3 has answered with 412, for the object was there.</summary>
    public int PreconditionFailed => Volatile.Read(ref preconditionFailed);

    public static async Task<Proxy> StartAsync(IPAddress address, Uri target)
    {
        var proxy = new Proxy(address, target);
        await proxy.app.StartAsync();
        proxy.Address = new Uri(proxy.app.Urls.Single());
        return proxy;
    }

    /// <summary>Spoils the next uploads.</summary>
    public void Spoil(ProxyFault how, int times)
    {
        fault = how;
        Volatile.Write(ref left, times);
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        http.Dispose();
    }

    async Task HandleAsync(HttpContext context)
    {
        var now = HttpMethods.IsPut(context.Request.Method) && Interlocked.Decrement(ref left) >= 0 ? fault : ProxyFault.None;
        if (now != ProxyFault.None)
            Interlocked.Increment(ref spoiled);
        switch (now)
        {
            case ProxyFault.SlowDown:
                await AnswerAsync(context, 503, "SlowDown");
                return;
            case ProxyFault.InternalError:
                await AnswerAsync(context, 500, "InternalError");
                return;
            case ProxyFault.Abort:
                context.Abort();
                return;
            case ProxyFault.Slow:
                await Until.PauseAsync(TimeSpan.FromSeconds(10));
                break;
        }
        using var request = new HttpRequestMessage(
            new HttpMethod(context.Request.Method),
            new Uri(target, context.Request.Path.ToUriComponent() + context.Request.QueryString)
        );
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        if (body.Length > 0 || HttpMethods.IsPut(context.Request.Method))
            request.Content = new ByteArrayContent(body.ToArray());
        foreach (
            var header in context.Request.Headers.Where(header => header.Key is not ("Content-Length" or "Transfer-Encoding" or "Expect"))
        )
        {
            if (!request.Headers.TryAddWithoutValidation(header.Key, (IEnumerable<string?>)header.Value))
                request.Content?.Headers.TryAddWithoutValidation(header.Key, (IEnumerable<string?>)header.Value);
        }
        using var answer = await http.SendAsync(request);
        if (answer.StatusCode == HttpStatusCode.PreconditionFailed)
            Interlocked.Increment(ref preconditionFailed);
        if (now == ProxyFault.LoseReply)
        {
            context.Abort();
            return;
        }
        context.Response.StatusCode = (int)answer.StatusCode;
        foreach (
            var header in answer
                .Headers.Concat(answer.Content.Headers)
                .Where(header => header.Key is not ("Transfer-Encoding" or "Connection" or "Content-Length"))
        )
            context.Response.Headers[header.Key] = header.Value.ToArray();
        if (HttpMethods.IsHead(context.Request.Method))
        {
            // The length of the object: without it nobody can tell that the object is whole.
            context.Response.ContentLength = answer.Content.Headers.ContentLength;
            return;
        }
        var content = await answer.Content.ReadAsByteArrayAsync();
        context.Response.ContentLength = content.Length;
        await context.Response.Body.WriteAsync(content);
    }

    static Task AnswerAsync(HttpContext context, int status, string code)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/xml";
        return context.Response.WriteAsync(
            $"<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>Spoiled by the "
                + "test</Message><RequestId>0</RequestId></Error>"
        );
    }
}
