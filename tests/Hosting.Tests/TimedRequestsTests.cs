using System.Diagnostics.Metrics;
using System.Net;

namespace ThermalStreaming.Hosting.Tests;

/// <summary>Requests by operation and status, with few labels whatever a server answers.</summary>
public sealed class TimedRequestsTests : IDisposable
{
    readonly Meter meter = new("timed-requests-tests");
    readonly MeterListener listener = new();
    readonly List<string> seen = [];
    readonly RequestMetrics requests;

    public TimedRequestsTests()
    {
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (ReferenceEquals(instrument.Meter, meter))
                self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((_, took, tags, _) => seen.Add($"{tags[0].Value} {tags[1].Value} {took >= 0}"));
        listener.Start();
        requests = new RequestMetrics(meter);
    }

    public void Dispose()
    {
        listener.Dispose();
        meter.Dispose();
    }

    [Theory]
    [InlineData(200, "200")]
    [InlineData(404, "404")]
    [InlineData(503, "503")]
    [InlineData(299, "2xx")]
    [InlineData(499, "4xx")]
    [InlineData(599, "5xx")]
    [InlineData(999, "other")]
    public async Task An_answer_counts_by_its_status(int status, string shown)
    {
        using var http = Client(_ => Task.FromResult(new HttpResponseMessage((HttpStatusCode)status)));

        using var answer = await http.GetAsync(new Uri("http://localhost/"));

        Assert.Equal([$"get {shown} True"], seen);
    }

    [Fact]
    public async Task No_answer_counts_as_unreachable_and_none_in_time_as_timeout()
    {
        using var broken = Client(_ => Task.FromException<HttpResponseMessage>(new HttpRequestException("refused")));
        await Assert.ThrowsAsync<HttpRequestException>(() => broken.GetAsync(new Uri("http://localhost/")));
        using var silent = Client(async stop =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
            throw new InvalidOperationException("It does not end.");
        });
        silent.Timeout = TimeSpan.FromMilliseconds(50);
        await Assert.ThrowsAsync<TaskCanceledException>(() => silent.GetAsync(new Uri("http://localhost/")));

        Assert.Equal(["get unreachable True", "get timeout True"], seen);
    }

    HttpClient Client(Func<CancellationToken, Task<HttpResponseMessage>> answer) =>
        new(new TimedRequests(new Answers(answer), request => request.Method.Method.ToLowerInvariant(), requests));

    sealed class Answers(Func<CancellationToken, Task<HttpResponseMessage>> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            answer(cancellationToken);
    }
}
