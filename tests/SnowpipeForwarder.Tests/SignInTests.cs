using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace ThermalStreaming.SnowpipeForwarder.Tests;

/// <summary>Signing in: assertions, tokens, their scope and their renewal.</summary>
public sealed class SignInTests
{
    static readonly DateTimeOffset Now = new(2026, 11, 20, 10, 0, 0, TimeSpan.Zero);

    [Fact]
    public void The_jwt_verifies_and_says_who_and_when()
    {
        using var rsa = RSA.Create(2048);
        using var key = new KeyPair(rsa);

        var jwt = KeyPairJwt.Create(key, "MYORG-MY_ACCOUNT", "streamer", Now);

        var parts = jwt.Text.Split('.');
        // EMSA-PKCS1-v1_5 by hand (RFC 8017 §9.2): the signature to the power of e must be the padded digest.
        var (modulus, exponent) = (Big(rsa.ExportParameters(false).Modulus!), Big(rsa.ExportParameters(false).Exponent!));
        var decoded = System
            .Numerics.BigInteger.ModPow(Big(ScriptedSnowflake.Unbase64(parts[2])), exponent, modulus)
            .ToByteArray(isUnsigned: true, isBigEndian: true);
        Assert.Equal(SHA256.HashData(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}")), decoded[^32..]);
        Assert.Equal("RS256", JsonNode.Parse(ScriptedSnowflake.Unbase64(parts[0]))!["alg"]!.GetValue<string>());
        var claims = JsonNode.Parse(ScriptedSnowflake.Unbase64(parts[1]))!;
        var der = Convert.FromBase64String(
            string.Concat(rsa.ExportSubjectPublicKeyInfoPem().Split('\n').Where(line => !line.StartsWith('-')))
        );
        Assert.Equal($"MYORG-MY_ACCOUNT.STREAMER.SHA256:{Convert.ToBase64String(SHA256.HashData(der))}", claims["iss"]!.GetValue<string>());
        Assert.Equal("MYORG-MY_ACCOUNT.STREAMER", claims["sub"]!.GetValue<string>());
        Assert.InRange(claims["iat"]!.GetValue<long>(), Now.ToUnixTimeSeconds() - 5, Now.ToUnixTimeSeconds());
        Assert.InRange(claims["exp"]!.GetValue<long>() - claims["iat"]!.GetValue<long>(), 60, 3600);

        static System.Numerics.BigInteger Big(byte[] bytes) => new(bytes, isUnsigned: true, isBigEndian: true);
    }

    /// <summary>As Snowflake's SDK 1.9.1 was seen to do: the role is a claim of the JWT, the scope the host alone.</summary>
    [Fact]
    public async Task The_scope_names_the_normalised_host_and_the_jwt_the_role()
    {
        await using var fixture = await SinkFixture.StartAsync();
        fixture.Server.HostnameBody = "LOCALHOST";

        await fixture.OpenAsync();

        var exchange = fixture.Server.Of("token").Single();
        Assert.Equal("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&scope=localhost", exchange.Json);
        Assert.Equal("KEYPAIR_JWT", exchange.Headers["X-Snowflake-Authorization-Token-Type"]);
        foreach (var call in fixture.Server.Calls.Where(call => call.Kind is "hostname" or "token"))
            Assert.Equal("session:role:STREAMING_ROLE", Claims(call)["scp"]!.GetValue<string>());
    }

    [Fact]
    public async Task Without_a_role_the_jwt_has_no_such_claim()
    {
        await using var fixture = await SinkFixture.StartAsync(("SNOWFLAKE_ROLE", ""));

        await fixture.OpenAsync();

        Assert.False(Claims(fixture.Server.Of("token").Single()).AsObject().ContainsKey("scp"));
    }

    static JsonNode Claims(Call call) => JsonNode.Parse(ScriptedSnowflake.Unbase64(call.Headers["Authorization"].Split('.')[1]))!;

    [Theory]
    [InlineData("plain")]
    [InlineData("token")]
    [InlineData("access_token")]
    [InlineData("text")]
    public async Task The_scoped_token_is_read_in_every_shape(string shape)
    {
        await using var fixture = await SinkFixture.StartAsync();
        fixture.Server.TokenBody = token =>
            shape switch
            {
                "plain" => token + "\n",
                "text" => $"\"{token}\"",
                _ => $$"""{"{{shape}}": "{{token}}"}""",
            };

        var position = await fixture.OpenAsync();

        Assert.Equal(0, position.Offset);
    }

    [Fact]
    public async Task A_server_that_looks_for_the_assertion_in_the_form_finds_it_there()
    {
        await using var fixture = await SinkFixture.StartAsync();
        fixture.Server.AssertionOnly = true;

        await fixture.OpenAsync();

        Assert.Equal(2, fixture.Server.Of("token").Count());
    }

    [Fact]
    public async Task The_token_is_refreshed_before_it_expires_and_not_earlier()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        fixture.Clock.Advance(TimeSpan.FromMinutes(8.9));
        await fixture.PollAsync();
        var at539 = fixture.Server.Of("token").Count();

        fixture.Clock.Advance(TimeSpan.FromSeconds(10));
        await fixture.PollAsync();

        Assert.Equal(1, at539);
        Assert.Equal(2, fixture.Server.Of("token").Count());
        Assert.Equal(3, fixture.Server.Of("status").Count());
    }

