using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace ThermalStreaming.SnowflakeEmulator.Tests;

/// <summary>Who may use the endpoints that ask for no token, and HTTPS.</summary>
public class ForeignRequestTests
{
    [Theory]
    [InlineData("Origin", "https://evil.example")]
    [InlineData("Origin", "null")]
    [InlineData("Origin", "http://127.0.0.1")]
    [InlineData("Origin", "http://localhost:1")]
    [InlineData("Referer", "https://evil.example/page")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    [InlineData("Host", "evil.example")]
    [InlineData("Host", "evil.example:8090")]
    [InlineData("Host", "127.0.0.1.evil.example")]
    [InlineData("Host", "localhost.evil.example")]
    [InlineData("Host", "notlocalhost")]
    public async Task A_web_page_of_another_site_changes_nothing(string header, string value)
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();
        await emulator.AppendAsync("0_1", "1", Emulator.Row("a"));
        void Foreign(HttpRequestMessage request) => request.Headers.TryAddWithoutValidation(header, value);

        var answers = new[]
        {
            await emulator.SendAsync(HttpMethod.Post, "/emulator/reset", null, Foreign),
            await emulator.SendAsync(HttpMethod.Post, "/emulator/faults?status=503", null, Foreign),
            await emulator.SendAsync(
                HttpMethod.Post,
                "/emulator/faults",
                Emulator.Text("""{"kind":"invalidate","channel":"CH"}""", "text/plain"),
                Foreign
            ),
            await emulator.SendAsync(HttpMethod.Delete, "/emulator/faults", null, Foreign),
        };

        Assert.All(
            answers,
            answer =>
            {
                Assert.Equal(HttpStatusCode.Forbidden, answer.Status);
                Assert.Equal("ERR_FOREIGN_REQUEST", answer.Code);
            }
        );
        Assert.Contains(
            header == "Host" ? value.Split(':')[0]
                : header == "Sec-Fetch-Site" ? "another site"
                : value.Replace("/page", "", StringComparison.Ordinal),
            (string)answers[0].Json["message"]!,
            StringComparison.Ordinal
        );
        Assert.Equal("a", await emulator.UuidsAsync());
        Assert.Equal("SUCCESS", (string)(await emulator.StatusAsync())["channel_status_code"]!);
    }

    [Fact]
    public async Task A_name_that_a_web_page_made_mean_this_machine_reads_nothing()
    {
        await using var emulator = await Emulator.StartAsync();

        var answer = await emulator.SendAsync(HttpMethod.Get, "/emulator/tables", null, r => r.Headers.Host = "evil.example:8090");

        Assert.Equal(HttpStatusCode.Forbidden, answer.Status);
    }

    [Theory]
    [InlineData("localhost:8090", "http://localhost:8090")]
    [InlineData("LOCALHOST", "http://localhost")]
    [InlineData("[::1]:8090", "http://[::1]:8090")]
    [InlineData("192.168.1.20:8090", null)]
    [InlineData("snowflake:8090", null)]
    [InlineData("demo.localhost", null)]
    [InlineData("named.example", null)]
    public async Task The_emulators_own_page_and_programs_may_change_it(string host, string? origin)
    {
        await using var emulator = await Emulator.StartAsync(s => s.IngestHost = "named.example");

        var answer = await emulator.SendAsync(
            HttpMethod.Post,
            "/emulator/reset",
            null,
            r =>
            {
                r.Headers.Host = host;
                if (origin is not null)
                {
                    r.Headers.TryAddWithoutValidation("Origin", origin);
                    r.Headers.TryAddWithoutValidation("Sec-Fetch-Site", "same-origin");
                }
            }
        );

        Assert.Equal(HttpStatusCode.OK, answer.Status);
    }

    [Fact]
    public async Task The_streaming_endpoints_take_any_host_because_they_ask_for_a_token()
    {
        await using var emulator = await Emulator.StartAsync();

        var answer = await emulator.SendAsync(
            HttpMethod.Get,
            "/v2/streaming/hostname",
            null,
            r => r.Headers.Host = "abc.ingest.snowflakecomputing.com"
        );

        Assert.Equal("abc.ingest.snowflakecomputing.com", answer.Body);
    }

