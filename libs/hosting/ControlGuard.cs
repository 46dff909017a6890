using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.Logging;

namespace ThermalStreaming.Hosting;

/// <summary>
/// Admits calls that change nothing or carry the token, and logs each change. A method that is not known to be read-only needs the token.
/// Thread-safe.
/// </summary>
/// <param name="definition">Says which methods change nothing.</param>
/// <param name="token">Of the installation.</param>
/// <param name="logger">Logs changes.</param>
sealed partial class ControlGuard(ControlDefinition definition, ControlToken token, ILogger<ControlGuard> logger) : Interceptor
{
    readonly HashSet<string> reads =
    [
        .. definition.Reads.Select(name => $"/{definition.Service.FullName}/{name}"),
        "/grpc.health.v1.Health/Check",
        "/grpc.health.v1.Health/Watch",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    ];

    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request,
        ServerCallContext context,
        UnaryServerMethod<TRequest, TResponse> continuation
    )
    {
        Pass(context);
        return continuation(request, context);
    }

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation
    )
    {
        Pass(context);
        return continuation(request, responseStream, context);
    }

    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        ServerCallContext context,
        ClientStreamingServerMethod<TRequest, TResponse> continuation
    )
    {
        Pass(context);
        return continuation(requestStream, context);
    }

    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation
    )
    {
        Pass(context);
        return continuation(requestStream, responseStream, context);
    }

    void Pass(ServerCallContext context)
    {
        if (reads.Contains(context.Method))
            return;
        try
        {
            token.Require(context.RequestHeaders);
        }
        catch (RpcException e)
        {
            LogRefused(context.Method, context.Peer, e.Status.Detail);
            throw;
        }
        LogPassed(context.Method, context.Peer);
    }

    [LoggerMessage(EventId = 610, Level = LogLevel.Information, Message = "Control: {Method} from {Peer}")]
    partial void LogPassed(string method, string peer);

    [LoggerMessage(EventId = 611, Level = LogLevel.Warning, Message = "Control: {Method} from {Peer} was refused: {Reason}")]
    partial void LogRefused(string method, string peer, string reason);
}
