using Grpc.Core;
using Grpc.Core.Interceptors;

namespace ThermalStreaming.Control;

/// <summary>Adds the token to each call that may carry it, and a deadline to each unary call without one. Thread-safe.</summary>
/// <param name="options">Token and deadline.</param>
/// <param name="withholdsToken">Calls go without a token, even if the caller gave one.</param>
sealed class ControlCalls(ControlOptions options, bool withholdsToken) : Interceptor
{
    const string Authorization = "authorization";

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
        if (options.Token is null && !withholdsToken)
            return call;
        var headers = new Metadata();
        foreach (var header in call.Headers ?? [])
        {
            if (!withholdsToken || header.Key != Authorization)
                headers.Add(header);
        }
        if (options.Token is { } token && !withholdsToken)
            headers.Add(Authorization, $"Bearer {token}");
        return call.WithHeaders(headers);
    }
}