    [Fact]
    public async Task The_authority_is_served_and_HTTPS_is_trusted_through_it_alone()
    {
        await using var emulator = await Emulator.StartAsync(s => s.HttpsPort = 0);
        var pem = (await emulator.GetAsync("/emulator/ca.pem")).Body;
        using var authority = X509Certificate2.CreateFromPem(pem);
        X509Certificate2? served = null;
        using var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    CustomTrustStore = { authority },
                    RevocationMode = X509RevocationMode.NoCheck,
                },
                RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
                {
                    served = new X509Certificate2(certificate!);
                    return errors == SslPolicyErrors.None;
                },
            },
        };
        using var client = new HttpClient(handler);

        var answer = await client.GetAsync(new Uri(emulator.Base("https"), "/healthz"));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        // What Python 3.13 and later insist on.
        Assert.Contains(served!.Extensions, e => e is X509AuthorityKeyIdentifierExtension);
        served.Dispose();
        var (code, output) = await OpenSslVerifyAsync(emulator);
        Assert.True(code == 0, output);
    }

    /// <summary>Asks another implementation, strictly.</summary>
    static async Task<(int Code, string Output)> OpenSslVerifyAsync(Emulator emulator)
    {
        var tls = Path.Combine(emulator.DataDirectory, "tls");
        string[] arguments =
        [
            "verify",
            "-x509_strict",
            "-purpose",
            "sslserver",
            "-verify_ip",
            "127.0.0.1",
            "-CAfile",
            Path.Combine(tls, "ca.pem"),
            Path.Combine(tls, "server.pem"),
        ];
        var start = new System.Diagnostics.ProcessStartInfo("openssl", arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = System.Diagnostics.Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync() + await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output);
    }

    [Fact]
    public async Task Without_HTTPS_there_is_no_authority()
    {
        await using var emulator = await Emulator.StartAsync();

        Assert.Equal(HttpStatusCode.NotFound, (await emulator.GetAsync("/emulator/ca.pem")).Status);
    }

    [Fact]
    public void The_certificate_is_renewed_before_it_expires()
    {
        using var directory = new Testing.TempDirectory();
        var clock = Emulator.NewClock();
        var certificate = new EmulatorCertificate(new EmulatorSettings { DataDirectory = directory.Path, HttpsPort = 0 }, clock);
        var first = certificate.Current;
        clock.Advance(TimeSpan.FromDays(15));
        Assert.Same(first, certificate.Current);

        clock.Advance(TimeSpan.FromDays(10));

        Assert.NotSame(first, certificate.Current);
        Assert.True(certificate.Current.NotAfter.ToUniversalTime() > clock.GetUtcNow().UtcDateTime.AddDays(20));
        // The authority that clients trust has stayed.
        Assert.Equal(first.Issuer, certificate.Current.Issuer);
        Assert.Single(Directory.GetFiles(Path.Combine(directory.Path, "tls"), "ca.pem"));
    }

    [Fact]
    public async Task Millions_of_rows_that_do_not_fit_are_refused_in_bounded_memory()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();
        var body = new ByteArrayContent(Gzip(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("1\n", 2_000_001)))));
        body.Headers.ContentEncoding.Add("gzip");

        var answer = await emulator.SendAsync(
            HttpMethod.Post,
            $"{Emulator.Data}/channels/CH/rows?continuationToken=0_1&offsetToken=1",
            body
        );

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Contains("send fewer", answer.Body, StringComparison.Ordinal);
        Assert.Equal("0_2", (await emulator.AppendAsync("0_1", "1", Emulator.Row("a"))).Next);
    }

    static byte[] Gzip(byte[] plain)
    {
        using var buffer = new MemoryStream();
        using (var gzip = new System.IO.Compression.GZipStream(buffer, System.IO.Compression.CompressionLevel.Fastest))
            gzip.Write(plain);
        return buffer.ToArray();
    }
}
