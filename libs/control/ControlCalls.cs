using Grpc.Core;
using Grpc.Core.Interceptors;

namespace ThermalStreaming.Control;

/// <summary>Gives each call the token, and each unary call a deadline where it has none. Thread-safe.</summary>
sealed class ControlCalls(ControlOptions options) : Interceptor
{
    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        TRequest request,
        ClientInterceptorContext<TRequest, TResponse> context,
        AsyncUnaryCallContinuation<TRequest, TResponse> continuation
    ) => continuation(request, new(context.Method, context.Host, Complete(context.Options, isUnary: true)));

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        TRequest request,
        ClientInterceptorContext<TRequest, TResponse> context,
        AsyncServerStreamingCallContinuation<TRequest, TResponse> continuation
    ) => continuation(request, new(context.Method, context.Host, Complete(context.Options, isUnary: false)));

    CallOptions Complete(CallOptions call, bool isUnary)
    {
        if (isUnary && call.Deadline is null)
            call = call.WithDeadline(TimeProvider.System.GetUtcNow().UtcDateTime + options.Deadline);
        if (options.Token is not { } token)
            return call;
        var headers = new Metadata();
        foreach (var header in call.Headers ?? [])
            headers.Add(header);
        headers.Add("authorization", $"Bearer {token}");
        return call.WithHeaders(headers);
    }
}
