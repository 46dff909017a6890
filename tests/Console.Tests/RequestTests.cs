using System.Net;
using System.Text;

namespace ThermalStreaming.Console.Tests;

/// <summary>What the page's port answers to those who are not its page.</summary>
[Trait("Category", "Security")]
public sealed class RequestTests(BareConsole bare) : IClassFixture<BareConsole>
{
    readonly ConsoleProcess console = bare.Process;

    [Theory]
    [InlineData("/")]
    [InlineData("/app.js")]
    [InlineData("/nothing")]
    [InlineData("/api/history")]
    public async Task Every_answer_carries_the_headers_that_keep_the_page_to_itself(string path)
    {
        using var answer = await AskAsync(HttpMethod.Get, path);

        var policy = Header(answer, "Content-Security-Policy");
        Assert.StartsWith("default-src 'none'; script-src 'self'; style-src 'self';", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", Header(answer, "X-Content-Type-Options"));
        Assert.Equal("DENY", Header(answer, "X-Frame-Options"));
        Assert.Equal("no-referrer", Header(answer, "Referrer-Policy"));
        Assert.Equal("same-origin", Header(answer, "Cross-Origin-Opener-Policy"));
        Assert.Equal("same-origin", Header(answer, "Cross-Origin-Resource-Policy"));
        Assert.False(answer.Headers.Contains("Server"));
        Assert.False(answer.Headers.Contains("Set-Cookie"));
    }

    [Theory]
    [InlineData("localhost", HttpStatusCode.OK)]
    [InlineData("LOCALHOST:9999", HttpStatusCode.OK)]
    [InlineData("[::1]:8088", HttpStatusCode.OK)]
    [InlineData("wall.example", HttpStatusCode.OK)]
    [InlineData("panel:8088", HttpStatusCode.OK)]
    [InlineData("evil.example", HttpStatusCode.MisdirectedRequest)]
    [InlineData("localhost.evil.example", HttpStatusCode.MisdirectedRequest)]
    [InlineData("127.0.0.1.evil.example", HttpStatusCode.MisdirectedRequest)]
    [InlineData("192.168.1.20", HttpStatusCode.MisdirectedRequest)]
    public async Task Only_names_of_this_machine_are_answered(string host, HttpStatusCode expected)
    {
        using var answer = await AskAsync(HttpMethod.Get, "/", ("Host", host));

        Assert.Equal(expected, answer.StatusCode);
    }

    [Theory]
    [InlineData("Origin", "http://evil.example")]
    [InlineData("Origin", "null")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    public async Task Other_sites_reach_neither_commands_nor_data(string header, string value)
    {
        using var command = await AskAsync(HttpMethod.Post, "/api/pause", (header, value), ("Authorization", "Bearer x"));
        using var history = await AskAsync(HttpMethod.Get, "/api/history", (header, value));
        using var events = await AskAsync(HttpMethod.Get, "/events", (header, value));
        using var letters = await AskAsync(HttpMethod.Get, "/api/letters?service=s3-forwarder", (header, value));

        Assert.Equal(HttpStatusCode.Forbidden, command.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, history.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, events.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, letters.StatusCode);
    }

    [Theory]
    [InlineData("DELETE", "/", 405)]
    [InlineData("PUT", "/api/pause", 405)]
    [InlineData("POST", "/", 404)]
    [InlineData("GET", "/../etc/passwd", 404)]
    [InlineData("GET", "/index.html", 404)]
    [InlineData("POST", "/api/pause", 401)]
    [InlineData("GET", "/api/letters?service=s3-forwarder", 404)]
    [InlineData("GET", "/api/letters", 404)]
    public async Task Anything_else_is_refused(string method, string path, int expected)
    {
        using var answer = await AskAsync(new HttpMethod(method), path);

        Assert.Equal(expected, (int)answer.StatusCode);
    }

    [Fact]
    public async Task A_page_that_is_known_is_not_sent_again_and_a_new_one_is_sent_compressed()
    {
        using var first = await AskAsync(HttpMethod.Get, "/app.css", ("Accept-Encoding", "gzip, br"));
        using var plain = await AskAsync(HttpMethod.Get, "/app.css");
        using var again = await AskAsync(HttpMethod.Get, "/app.css", ("If-None-Match", first.Headers.ETag!.Tag));

        Assert.Equal("br", Assert.Single(first.Content.Headers.ContentEncoding));
        var compressed = (await first.Content.ReadAsByteArrayAsync()).Length;
        Assert.InRange(compressed, 500, (await plain.Content.ReadAsByteArrayAsync()).Length / 2);
        Assert.Equal(HttpStatusCode.NotModified, again.StatusCode);
        Assert.Empty(await again.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task A_body_that_is_too_long_or_no_JSON_is_refused_and_the_console_goes_on()
    {
        foreach (var body in new[] { "", "[", "null", "7", "{\"service\": 7}", new string('x', 100_000) })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/pause") { Content = new StringContent(body, Encoding.UTF8) };
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer x");
            using var answer = await console.Http.SendAsync(request);
            Assert.InRange((int)answer.StatusCode, 400, 413);
        }
        await console.ReadyAsync();
    }

    [Fact]
    public async Task The_thirty_third_page_is_told_to_come_back_later()
    {
        List<HttpResponseMessage> open = [];
        for (var i = 0; i < EventStream.MostWatchers; i++)
            open.Add(await EventsAsync());

        using (var refused = await EventsAsync())
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.Equal("10", Header(refused, "Retry-After"));
        }
        Assert.All(open, answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
        open.ForEach(answer => answer.Dispose());
        using var timeout = new CancellationTokenSource(ConsoleProcess.Patience);
        while (true)
        {
            using var next = await EventsAsync();
            if (next.StatusCode == HttpStatusCode.OK)
                return;
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, timeout.Token);
        }
    }

    Task<HttpResponseMessage> EventsAsync() =>
        console.Http.GetAsync(new Uri("/events", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);

    Task<HttpResponseMessage> AskAsync(HttpMethod method, string path, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(method, path);
        foreach (var (name, value) in headers)
        {
            if (name == "Host")
                request.Headers.Host = value;
            else
                Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        }
        return console.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    static string Header(HttpResponseMessage answer, string name) => Assert.Single(answer.Headers.GetValues(name));
}
