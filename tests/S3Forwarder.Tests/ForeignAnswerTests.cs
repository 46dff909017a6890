using System.Text;
using Microsoft.AspNetCore.Http;
using ThermalStreaming.Forwarding;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>
/// Answers that no S3 server gives: those of proxies, captive portals, login pages, gateways and web servers. None of them may count as
/// stored, each is explained, and when the store answers again every reading is there once.
/// </summary>
public sealed class ForeignAnswerTests : SinkTest
{
    const string Portal = "<!DOCTYPE html><html><head><title>Hotel Wi-Fi: please log in</title></head><body>Room number</body></html>";

    /// <summary>Answers to PUT: status, headers ("Name: value"), body, and words that the explanation must have.</summary>
    public static TheoryData<string, int, string[], string, string[]> PutAnswers() =>
        new()
        {
            {
                "portal page",
                200,
                ["Content-Type: text/html; charset=utf-8", "Server: nginx/1.18.0"],
                Portal,
                ["200 OK", "text/html", "nginx/1.18.0", "Hotel Wi-Fi: please log in", "captive portal"]
            },
            { "page with Apache's ETag", 200, ["Content-Type: text/html", "ETag: \"2aa6-5d1c3f2b7c0c0\""], Portal, ["captive portal"] },
            {
                "page with an MD5 as ETag",
                200,
                ["Content-Type: text/html", "ETag: \"0123456789abcdef0123456789abcdef\""],
                Portal,
                ["captive portal"]
            },
            {
                "page that does not say so",
                200,
                ["ETag: \"0123456789abcdef0123456789abcdef\""],
                "\r\n  <HTML><body>Sign in</body>",
                ["Sign in"]
            },
            {
                "text without ETag",
                200,
                ["Content-Type: text/plain", "Via: 1.1 proxy.example (squid/5.7)"],
                "OK",
                ["Via: 1.1 proxy.example", "\"OK\"", "ETag"]
            },
            {
                "JSON with a weak ETag",
                200,
                ["Content-Type: application/json", "ETag: W/\"2-nOO9QiTIwXgNtWtBJezz8kv3SLc\""],
                "{}",
                ["W/\"2-nOO9QiTIwXgNtWtBJezz8kv3SLc\""]
            },
            { "nothing at all", 200, [], "", ["ETag"] },
            { "empty ETag", 200, ["ETag: \"\""], "", ["ETag"] },
            {
                "an ETag of the right form that is another's",
                200,
                ["ETag: \"0123456789abcdef0123456789abcdef\""],
                "",
                ["is not the content's MD5"]
            },
            { "ETag of a web server", 200, ["ETag: \"5f3e-5d1c3f2b7c0c0\""], "", ["5f3e-5d1c3f2b7c0c0"] },
            {
                "an error as 200",
                200,
                ["Content-Type: application/xml"],
                "<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>",
                ["internal error"]
            },
            { "created", 201, ["ETag: \"0123456789abcdef0123456789abcdef\""], "", ["201 Created"] },
            { "accepted", 202, ["ETag: \"0123456789abcdef0123456789abcdef\""], "", ["202 Accepted"] },
            { "transformed", 203, ["ETag: \"0123456789abcdef0123456789abcdef\""], "", ["203"] },
            { "no content", 204, ["ETag: \"0123456789abcdef0123456789abcdef\""], "", ["204 No Content"] },
            { "partial", 206, ["ETag: \"0123456789abcdef0123456789abcdef\""], "", ["206"] },
            { "moved to the portal", 301, ["Location: https://portal.example/login"], "", ["301", "portal.example/login", "elsewhere"] },
            {
                "found at the portal",
                302,
                ["Location: https://sso.example/saml?SAMLRequest=secretstate"],
                Portal,
                ["302", "sso.example/saml"]
            },
            { "see other", 303, ["Location: /login"], "", ["303", "/login"] },
            { "temporarily at the portal", 307, ["Location: https://portal.example/login"], "", ["307", "portal.example/login"] },
            { "permanently at the portal", 308, ["Location: https://portal.example/login"], "", ["308", "portal.example/login"] },
            {
                "307 with S3's words, but to elsewhere",
                307,
                ["Location: https://s3.evil.example/readings"],
                "<Error><Code>TemporaryRedirect</Code><Message>Please re-send</Message></Error>",
                ["s3.evil.example"]
            },
            {
                "login wanted",
                401,
                ["Content-Type: text/html", "WWW-Authenticate: Basic realm=\"proxy\""],
                "<html>Unauthorized</html>",
                ["401", "not the store"]
            },
            {
                "proxy's policy",
                403,
                ["Content-Type: text/html", "Server: Zscaler/6.2"],
                "<html><title>Internet Security by Zscaler</title></html>",
                ["403", "Zscaler", "not the store"]
            },
            { "refusal without a word", 403, [], "", ["403", "not the store"] },
            { "web server", 404, ["Content-Type: text/html"], "<html>Not Found</html>", ["404", "S3_ENDPOINT_URL"] },
            { "console's port", 405, ["Content-Type: text/plain"], "Method Not Allowed", ["405", "S3_ENDPOINT_URL"] },
            {
                "proxy login",
                407,
                ["Proxy-Authenticate: Basic realm=\"corp\"", "Content-Type: text/html"],
                "<html>Proxy Authentication Required</html>",
                ["407", "asks for a login"]
            },
            {
                "too large",
                413,
                ["Content-Type: text/html", "Server: nginx"],
                "<html><title>413 Request Entity Too Large</title></html>",
                ["413", "client_max_body_size"]
            },
            { "too many", 429, ["Content-Type: text/plain", "Retry-After: 7"], "slow down", ["429", "slow down"] },
            {
                "gateway in trouble",
                502,
                ["Content-Type: text/html", "Server: cloudflare"],
                "<html><title>502 Bad Gateway</title></html>",
                ["502 Bad Gateway", "cloudflare", "gateway"]
            },
            { "portal by the book", 511, ["Content-Type: text/html"], Portal, ["511", "asks for a login"] },
            { "412 of somebody else", 412, ["Content-Type: text/html"], "<html>Precondition Failed</html>", ["404", "412"] },
            {
                "412 as if of the store",
                412,
                ["Content-Type: application/xml"],
                "<?xml version=\"1.0\"?>\n<Error><Code>PreconditionFailed</Code><Message>no</Message></Error>",
                ["404", "412"]
            },
            { "binary", 200, ["Content-Type: application/octet-stream"], "\u0001\u0002\u0003", ["application/octet-stream"] },
        };

