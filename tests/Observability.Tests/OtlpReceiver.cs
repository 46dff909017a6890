using System.Collections.Concurrent;
using System.Text;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace ThermalStreaming.Observability.Tests;

/// <summary>A receiver of metrics by OTLP: http/protobuf, or grpc (OpenTelemetry protocol 1.x, "OTLP/HTTP" and "OTLP/gRPC").</summary>
sealed class OtlpReceiver : IAsyncDisposable
{
    const string GrpcPath = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

    readonly WebApplication app;
    readonly bool isSilent;
    readonly TaskCompletionSource end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    int requests;

    OtlpReceiver(WebApplication app, bool isSilent) => (this.app, this.isSilent) = (app, isSilent);

    /// <summary>What arrived: metrics by name, with their unit and kind.</summary>
    public ConcurrentDictionary<string, (string Unit, string Kind)> Metrics { get; } = new(StringComparer.Ordinal);

    /// <summary>Attributes of the resource.</summary>
    public ConcurrentDictionary<string, string> Resource { get; } = new(StringComparer.Ordinal);

    /// <summary>Bounds of the histograms that arrived.</summary>
    public ConcurrentDictionary<string, double[]> Bounds { get; } = new(StringComparer.Ordinal);

    /// <summary>The header x-token of the last request.</summary>
    public string? Token { get; private set; }

    /// <summary>Requests so far.</summary>
    public int Requests => Volatile.Read(ref requests);

    /// <param name="port">On loopback.</param>
    /// <param name="isGrpc">Speaks HTTP/2 without TLS, as gRPC does.</param>
    /// <param name="isSilent">Takes requests and never answers them.</param>
    public static async Task<OtlpReceiver> StartAsync(int port, bool isGrpc = false, bool isSilent = false)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.ListenLocalhost(port, listen => listen.Protocols = isGrpc ? HttpProtocols.Http2 : HttpProtocols.Http1)
        );
        var app = builder.Build();
        var receiver = new OtlpReceiver(app, isSilent);
        app.Run(receiver.AnswerAsync);
        await app.StartAsync();
        return receiver;
    }

    public async ValueTask DisposeAsync()
    {
        end.TrySetResult();
        await app.StopAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await app.DisposeAsync();
    }

    async Task AnswerAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        Interlocked.Increment(ref requests);
        if (isSilent)
        {
            await end.Task;
            return;
        }
        Token = context.Request.Headers["x-token"];
        var message = body.ToArray();
        switch (context.Request.Path.Value)
        {
            case "/v1/metrics" when context.Request.ContentType == "application/x-protobuf":
                ReadRequest(message);
                context.Response.ContentType = "application/x-protobuf";
                break;
            case GrpcPath:
                // A byte that says whether it is compressed, four of length, the message.
                ReadRequest(message[5..]);
                context.Response.ContentType = "application/grpc";
                context.Response.DeclareTrailer("grpc-status");
                await context.Response.Body.WriteAsync(new byte[5]);
                context.Response.AppendTrailer("grpc-status", "0");
                break;
            default:
                context.Response.StatusCode = 404;
                break;
        }
    }

    // The numbers of the fields are those of opentelemetry/proto/metrics/v1/metrics.proto and of the files that it imports.
    void ReadRequest(byte[] request)
    {
        foreach (var resourceMetrics in Fields(request, 1))
        {
            foreach (var attribute in Fields(resourceMetrics, 1).SelectMany(resource => Fields(resource, 1)))
                Resource[Text(Fields(attribute, 1))] = Text(Fields(attribute, 2).SelectMany(value => Fields(value, 1)));
            foreach (var metric in Fields(resourceMetrics, 2).SelectMany(scope => Fields(scope, 2)))
                ReadMetric(metric);
        }
    }

    void ReadMetric(byte[] metric)
    {
        var name = Text(Fields(metric, 1));
        var kind =
            Fields(metric, 5).Count > 0 ? "gauge"
            : Fields(metric, 7).Count > 0 ? "sum"
            : Fields(metric, 9).Count > 0 ? "histogram"
            : "another";
        Metrics[name] = (Text(Fields(metric, 3)), kind);
        foreach (var bounds in Fields(metric, 9).SelectMany(histogram => Fields(histogram, 1)).SelectMany(point => Fields(point, 7)))
            Bounds[name] = [.. Enumerable.Range(0, bounds.Length / 8).Select(i => BitConverter.ToDouble(bounds, i * 8))];
    }

    static string Text(IEnumerable<byte[]> values) => Encoding.UTF8.GetString(values.FirstOrDefault() ?? []);

    /// <summary>The values of one field of a message: texts, bytes, messages and packed numbers.</summary>
    static List<byte[]> Fields(byte[] message, int number)
    {
        List<byte[]> values = [];
        var input = new CodedInputStream(message);
        while (input.ReadTag() is var tag and > 0)
        {
            if (WireFormat.GetTagFieldNumber(tag) == number && WireFormat.GetTagWireType(tag) == WireFormat.WireType.LengthDelimited)
                values.Add(input.ReadBytes().ToByteArray());
            else
                input.SkipLastField();
        }
        return values;
    }
}
