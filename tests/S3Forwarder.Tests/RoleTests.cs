using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Amazon.Runtime;
using Microsoft.Extensions.Configuration;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Hosting;
using ThermalStreaming.Testing;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>Roles that are taken on: with keys, with a token, from a profile; and what STS answers.</summary>
public sealed class RoleTests : IAsyncLifetime
{
    const string Arn = "arn:aws:iam::123456789012:role/demo";

    readonly TempDirectory directory = new();
    readonly Spool spool = new();
    FakeS3 s3 = null!;
    FakeSts sts = null!;

    public async ValueTask InitializeAsync() => (s3, sts) = (await FakeS3.StartAsync(), await FakeSts.StartAsync());

    public async ValueTask DisposeAsync()
    {
        await s3.DisposeAsync();
        await sts.DisposeAsync();
        spool.Dispose();
        directory.Dispose();
    }

    [Fact]
    public async Task Keys_take_the_role_on_and_uploads_are_signed_with_what_it_gives()
    {
        var options = Load(
            ("AWS_ACCESS_KEY_ID", "AKIAI44QH8DHBEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY"),
            ("AWS_ROLE_ARN", Arn),
            ("AWS_ROLE_EXTERNAL_ID", "ext-123"),
            ("AWS_ROLE_SESSION_NAME", "TestAR")
        );

        await DeliverAsync(options);

        var (form, authorization) = Assert.Single(sts.Calls);
        Assert.Equal(
            ("AssumeRole", "2011-06-15", Arn, "TestAR", "ext-123"),
            (
                form["Action"].ToString(),
                form["Version"].ToString(),
                form["RoleArn"].ToString(),
                form["RoleSessionName"].ToString(),
                form["ExternalId"].ToString()
            )
        );
        Assert.Matches("^AWS4-HMAC-SHA256 Credential=AKIAI44QH8DHBEXAMPLE/[0-9]{8}/eu-central-1/sts/aws4_request, ", authorization);
        var put = s3.Calls.First(call => call.Method == "PUT");
        Assert.Equal(
            "TOKEN1",
            put.Headers.First(header => header.Key.Equals("x-amz-security-token", StringComparison.OrdinalIgnoreCase)).Value.ToString()
        );
        AssertSigned(put, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY", "eu-central-1");
    }

    [Fact]
    public async Task A_token_takes_the_role_on_without_any_key_and_is_read_again_each_time()
    {
        File.WriteAllText(directory.File("token"), "eyJ.first\n");
        var options = Load(("AWS_ROLE_ARN", Arn), ("AWS_WEB_IDENTITY_TOKEN_FILE", directory.File("token")));
        Assert.Equal($"role {Arn} by the web identity in {directory.File("token")}", options.Credentials.Description);
        // Already over, so that the next request needs new ones.
        sts.Expiration = TimeProvider.System.GetUtcNow().AddSeconds(2);
        var credentials = options.Credentials.Create();

        await credentials.GetCredentialsAsync();
        File.WriteAllText(directory.File("token"), "eyJ.second\n");
        while ((await credentials.GetCredentialsAsync()).Token == "TOKEN1")
            await Task.Yield();

        var calls = sts.Calls.ToList();
        Assert.Equal("AssumeRoleWithWebIdentity", calls[0].Form["Action"]);
        Assert.Equal(
            ("eyJ.first", "eyJ.second"),
            (calls[0].Form["WebIdentityToken"].ToString(), calls[^1].Form["WebIdentityToken"].ToString())
        );
        Assert.All(calls, call => Assert.Equal("", call.Authorization));
    }

    [Fact]
    public async Task A_profile_with_a_role_takes_it_on_with_its_source()
    {
        File.WriteAllText(
            directory.File("credentials"),
            $"[base]\naws_access_key_id = AKIABASE000000000000\naws_secret_access_key = s\n\n[default]\nrole_arn = {Arn}\nsource_profile = "
                + "base\nexternal_id = e\n"
        );

        await DeliverAsync(Load(("AWS_SHARED_CREDENTIALS_FILE", directory.File("credentials"))));

        var (form, authorization) = Assert.Single(sts.Calls);
        Assert.Equal((Arn, "e"), (form["RoleArn"].ToString(), form["ExternalId"].ToString()));
        Assert.Contains("Credential=AKIABASE000000000000/", authorization, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_role_that_is_taken_on_with_temporary_keys_of_its_own_profile_sends_their_token()
    {
        File.WriteAllText(
            directory.File("credentials"),
            $"[default]\nrole_arn = {Arn}\naws_access_key_id = ASIATEMP000000000000\naws_secret_access_key = s\naws_session_token = TOKEN\n"
        );

        await DeliverAsync(Load(("AWS_SHARED_CREDENTIALS_FILE", directory.File("credentials"))));

        Assert.Contains("x-amz-security-token", Assert.Single(sts.Calls).Authorization, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "no source_profile")]
    [InlineData("source_profile = gone\n", "no profile 'gone'")]
    [InlineData("source_profile = other\n\n[other]\nrole_arn = " + Arn + "\nsource_profile = default\n", "in a circle")]
    [InlineData("credential_source = Environment\n", "no source_profile")]
    public void A_profile_whose_role_cannot_be_taken_on_is_a_problem_of_the_settings(string lines, string problem)
    {
        File.WriteAllText(directory.File("credentials"), $"[default]\nrole_arn = {Arn}\n{lines}");

        Assert.Contains(
            problem,
            Assert.Single(Problems(("AWS_SHARED_CREDENTIALS_FILE", directory.File("credentials")))),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(
        403,
        "AccessDenied",
        "User: arn:aws:iam::1:user/up is not authorized to perform: sts:AssumeRole on resource: " + Arn,
        "trust policy"
    )]
    [InlineData(403, "InvalidClientTokenId", "The security token included in the request is invalid", "AKIA…MPLE")]
    [InlineData(403, "ExpiredToken", "The security token included in the request is expired", "run out")]
    [InlineData(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.", "secret")]
    [InlineData(403, "SignatureDoesNotMatch", "Signature expired: 20261129T100000Z is now earlier than 20261129T101500Z", "timedatectl")]
    [InlineData(403, "RegionDisabledException", "STS is not activated in this region", "Security Token Service")]
    [InlineData(400, "ValidationError", "1 validation error detected", "AWS_ROLE_ARN")]
    public async Task A_refusal_is_told_with_its_cure(int status, string code, string message, string cure)
    {
        sts.Script = () => FakeSts.Error(status, code, message);

        var failure = await FailAsync(Keys());

        Assert.Equal(SinkFailure.NeedsOperator, failure.Failure);
        Assert.Contains($"role {Arn}: {status} {code} \"{message}\"", failure.Message, StringComparison.Ordinal);
        Assert.Contains(cure, failure.Message, StringComparison.Ordinal);
        Assert.Empty(s3.Calls);
    }

    [Theory]
    [InlineData(400, "InvalidIdentityToken", "No OpenIDConnect provider found in your account for https://example.org", "issuer")]
    [InlineData(
        400,
        "ExpiredTokenException",
        "Token expired: current date/time 1, must be before the expiration date/time 0",
        "renew the token in"
    )]
    public async Task A_token_that_is_refused_is_told_with_its_cure(int status, string code, string message, string cure)
    {
        File.WriteAllText(directory.File("token"), "eyJ");
        sts.Script = () => FakeSts.Error(status, code, message);

        var failure = await FailAsync(Load(("AWS_ROLE_ARN", Arn), ("AWS_WEB_IDENTITY_TOKEN_FILE", directory.File("token"))));

        Assert.Equal(SinkFailure.NeedsOperator, failure.Failure);
        Assert.Contains(cure, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(200, "text/html", "<html>Please log in</html>", "log in to the network")]
    [InlineData(503, "text/xml", "", "503")]
    public async Task What_waiting_cures_needs_nobody(int status, string type, string body, string words)
    {
        sts.Script = () => (status, type, body);

        var failure = await FailAsync(Keys());

        Assert.Equal(SinkFailure.Transient, failure.Failure);
        Assert.Contains(words, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_STS_that_does_not_answer_is_given_up_and_asked_again()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var address = new Uri($"http://{listener.LocalEndpoint}");
        using var credentials = new RoleCredentials(
            new AwsRole(Arn, "TestAR"),
            new BasicAWSCredentials("AKIAI44QH8DHBEXAMPLE", "secret"),
            new StsOptions("eu-central-1", address)
        )
        {
            Patience = TimeSpan.FromMilliseconds(300),
        };

        for (var attempt = 0; attempt < 2; attempt++)
        {
            var failure = await Assert.ThrowsAsync<AmazonClientException>(() => credentials.GetCredentialsAsync());
            Assert.IsType<TimeoutException>(failure.InnerException);
        }
    }

    [Fact]
    public async Task A_network_that_is_away_needs_nobody()
    {
        var options = Keys();
        await sts.DisposeAsync();

        var failure = await FailAsync(options);

        Assert.Equal(SinkFailure.Transient, failure.Failure);
        Assert.Contains($"credentials, role {Arn}", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("AWS_ROLE_ARN", "demo", "must be a role's ARN")]
    [InlineData("AWS_ROLE_ARN", "arn:aws:iam::123456789012:user/x", "must be a role's ARN")]
    [InlineData("AWS_ROLE_SESSION_NAME", "a b", "2 to 64")]
    [InlineData("AWS_WEB_IDENTITY_TOKEN_FILE", "/no/such/token", "does not exist")]
    [InlineData("AWS_ENDPOINT_URL_STS", "sts.local", "http://host:port")]
    public void A_role_that_cannot_be_is_refused_at_the_start(string key, string value, string words) =>
        Assert.Contains(words, Assert.Single(Problems([("AWS_ROLE_ARN", Arn), .. keys, (key, value)])), StringComparison.Ordinal);

    [Fact]
    public void A_token_needs_a_role_and_nothing_at_all_is_said_once()
    {
        Assert.Contains(
            Problems(("AWS_WEB_IDENTITY_TOKEN_FILE", "/token")),
            problem => problem.Contains("AWS_ROLE_ARN is not", StringComparison.Ordinal)
        );
        Assert.StartsWith("No AWS credentials were found; ", Assert.Single(Problems()), StringComparison.Ordinal);
        Assert.Equal(2, Problems(("NUM_FILES", "0")).Count);
    }

    [Fact]
    public async Task A_request_is_sent_as_often_as_the_settings_say()
    {
        var options = Load([.. keys, ("AWS_ACCESS_KEY_ID", FakeS3.AccessKeyId), ("AWS_MAX_ATTEMPTS", "3"), ("NUM_FILES", "1")]);
        s3.Script = call =>
            call.Method == "PUT" ? new S3Fault { Answer = (500, "InternalError", "We encountered an internal error.") } : null;
        spool.AddInverters(1);
        var sink = spool.NewSink(options, S3Client.Create(options));
        await sink.OpenAsync(spool.Start(), default);

        await Assert.ThrowsAsync<SinkException>(() => sink.SendAsync(spool.Cut(0, 1), default));

        Assert.Equal(3, s3.Calls.Count(call => call.Method == "PUT"));
    }

    [Fact]
    public void The_metadata_of_an_instance_is_asked_only_where_that_is_allowed()
    {
        Assert.Equal(AwsHost.Instance, Load(("AWS_EC2_METADATA_DISABLED", "false")).Credentials.Host);
        Assert.Equal(
            AwsHost.Container,
            Load(("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials")).Credentials.Host
        );
    }

    static readonly (string, string)[] keys =
    [
        ("AWS_ACCESS_KEY_ID", "AKIAI44QH8DHBEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY"),
    ];

    S3Options Keys() => Load([.. keys, ("AWS_ROLE_ARN", Arn)]);

    S3Options Load(params (string Key, string Value)[] values)
    {
        var settings = NewSettings(values);
        var options = S3OptionsLoader.Load(settings);
        Assert.Empty(settings.Problems);
        return options;
    }

    IReadOnlyList<string> Problems(params (string Key, string Value)[] values)
    {
        var settings = NewSettings(values);
        S3OptionsLoader.Load(settings);
        return settings.Problems;
    }

    Settings NewSettings((string Key, string Value)[] values) =>
        new(
            new ConfigurationBuilder()
                .AddInMemoryCollection(
                    values
                        .Prepend(("AWS_REGION", "eu-central-1"))
                        .Prepend(("S3_BUCKET", "readings"))
                        .Prepend(("S3_ENDPOINT_URL", s3.Address.AbsoluteUri))
                        .Prepend(("AWS_ENDPOINT_URL_STS", sts.Address.AbsoluteUri))
                        .GroupBy(value => value.Item1)
                        .Select(group => KeyValuePair.Create(group.Key, (string?)group.Last().Item2))
                )
                .Build()
        );

    async Task DeliverAsync(S3Options options)
    {
        spool.AddInverters(1);
        await spool.DeliverAsync(spool.NewSink(options, S3Client.Create(options)));
        Assert.Single(s3.Sequences());
    }

    async Task<SinkException> FailAsync(S3Options options)
    {
        spool.AddInverters(1);
        return await Assert.ThrowsAsync<SinkException>(() =>
            spool.NewSink(options, S3Client.Create(options, retries: 0)).OpenAsync(spool.Start(), default)
        );
    }

    /// <summary>
    /// The signature is what the specification makes of the request ("Signature Version 4 signing process": canonical request, string to
    /// sign,
    /// signing key).
    /// </summary>
    static void AssertSigned(S3Call call, string secret, string region)
    {
        var authorization = Header("authorization");
        var signed = Part("SignedHeaders=").Split(';');
        var date = Header("x-amz-date");
        var scope = $"{date[..8]}/{region}/s3/aws4_request";
        Assert.Contains($"/{scope},", authorization, StringComparison.Ordinal);
        Assert.Contains("x-amz-security-token", signed);
        var canonical = string.Join(
            '\n',
            [
                call.Method,
                $"/{call.Bucket}/{call.Key}",
                "",
                .. signed.Select(name => $"{name}:{Header(name)}"),
                "",
                string.Join(';', signed),
                Header("x-amz-content-sha256"),
            ]
        );
        var toSign = $"AWS4-HMAC-SHA256\n{date}\n{scope}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        var key = Encoding.UTF8.GetBytes($"AWS4{secret}");
        foreach (var part in scope.Split('/').Append(toSign))
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part));
        Assert.Equal(Convert.ToHexStringLower(key), Part("Signature="));

        string Header(string name) =>
            call.Headers.First(header => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value.ToString().Trim();

        string Part(string name) => authorization.Split(name)[1].Split(',')[0];
    }
}