    [Theory]
    [MemberData(nameof(PutAnswers))]
    public async Task No_other_answer_to_a_PUT_counts_as_stored(string name, int status, string[] headers, string body, string[] words)
    {
        Spool.AddInverters(8);
        S3.Script = call => call.Method == "PUT" ? new S3Fault { Respond = context => AnswerAsync(context, status, headers, body) } : null;
        var sink = NewSink(Options(files: 2));

        var failure = await FailAsync(sink);

        Assert.Equal(SinkFailure.Transient, failure.Failure);
        Assert.Empty(S3.In());
        Assert.All(words, word => Assert.Contains(word, failure.Message, StringComparison.Ordinal));
        Assert.DoesNotContain('\n', failure.Message);
        Assert.DoesNotContain("secretstate", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3:PutObject", failure.Message, StringComparison.Ordinal);
        if (headers.Contains("Retry-After: 7"))
            Assert.Equal(TimeSpan.FromSeconds(7), failure.RetryAfter);
        S3.Script = _ => null;
        await Spool.DeliverAsync(sink);
        AssertOnce(8);
        Assert.NotEmpty(name);
    }

    /// <summary>A gateway that stores and then spoils the answer: the repetition finds the object.</summary>
    [Theory]
    [MemberData(nameof(PutAnswers))]
    public async Task What_a_gateway_stored_in_spite_of_its_answer_is_found_and_not_doubled(
        string name,
        int status,
        string[] headers,
        string body,
        string[] words
    )
    {
        Spool.AddInverters(8);
        var seen = new HashSet<string>();
        S3.Script = call =>
            call.Method == "PUT" && S3SinkTests.Once(seen, call.Key)
                ? new S3Fault { RespondAfter = context => AnswerAsync(context, status, headers, body) }
                : null;
        var sink = NewSink(Options(files: 2));

        await Spool.DeliverAsync(sink, again: () => true);

        AssertOnce(8);
        Assert.NotEmpty(name + words);
    }

    [Fact]
    public async Task No_request_follows_a_redirect_away_from_the_store()
    {
        await using var portal = await FakeS3.StartAsync();
        Spool.AddInverters(1);
        S3.Script = call => new S3Fault
        {
            Respond = context =>
                AnswerAsync(
                    context,
                    307,
                    [$"Location: {portal.Address}readings/{call.Key}"],
                    "<Error><Code>TemporaryRedirect</Code></Error>"
                ),
        };
        var sink = NewSink(Options());

        var failure = await Assert.ThrowsAsync<SinkException>(() => sink.OpenAsync(Spool.Start(), default));

        Assert.Empty(portal.Calls);
        Assert.Contains(
            $"set S3_ENDPOINT_URL={portal.Address.GetLeftPart(UriPartial.Authority)}",
            failure.Message,
            StringComparison.Ordinal
        );
    }

    /// <summary>Answers to the HEAD that follows a 412: status, headers. None shows this plan's object as it was sent.</summary>
    public static TheoryData<string, int, string[], SinkFailure, string> HeadAnswers() =>
        new()
        {
            { "page", 200, ["Content-Type: text/html", "Content-Length: 5120"], SinkFailure.Transient, "captive portal" },
            {
                "somebody's object",
                200,
                ["ETag: \"0123456789abcdef0123456789abcdef\"", "Content-Length: {length}", "x-amz-request-id: 1"],
                SinkFailure.NeedsOperator,
                "it lacks this service's metadata"
            },
            {
                "another plan's",
                200,
                ["ETag: \"0123456789abcdef0123456789abcdef\"", "Content-Length: {length}", "x-amz-meta-plan: 0000", "x-amz-meta-rows: 8"],
                SinkFailure.NeedsOperator,
                "it belongs to another plan"
            },
            {
                "a part of it",
                200,
                ["ETag: {md5}", "Content-Length: 7", "x-amz-meta-plan: {plan}", "x-amz-meta-rows: 8", "x-amz-meta-bytes: {length}"],
                SinkFailure.NeedsOperator,
                "bytes were sent"
            },
            {
                "a part of an earlier version's",
                200,
                ["ETag: {md5}", "Content-Length: 7", "x-amz-meta-plan: {plan}", "x-amz-meta-rows: 8"],
                SinkFailure.NeedsOperator,
                "bytes were sent"
            },
            {
                "fewer readings",
                200,
                ["ETag: {md5}", "Content-Length: {length}", "x-amz-meta-plan: {plan}", "x-amz-meta-rows: 7", "x-amz-meta-bytes: {length}"],
                SinkFailure.NeedsOperator,
                "fewer than 8 readings"
            },
            {
                "other bytes",
                200,
                [
                    "ETag: \"0123456789abcdef0123456789abcdef\"",
                    "Content-Length: {length}",
                    "x-amz-meta-plan: {plan}",
                    "x-amz-meta-rows: 8",
                    "x-amz-meta-bytes: {length}",
                    "x-amz-meta-md5: {md5hex}",
                ],
                SinkFailure.NeedsOperator,
                "bytes with the MD5"
            },
            {
                "no length",
                200,
                ["ETag: {md5}", "x-amz-meta-plan: {plan}", "x-amz-meta-rows: 8", "x-amz-meta-bytes: {length}", "x-amz-meta-md5: {md5hex}"],
                SinkFailure.Transient,
                "has no length"
            },
            { "no content", 204, ["x-amz-meta-plan: {plan}", "x-amz-meta-rows: 8"], SinkFailure.Transient, "204" },
            { "not there", 404, [], SinkFailure.Transient, "uploaded again" },
            { "may not be read", 403, [], SinkFailure.NeedsOperator, "allow s3:GetObject" },
            { "redirect", 302, ["Location: https://portal.example/"], SinkFailure.Transient, "portal.example" },
            { "gateway in trouble", 503, ["Content-Type: text/html"], SinkFailure.Transient, "503" },
        };

    [Theory]
    [MemberData(nameof(HeadAnswers))]
    internal async Task After_a_412_only_the_object_as_it_was_sent_counts(
        string name,
        int status,
        string[] headers,
        SinkFailure expected,
        string words
    )
    {
        Spool.AddInverters(8);
        var cut = new HashSet<string>();
        S3.Script = call =>
            call switch
            {
                { Method: "PUT" } when S3SinkTests.Once(cut, call.Key) => new S3Fault { AbortAfter = true },
                { Method: "HEAD", Key.Length: > 0 } => new S3Fault
                {
                    Respond = context => AnswerAsync(context, status, [.. headers.Select(header => Filled(header, call))], ""),
                },
                _ => null,
            };
        var sink = NewSink(Options(files: 1), retries: 0);
        await sink.OpenAsync(Spool.Start(), default);
        await Assert.ThrowsAsync<SinkException>(() => sink.SendAsync(Spool.Cut(0, 8), default));

        var failure = await Assert.ThrowsAsync<SinkException>(() => sink.SendAsync(Spool.Cut(0, 8), default));

        Assert.Equal(expected, failure.Failure);
        Assert.Contains(words, failure.Message, StringComparison.Ordinal);
        S3.Script = _ => null;
        await Spool.DeliverAsync(NewSink(Options(files: 1)));
        AssertOnce(8);
        Assert.NotEmpty(name);
    }

    /// <summary>Ten megabytes of error page, whatever length it announces, are neither read nor kept.</summary>
    [Fact]
    public async Task A_large_page_is_cut()
    {
        Spool.AddInverters(1);
        S3.Script = call =>
            call.Method == "PUT"
                ? new S3Fault
                {
                    Respond = context => AnswerAsync(context, 503, ["Content-Type: text/html"], Portal + new string('x', 10 << 20)),
                }
                : null;

        var failure = await FailAsync(NewSink(Options()));

        Assert.Contains("Hotel Wi-Fi", failure.Message, StringComparison.Ordinal);
        Assert.InRange(failure.Message.Length, 100, 1000);
    }

    [Fact]
    public async Task A_portal_at_the_start_is_explained_by_check()
    {
        S3.Script = call => new S3Fault { Respond = context => AnswerAsync(context, 200, ["Content-Type: text/html"], Portal) };
        var options = Options();
        using var client = S3Client.Create(options);
        foreach (var step in S3Checks.Steps(options, client, TimeProvider.System).Skip(2))
        {
            var result = await step.Run(default);

            Assert.Equal(ThermalStreaming.Hosting.CheckOutcome.Failed, result.Outcome);
            Assert.Contains("captive portal", result.Cause, StringComparison.Ordinal);
            Assert.Contains("NO_PROXY", result.Fix, StringComparison.Ordinal);
        }
    }

    string Filled(string header, S3Call call)
    {
        var stored = S3.Objects[(call.Bucket, call.Key)];
        var md5 = Md5.Hex(stored.Bytes);
        return header
            .Replace("{plan}", stored.Metadata["plan"], StringComparison.Ordinal)
            .Replace("{length}", $"{stored.Bytes.Length}", StringComparison.Ordinal)
            .Replace("{md5hex}", md5, StringComparison.Ordinal)
            .Replace("{md5}", $"\"{md5}\"", StringComparison.Ordinal);
    }

    internal static async Task AnswerAsync(HttpContext context, int status, string[] headers, string body)
    {
        context.Response.StatusCode = status;
        foreach (var header in headers)
        {
            var colon = header.IndexOf(':', StringComparison.Ordinal);
            context.Response.Headers[header[..colon]] = header[(colon + 2)..];
        }
        if (body.Length > 0)
            await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(body));
    }
}
