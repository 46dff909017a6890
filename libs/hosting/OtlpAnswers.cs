namespace ThermalStreaming.Hosting;

/// <summary>Keeps the reason why a request to the receiver failed, which OpenTelemetry's exporter does not report. Thread-safe.</summary>
sealed class OtlpAnswers
{
    volatile string? problem;

    /// <summary>Why the last request failed; null if it did not, or if no client of <see cref="Client"/> is used.</summary>
    public string? Problem => problem;

    /// <summary>A client whose failures are kept.</summary>
    /// <param name="timeout">Of a request.</param>
    public HttpClient Client(TimeSpan timeout) =>
        new(new Watcher(this, new SocketsHttpHandler { ConnectTimeout = timeout, UseCookies = false })) { Timeout = timeout };

    sealed class Watcher(OtlpAnswers answers, HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            try
            {
                return Note(base.Send(request, cancellationToken));
            }
            catch (Exception e) when (Note(e))
            {
                throw;
            }
        }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            try
            {
                return Note(await base.SendAsync(request, cancellationToken));
            }
            catch (Exception e) when (Note(e))
            {
                throw;
            }
        }

        HttpResponseMessage Note(HttpResponseMessage answer)
        {
            answers.problem = answer.IsSuccessStatusCode ? null : $"it answers {(int)answer.StatusCode}";
            return answer;
        }

        bool Note(Exception e)
        {
            answers.problem = e is OperationCanceledException ? "it did not answer in time" : (e.InnerException ?? e).Message;
            return true;
        }
    }
}