    [Fact]
    public async Task Concurrent_callers_share_one_refresh()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        fixture.Clock.Advance(TimeSpan.FromMinutes(11));

        await Task.WhenAll(
            Enumerable.Range(0, 20).Select(_ => fixture.Client.StatusAsync(new ChannelSession(SinkFixture.Channel), CancellationToken.None))
        );

        Assert.Equal(2, fixture.Server.Of("token").Count());
    }

    [Fact]
    public async Task Concurrent_refusals_of_one_token_cost_one_refresh()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        var everyone = new TaskCompletionSource();
        var waiting = 0;
        fixture.Server.Before = async call =>
        {
            if (call.Kind != "status" || everyone.Task.IsCompleted)
                return;
            if (Interlocked.Increment(ref waiting) == 10)
                everyone.SetResult();
            await everyone.Task;
        };
        fixture.Server.RevokeTokens();

        await Task.WhenAll(
                Enumerable
                    .Range(0, 10)
                    .Select(_ => fixture.Client.StatusAsync(new ChannelSession(SinkFixture.Channel), CancellationToken.None))
            )
            .WaitAsync(TimeSpan.FromSeconds(20));

        Assert.Equal(2, fixture.Server.Of("token").Count());
    }

    [Fact]
    public async Task A_session_that_no_header_can_carry_is_not_sent_back()
    {
        await using var fixture = await SinkFixture.StartAsync();
        fixture.Server.Session = "grün";

        await fixture.OpenAsync();
        await fixture.SendAsync(fixture.Batch(0, 1));
        fixture.Server.Session = "MTI3";
        await fixture.PollAsync();
        await fixture.PollAsync();

        Assert.Equal(
            [null, null, null, null, "MTI3"],
            fixture
                .Server.Calls.Where(call => call.Kind is "open" or "append" or "status")
                .Select(call => call.Headers.GetValueOrDefault("x-snowflake-session"))
        );
    }

    [Theory]
    [InlineData("Pat")]
    [InlineData("DirectPat")]
    public async Task An_access_token_that_was_rotated_is_read_again_when_the_old_one_is_refused(string auth)
    {
        var file = Path.GetTempFileName();
        File.WriteAllText(file, "pat-old\n");
        await using var fixture = await SinkFixture.StartAsync(("SNOWFLAKE_AUTH", auth), ("SNOWFLAKE_PAT_FILE", file));
        await fixture.OpenAsync();

        fixture.Server.Pat = "pat-new";
        // While it is being written.
        File.WriteAllText(file, "");
        fixture.Server.RevokeTokens();
        await fixture.PollFailsAsync();
        fixture.Clock.Advance(FailurePolicy.SignInPatience);
        var failure = await fixture.PollFailsAsync();
        File.WriteAllText(file, "pat-new\n");
        await fixture.OpenAsync();
        File.Delete(file);

        Assert.Equal(Forwarding.SinkFailure.NeedsOperator, failure.Failure);
        Assert.Contains("expired", failure.Message);
        Assert.Contains(file, failure.Message);
        Assert.DoesNotContain("RSA_PUBLIC_KEY", failure.Message);
        Assert.Equal(
            "Bearer pat-new",
            fixture.Server.Calls.Last(call => auth == "DirectPat" || call.Kind == "token").Headers["Authorization"]
        );
    }

    [Theory]
    [InlineData("ScopedToken")]
    [InlineData("DirectJwt")]
    public async Task A_key_that_was_rotated_is_read_again_when_the_old_one_is_refused(string auth)
    {
        await using var fixture = await SinkFixture.StartAsync(("SNOWFLAKE_AUTH", auth));
        await fixture.OpenAsync();
        using var rsa = RSA.Create(2048);
        fixture.Server.PublicKey = rsa;
        fixture.Server.RevokeTokens();
        File.WriteAllText(Path.Combine(fixture.Directory, "rsa_key.p8"), rsa.ExportPkcs8PrivateKeyPem());

        var commit = await fixture.PollAsync();

        Assert.Equal(0, commit.Offset);
    }

    [Fact]
    public async Task A_direct_jwt_needs_no_exchange()
    {
        await using var fixture = await SinkFixture.StartAsync(("SNOWFLAKE_AUTH", "DirectJwt"));

        await fixture.OpenAsync();
        await fixture.SendAsync(fixture.Batch(0, 1));

        Assert.Empty(fixture.Server.Of("token"));
        Assert.All(fixture.Server.Calls, call => Assert.Equal("KEYPAIR_JWT", call.Headers["X-Snowflake-Authorization-Token-Type"]));
        Assert.Single(fixture.Server.Calls.Select(call => call.Headers["Authorization"]).Distinct());
    }

    /// <summary>
    /// As Snowflake's SDK 1.9.1 was seen to do: the ingest host never sees the access token, and the role is a part of the scope.
    /// </summary>
    [Theory]
    [InlineData("streaming_role", "127.0.0.1+session%3Arole%3ASTREAMING_ROLE")]
    [InlineData("", "127.0.0.1")]
    public async Task An_access_token_is_exchanged_for_one_of_the_ingest_host(string role, string scope)
    {
        await using var fixture = await SinkFixture.StartAsync(
            ("SNOWFLAKE_AUTH", "Pat"),
            ("SNOWFLAKE_PAT", "pat-secret"),
            ("SNOWFLAKE_PRIVATE_KEY_FILE", "/nowhere"),
            ("SNOWFLAKE_ROLE", role)
        );

        await fixture.OpenAsync();
        await fixture.SendAsync(fixture.Batch(0, 1));

        var exchange = fixture.Server.Of("token").Single();
        Assert.Equal(
            $"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&scope={scope}&subject_token_type=programmatic_access_token",
            exchange.Json
        );
        Assert.All(
            fixture.Server.Calls.Where(call => call.Kind is "hostname" or "token"),
            call =>
                Assert.Equal(
                    ("Bearer pat-secret", "PROGRAMMATIC_ACCESS_TOKEN"),
                    (call.Headers["Authorization"], call.Headers["X-Snowflake-Authorization-Token-Type"])
                )
        );
        Assert.All(
            fixture.Server.Calls.Where(call => call.Kind is "open" or "append" or "status"),
            call =>
            {
                Assert.Equal("OAUTH", call.Headers["X-Snowflake-Authorization-Token-Type"]);
                Assert.DoesNotContain("pat-secret", call.Headers["Authorization"]);
            }
        );
    }

    [Fact]
    public async Task A_scoped_token_of_an_access_token_is_renewed_when_it_is_refused()
    {
        await using var fixture = await SinkFixture.StartAsync(("SNOWFLAKE_AUTH", "Pat"), ("SNOWFLAKE_PAT", "pat-secret"));
        await fixture.OpenAsync();
        fixture.Server.RevokeTokens();

        await fixture.SendAsync(fixture.Batch(0, 1));

        Assert.Equal(2, fixture.Server.Of("token").Count());
    }

    [Fact]
    public async Task An_account_that_does_not_exchange_access_tokens_is_told_the_setting_that_does_without()
    {
        await using var fixture = await SinkFixture.StartAsync(("SNOWFLAKE_AUTH", "Pat"), ("SNOWFLAKE_PAT", "pat-secret"));
        fixture.Server.ExchangesAccessTokens = false;

        var failure = await fixture.OpenFailsAsync();

        Assert.Equal(Forwarding.SinkFailure.NeedsOperator, failure.Failure);
        Assert.Contains("400 unsupported_grant_type (not this one)", failure.Message);
        Assert.Contains("SNOWFLAKE_AUTH=DirectPat", failure.Message);
        Assert.DoesNotContain("pat-secret", failure.Message);
    }

    [Fact]
    public async Task An_access_token_can_go_to_the_ingest_host_itself()
    {
        await using var fixture = await SinkFixture.StartAsync(
            ("SNOWFLAKE_AUTH", "DirectPat"),
            ("SNOWFLAKE_PAT", "pat-secret"),
            ("SNOWFLAKE_PRIVATE_KEY_FILE", "/nowhere")
        );

        await fixture.OpenAsync();
        await fixture.SendAsync(fixture.Batch(0, 1));

        Assert.Empty(fixture.Server.Of("token"));
        Assert.All(
            fixture.Server.Calls,
            call => Assert.Equal("PROGRAMMATIC_ACCESS_TOKEN", call.Headers["X-Snowflake-Authorization-Token-Type"])
        );
        Assert.All(fixture.Server.Calls, call => Assert.Equal("Bearer pat-secret", call.Headers["Authorization"]));
    }

    /// <summary>
    /// Only the exchange read the files again, so a forwarder that had to discover its host again stayed out until it was started anew.
    /// </summary>
    [Fact]
    public async Task A_key_that_was_rotated_is_read_again_when_host_discovery_refuses_the_old_one()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        using var rsa = RSA.Create(2048);
        fixture.Server.PublicKey = rsa;
        fixture.Server.RevokeTokens();
        fixture.Client.Forget();
        File.WriteAllText(Path.Combine(fixture.Directory, "rsa_key.p8"), rsa.ExportPkcs8PrivateKeyPem());

        var commit = await fixture.PollAsync();

        Assert.Equal(0, commit.Offset);
    }

    [Theory]
    [InlineData("<html>Sign in to the hotel's network</html>")]
    [InlineData("OK")]
    [InlineData("success\n")]
    [InlineData("{}")]
    [InlineData("""{"token":null}""")]
    [InlineData("""{"token":"two words"}""")]
    [InlineData("a.b")]
    [InlineData("a..c")]
    [InlineData("a.b.c d")]
    public void An_answer_that_holds_no_jwt_is_no_token(string body) => Assert.Null(SnowflakeTokens.ParseToken(body));

    [Theory]
    [InlineData("""{"exp":1795168800}""", 1795168800L)]
    [InlineData("""{"exp":1795168800000}""", 1795168800L)]
    [InlineData("""{"exp":1795168800.5}""", 1795168800L)]
    [InlineData("""{"exp":"soon"}""", null)]
    [InlineData("""{}""", null)]
    [InlineData("""[]""", null)]
    [InlineData("""{""", null)]
    public void A_tokens_expiry_is_read_in_seconds_and_milliseconds(string claims, long? expected)
    {
        var token = $"e30.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}.c2ln";

        Assert.Equal(expected, KeyPairJwt.ReadExpiry(token)?.ToUnixTimeSeconds());
    }

    [Fact]
    public void An_opaque_token_has_no_expiry() => Assert.Null(KeyPairJwt.ReadExpiry("opaque"));
}
