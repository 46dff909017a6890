using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace ThermalStreaming.SnowpipeForwarder.Tests;

public class SignInTests
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
        var decoded = System.Numerics.BigInteger.ModPow(Big(ScriptedSnowflake.Unbase64(parts[2])), exponent, modulus).ToByteArray(isUnsigned: true, isBigEndian: true);
        Assert.Equal(SHA256.HashData(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}")), decoded[^32..]);
        Assert.Equal("RS256", JsonNode.Parse(ScriptedSnowflake.Unbase64(parts[0]))!["alg"]!.GetValue<string>());
        var claims = JsonNode.Parse(ScriptedSnowflake.Unbase64(parts[1]))!;
        var der = Convert.FromBase64String(string.Concat(rsa.ExportSubjectPublicKeyInfoPem().Split('\n').Where(line => !line.StartsWith('-'))));
        Assert.Equal($"MYORG-MY_ACCOUNT.STREAMER.SHA256:{Convert.ToBase64String(SHA256.HashData(der))}", claims["iss"]!.GetValue<string>());
        Assert.Equal("MYORG-MY_ACCOUNT.STREAMER", claims["sub"]!.GetValue<string>());
        Assert.InRange(claims["iat"]!.GetValue<long>(), Now.ToUnixTimeSeconds() - 5, Now.ToUnixTimeSeconds());
        Assert.InRange(claims["exp"]!.GetValue<long>() - claims["iat"]!.GetValue<long>(), 60, 3600);

        static System.Numerics.BigInteger Big(byte[] bytes) => new(bytes, isUnsigned: true, isBigEndian: true);
    }

    [Theory]
    [InlineData("XY_12345.ingest.iad_aax.snowflakecomputing.com", "https://org.snowflakecomputing.com", "https://xy-12345.ingest.iad-aax.snowflakecomputing.com/")]
    [InlineData("\"Abc.ingest.snowflakecomputing.com\"", "https://org.snowflakecomputing.com", "https://abc.ingest.snowflakecomputing.com/")]
    [InlineData("""{"hostname": "abc.ingest.snowflakecomputing.com"}""", "https://org.snowflakecomputing.com", "https://abc.ingest.snowflakecomputing.com/")]
    [InlineData("  abc.ingest\n", "http://localhost:8090", "http://abc.ingest:8090/")]
    [InlineData("abc.ingest:9000", "http://localhost:8090", "http://abc.ingest:9000/")]
    [InlineData("https://abc.ingest.snowflakecomputing.com/", "https://org.snowflakecomputing.com", "https://abc.ingest.snowflakecomputing.com/")]
    [InlineData("abc.ingest.snowflakecomputing.cn", "https://org.snowflakecomputing.cn", "https://abc.ingest.snowflakecomputing.cn/")]
    [InlineData("abc.privatelink.snowflakecomputing.com", "https://org.privatelink.snowflakecomputing.com", "https://abc.privatelink.snowflakecomputing.com/")]
    public void The_ingest_host_is_read_in_every_shape(string body, string control, string expected)
    {
        var host = IngestHost.Parse(body, new Uri(control));

        Assert.Equal(expected, host?.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("{\"hostname\":")]
    [InlineData("<html>")]
    [InlineData("two words")]
    [InlineData("host/path")]
    [InlineData("OK")]
    [InlineData("success")]
    [InlineData("null")]
    [InlineData("portal.hotel.example")]
    [InlineData("snowflakecomputing.com.hotel.example")]
    [InlineData("[]")]
    [InlineData("{\"hostname\":7}")]
    public void What_is_no_host_name_is_refused(string body)
        => Assert.Null(IngestHost.Parse(body, new Uri("https://org.snowflakecomputing.com")));

    [Theory]
    [InlineData("OK", null)]
    [InlineData("null", null)]
    [InlineData("snow_flake", "http://snow-flake:8090/")]
    [InlineData("localhost", "http://localhost:8090/")]
    [InlineData("[::1]", "http://[::1]:8090/")]
    [InlineData("snowflake.local", "http://snowflake.local:8090/")]
    public void A_stand_in_without_a_domain_names_itself(string body, string? expected)
        => Assert.Equal(expected, IngestHost.Parse(body, new Uri("http://snow_flake:8090"))?.ToString());

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
        fixture.Server.TokenBody = token => shape switch
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

        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => fixture.Client.StatusAsync(new ChannelSession(SinkFixture.Channel), CancellationToken.None)));

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

        await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => fixture.Client.StatusAsync(new ChannelSession(SinkFixture.Channel), CancellationToken.None))).WaitAsync(TimeSpan.FromSeconds(20));

        Assert.Equal(2, fixture.Server.Of("token").Count());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    [InlineData(24 * 365)]
    public async Task A_clock_that_is_hours_off_still_signs_in_and_is_reported_once(int hours)
    {
        await using var fixture = await SinkFixture.StartAsync();
        fixture.Server.Now = () => fixture.Clock.GetUtcNow() + TimeSpan.FromHours(hours);

        await fixture.OpenAsync();
        fixture.Clock.Advance(TimeSpan.FromMinutes(20));
        await fixture.PollAsync();

        Assert.Equal(2, fixture.Server.Of("hostname").Count());
        Assert.Equal(2, fixture.Server.Of("token").Count());
        var line = Assert.Single(fixture.Log, line => line.StartsWith("Warning 400", StringComparison.Ordinal));
        Assert.Contains(hours > 0 ? "behind" : "ahead of", line);
    }

    [Theory]
    [InlineData("Fri, 31 Dec 9999 23:59:59 GMT")]
    [InlineData("Mon, 01 Jan 0001 00:00:00 GMT")]
    [InlineData("Thu, 01 Jan 1970 00:00:00 GMT")]
    public async Task A_date_that_cannot_be_is_not_believed(string date)
    {
        await using var fixture = await SinkFixture.StartAsync();
        fixture.Server.DateHeader = date;

        await fixture.OpenAsync();
        fixture.Clock.Advance(TimeSpan.FromMinutes(20));
        await fixture.PollAsync();

        Assert.Null(fixture.Client.ServerClock.Offset);
        Assert.Equal(fixture.Clock.GetUtcNow(), fixture.Client.ServerClock.UtcNow);
        Assert.Empty(fixture.Log);
    }

    [Fact]
    public async Task A_date_that_is_years_off_is_forgotten_with_the_next()
    {
        await using var fixture = await SinkFixture.StartAsync();
        await fixture.OpenAsync();
        fixture.Server.DateHeader = "Thu, 31 Dec 2099 23:59:59 GMT";
        await fixture.PollAsync();
        fixture.Server.DateHeader = null;
        fixture.Clock.Advance(TimeSpan.FromMinutes(20));

        await fixture.PollAsync();
        await fixture.PollAsync();

        Assert.InRange(fixture.Client.ServerClock.Offset!.Value, TimeSpan.FromSeconds(-2), TimeSpan.FromSeconds(2));
    }

    [Theory]
    [InlineData(0.4, "0.4 s")]
    [InlineData(-90, "90.0 s")]
    [InlineData(3600, "60 minutes")]
    [InlineData(86_400, "24 hours")]
    [InlineData(1_795_719_840.4, "20784 days")]
    public void A_difference_between_clocks_is_said_in_a_persons_units(double seconds, string expected)
        => Assert.Equal(expected, ServerClock.Say(TimeSpan.FromSeconds(seconds)));

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

        Assert.Equal([null, null, null, null, "MTI3"], fixture.Server.Calls.Where(call => call.Kind is "open" or "append" or "status").Select(call => call.Headers.GetValueOrDefault("x-snowflake-session")));
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
        Assert.Equal("Bearer pat-new", fixture.Server.Calls.Last(call => auth == "DirectPat" || call.Kind == "token").Headers["Authorization"]);
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
    public async Task A_step_of_the_wall_clock_changes_nothing()
    {
        await using var fixture = await SinkFixture.StartAsync();
        var stepped = TimeSpan.Zero;
        fixture.Server.Now = () => fixture.Clock.GetUtcNow() - stepped;
        await fixture.OpenAsync();

        foreach (var step in new[] { TimeSpan.FromHours(1), TimeSpan.FromHours(-2) })
        {
            fixture.Clock.Step(step);
            stepped += step;
            await fixture.PollAsync();
            fixture.Clock.Advance(TimeSpan.FromMinutes(10));
            await fixture.PollAsync();
        }

        Assert.Equal(3, fixture.Server.Of("token").Count());
        Assert.Single(fixture.Server.Of("hostname"));
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
        await using var fixture = await SinkFixture.StartAsync(("SNOWFLAKE_AUTH", "Pat"), ("SNOWFLAKE_PAT", "pat-secret"), ("SNOWFLAKE_PRIVATE_KEY_FILE", "/nowhere"), ("SNOWFLAKE_ROLE", role));

        await fixture.OpenAsync();
        await fixture.SendAsync(fixture.Batch(0, 1));

        var exchange = fixture.Server.Of("token").Single();
        Assert.Equal($"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&scope={scope}&subject_token_type=programmatic_access_token", exchange.Json);
        Assert.All(fixture.Server.Calls.Where(call => call.Kind is "hostname" or "token"), call => Assert.Equal(("Bearer pat-secret", "PROGRAMMATIC_ACCESS_TOKEN"),
            (call.Headers["Authorization"], call.Headers["X-Snowflake-Authorization-Token-Type"])));
        Assert.All(fixture.Server.Calls.Where(call => call.Kind is "open" or "append" or "status"), call =>
        {
            Assert.Equal("OAUTH", call.Headers["X-Snowflake-Authorization-Token-Type"]);
            Assert.DoesNotContain("pat-secret", call.Headers["Authorization"]);
        });
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
        await using var fixture = await SinkFixture.StartAsync(("SNOWFLAKE_AUTH", "DirectPat"), ("SNOWFLAKE_PAT", "pat-secret"), ("SNOWFLAKE_PRIVATE_KEY_FILE", "/nowhere"));

        await fixture.OpenAsync();
        await fixture.SendAsync(fixture.Batch(0, 1));

        Assert.Empty(fixture.Server.Of("token"));
        Assert.All(fixture.Server.Calls, call => Assert.Equal("PROGRAMMATIC_ACCESS_TOKEN", call.Headers["X-Snowflake-Authorization-Token-Type"]));
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

    [Fact]
    public async Task Quoted_names_go_into_the_path_with_their_quotes_and_case()
    {
        await using var fixture = await SinkFixture.StartAsync(("SNOWFLAKE_DATABASE", "\"My Db\""), ("SNOWFLAKE_PIPE", "\"p!$&'()*+,=:@~._-/;ü\""));

        await fixture.OpenAsync();
        await fixture.SendAsync(fixture.Batch(0, 1));

        Assert.StartsWith("/v2/streaming/databases/%22My%20Db%22/schemas/PUBLIC/pipes/%22p!$&'()*+,=:@~._-%2F%3B%C3%BC%22/channels/", fixture.Server.Of("open").Single().RawTarget);
        Assert.StartsWith("/v2/streaming/data/databases/%22My%20Db%22/schemas/PUBLIC/pipes/%22p!$&'()*+,=:@~._-%2F%3B%C3%BC%22/channels/", fixture.Server.Of("append").Single().RawTarget);
    }

    [Theory]
    [InlineData("thermal_pipe", "THERMAL_PIPE")]
    [InlineData("Table-Streaming", "TABLE-STREAMING")]
    [InlineData("\"Mixed Case\"", "\"Mixed Case\"")]
    [InlineData("\"a\"\"b\"", "\"a\"\"b\"")]
    [InlineData("\"a\"b\"", null)]
    [InlineData("\"\"", null)]
    [InlineData("db.schema.pipe", null)]
    [InlineData("1abc", null)]
    [InlineData("a b", null)]
    [InlineData("", null)]
    public void Names_are_upper_case_unless_quoted(string name, string? expected)
        => Assert.Equal(expected, Identifier.Normalise(name));

    [Theory]
    [InlineData("1a2b3c4d5e6f7081:00000000000000000041", "1a2b3c4d5e6f7081", 41)]
    [InlineData("e:7", "e", 7)]
    public void Offset_tokens_are_read_back(string text, string epoch, long offset)
    {
        Assert.True(OffsetToken.TryParse(text, out var token));
        Assert.Equal(new OffsetToken(epoch, offset), token);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("41")]
    [InlineData(":41")]
    [InlineData("e:")]
    [InlineData("e:-1")]
    [InlineData("e: 1")]
    [InlineData("e:99999999999999999999")]
    public void What_is_no_offset_token_is_not_one(string? text)
        => Assert.False(OffsetToken.TryParse(text, out _));

    [Fact]
    public void Offset_tokens_sort_as_text()
        => Assert.True(string.CompareOrdinal(new OffsetToken("e", 9).ToString(), new OffsetToken("e", 10).ToString()) < 0);

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
    public void An_opaque_token_has_no_expiry()
        => Assert.Null(KeyPairJwt.ReadExpiry("opaque"));
}
