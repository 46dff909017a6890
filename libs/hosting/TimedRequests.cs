using System.Diagnostics;

namespace ThermalStreaming.Hosting;

/// <summary>
/// Measures each request that an HTTP client sends, until the head of its answer arrives. Without an answer, its status is <c>timeout</c>
/// (also if the service stopped meanwhile) or <c>unreachable</c>. Thread-safe.
/// </summary>
/// <param name="inner">The connection.</param>
/// <param name="operation">Names a request by its method and path: one of a few names.</param>
/// <param name="requests">Counts.</param>
public sealed class TimedRequests(HttpMessageHandler inner, Func<HttpRequestMessage, string> operation, RequestMetrics requests)
    : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        // Handlers behind this one may change the request.
        var name = operation(request);
        var started = Stopwatch.GetTimestamp();
        try
        {
            var answer = await base.SendAsync(request, cancellationToken);
            Record(RequestMetrics.StatusOf(answer.StatusCode));
            return answer;
        }
        catch (OperationCanceledException)
        {
            Record("timeout");
            throw;
        }
        catch (HttpRequestException)
        {
            Record("unreachable");
            throw;
        }

        void Record(string status) => requests.Record(name, status, Stopwatch.GetElapsedTime(started));
    }
}
