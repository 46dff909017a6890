using System.Net;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>Services that answer at addresses of their own. What is not known is refused, as by a machine that is away.</summary>
sealed class FakeHttp : HttpMessageHandler
{
    /// <summary>Answers by address, for example <c>http://10.0.0.1:8080/readyz</c>.</summary>
    public Dictionary<string, Func<(int Code, string Text)>> Answers { get; } = [];

    public void Answer(string address, string text, int code = 200) => Answers[address] = () => (code, text);

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (!Answers.TryGetValue(request.RequestUri!.AbsoluteUri, out var answer))
            throw new HttpRequestException("connection refused");
        var (code, text) = answer();
        return Task.FromResult(new HttpResponseMessage((HttpStatusCode)code) { Content = new StringContent(text) });
    }
}
