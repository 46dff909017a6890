using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ThermalStreaming.SnowflakeEmulator.Tests;

/// <summary>Host discovery, token exchange, and what is taken as a bearer token.</summary>
public class AuthenticationTests
{
    [Fact]
    public async Task Host_discovery_answers_the_host_of_the_request_as_plain_text_without_quotes()
    {
        await using var emulator = await Emulator.StartAsync();

        var answer = await emulator.GetAsync("/v2/streaming/hostname");

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal("text/plain", answer.Message.Content.Headers.ContentType?.MediaType);
        Assert.Equal("127.0.0.1", answer.Body);
    }

    [Fact]
    public async Task Host_discovery_answers_the_host_that_is_set_in_its_own_spelling()
    {
        await using var emulator = await Emulator.StartAsync(s => s.IngestHost = "XY_12345.ingest.LOCAL");

        Assert.Equal("XY_12345.ingest.LOCAL", (await emulator.GetAsync("/v2/streaming/hostname")).Body);
    }

    [Fact]
    public async Task Host_and_token_come_as_JSON_objects_when_that_is_set()
    {
        await using var emulator = await Emulator.StartAsync(s => s.HostnameFormat = s.TokenFormat = AnswerFormat.Json);

        var host = await emulator.GetAsync("/v2/streaming/hostname");
        var token = await emulator.ExchangeAsync(emulator.Jwt(), null, null);

        Assert.Equal("127.0.0.1", (string?)host.Json["hostname"]);
        Assert.Equal(3, ((string)token.Json["token"]!).Split('.').Length);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("session:role:THERMAL_ROLE")]
    [InlineData("127.0.0.1 session:role:THERMAL_ROLE")]
    [InlineData(null)]
    public async Task Every_scope_form_gives_a_raw_JWT_with_an_expiry_that_opens_a_channel(string? scope)
    {
        await using var emulator = await Emulator.StartAsync();

        var answer = await emulator.ExchangeAsync(emulator.Jwt(), null, scope);

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        var life = Emulator.ClaimsOf(answer.Body).GetProperty("exp").GetInt64() - TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        Assert.InRange(life, 590, 600);
        Assert.Equal(HttpStatusCode.OK, (await emulator.OpenWithAsync(answer.Body)).Status);
    }

    [Fact]
    public async Task The_key_pair_JWT_may_come_in_the_Authorization_header_or_in_the_form()
    {
        await using var emulator = await Emulator.StartAsync();

        Assert.Equal(HttpStatusCode.OK, (await emulator.ExchangeAsync(null, emulator.Jwt(), null)).Status);
        Assert.Equal(HttpStatusCode.OK, (await emulator.ExchangeAsync(emulator.Jwt(), null, null)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await emulator.ExchangeAsync(null, null, null)).Status);
    }

    [Fact]
    public async Task Another_grant_type_is_refused()
    {
        await using var emulator = await Emulator.StartAsync();

        var answer = await emulator.ExchangeAsync(emulator.Jwt(), null, null, "client_credentials");

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Equal("unsupported_grant_type", (string?)answer.Json["error"]);
    }

    [Fact]
    public async Task An_expired_scoped_token_is_refused_with_401()
    {
        var clock = Emulator.NewClock();
        await using var emulator = await Emulator.StartAsync(clock: clock);
        var token = (await emulator.ExchangeAsync(emulator.Jwt(), null, null)).Body;
        Assert.Equal(HttpStatusCode.OK, (await emulator.OpenWithAsync(token)).Status);

        clock.Advance(TimeSpan.FromMinutes(10));
        var late = await emulator.OpenWithAsync(token);

        Assert.Equal(HttpStatusCode.Unauthorized, late.Status);
        Assert.Equal("390318", late.Code);
    }

    [Fact]
    public async Task A_scoped_token_with_a_changed_claim_is_refused()
    {
        await using var emulator = await Emulator.StartAsync();
        var parts = (await emulator.ExchangeAsync(emulator.Jwt(), null, "session:role:A")).Body.Split('.');
        var other = (await emulator.ExchangeAsync(emulator.Jwt(), null, "session:role:B")).Body.Split('.');

        var answer = await emulator.OpenWithAsync($"{parts[0]}.{other[1]}.{parts[2]}");

        Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
        Assert.Equal("390303", answer.Code);
    }

    [Fact]
    public async Task A_scoped_token_is_good_after_a_restart()
    {
        await using var emulator = await Emulator.StartAsync();
        var token = (await emulator.ExchangeAsync(emulator.Jwt(), null, null)).Body;

        await emulator.RestartAsync();

        Assert.Equal(HttpStatusCode.OK, (await emulator.OpenWithAsync(token)).Status);
    }

    [Fact]
    public async Task A_form_that_cannot_be_read_is_400_and_not_worth_a_retry()
    {
        await using var emulator = await Emulator.StartAsync();

        var answer = await emulator.SendAsync(
            HttpMethod.Post,
            "/oauth/token",
            new FormUrlEncodedContent([new(new string('k', 3000), "v")])
        );

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
    }

    [Fact]
    public async Task A_key_of_1024_bits_is_not_registered()
    {
        await using var emulator = await Emulator.StartAsync();
        using var weak = RSA.Create(1024);
        await File.WriteAllTextAsync(Path.Combine(emulator.KeysDirectory, "weak.pub"), weak.ExportSubjectPublicKeyInfoPem());

        var answer = await emulator.ExchangeAsync(
            emulator.Jwt(
                c =>
                {
                    c["iss"] = $"{Emulator.Account}.WEAK.{Emulator.FingerprintOf(weak)}";
                    c["sub"] = $"{Emulator.Account}.WEAK";
                },
                weak
            ),
            null,
            null
        );

        Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
    }

    [Theory]
    [InlineData("session:role:PUBLIC", null)]
    [InlineData("some.host session:role:public", null)]
    [InlineData(null, "session:role:PUBLIC")]
    public async Task A_role_without_grants_sees_no_database(string? scope, string? claim)
    {
        await using var emulator = await Emulator.StartAsync();
        var token = (await emulator.ExchangeAsync(emulator.Jwt(c => c["scp"] = claim), null, scope)).Body;

        var answer = await emulator.OpenWithAsync(token);

        Assert.Equal(HttpStatusCode.NotFound, answer.Status);
        Assert.Equal("ERR_DATABASE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED", answer.Code);
    }

    [Theory]
    [InlineData("KEYPAIR_JWT")]
    [InlineData("OAUTH")]
    [InlineData(null)]
    public async Task A_raw_key_pair_JWT_works_on_the_ingest_endpoints_whatever_type_it_is_called(string? type)
    {
        await using var emulator = await Emulator.StartAsync();

        var answer = await emulator.SendAsync(
            HttpMethod.Put,
            $"{Emulator.Pipe}/channels/CH",
            null,
            r =>
            {
                r.Headers.Remove("Authorization");
                r.Headers.TryAddWithoutValidation("Authorization", "Bearer " + emulator.Jwt());
                if (type is not null)
                    r.Headers.TryAddWithoutValidation("X-Snowflake-Authorization-Token-Type", type);
            }
        );

        Assert.Equal(HttpStatusCode.OK, answer.Status);
    }

    [Fact]
    public async Task A_programmatic_access_token_works_and_an_unknown_one_does_not()
    {
        await using var emulator = await Emulator.StartAsync();

        Assert.Equal(HttpStatusCode.OK, (await emulator.OpenWithAsync(Emulator.Pat)).Status);
        var wrong = await emulator.OpenWithAsync(Emulator.Pat + "x");
        Assert.Equal(HttpStatusCode.Unauthorized, wrong.Status);
        Assert.Equal("394400", wrong.Code);
        Assert.Equal(HttpStatusCode.Unauthorized, (await emulator.OpenWithAsync(null)).Status);
    }

    [Theory]
    [InlineData("iss", "LOCAL-DEMO.NOBODY.{fp}", "394300")]
    [InlineData("iat", null, "394301")]
    [InlineData("exp", null, "394301")]
    [InlineData("iat", "+61", "394302")]
    [InlineData("exp", "-1", "394303")]
    [InlineData("iat", "-3601", "394303")]
    [InlineData("iss", "LOCAL-DEMO.PI_USER.SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "394304")]
    [InlineData("iss", "OTHER.PI_USER.{fp}", "394307")]
    [InlineData("iss", "LOCAL-DEMO.PI_USER", "390144")]
    [InlineData("iss", null, "390144")]
    [InlineData("sub", "LOCAL-DEMO.SOMEBODY_ELSE", "390144")]
    [InlineData("sub", null, "390144")]
    [InlineData("iss", "local-demo.pi_user.{fp}", "390144")]
    public async Task A_JWT_with_a_wrong_claim_is_refused_with_390144_and_its_own_reason(string claim, string? value, string reason)
    {
        await using var emulator = await Emulator.StartAsync(clock: Emulator.NewClock());
        var jwt = emulator.Jwt(c =>
        {
            value = value?.Replace("{fp}", emulator.Fingerprint, StringComparison.Ordinal);
            if (value is null)
                c.Remove(claim);
            else if (claim is "iat" or "exp")
                c[claim] = (long)c["iat"]! + long.Parse(value, System.Globalization.CultureInfo.InvariantCulture);
            else
                c[claim] = value;
            if (claim == "iss" && value?.Contains(".SHA256:", StringComparison.Ordinal) == true)
                c["sub"] = value[..value.IndexOf(".SHA256:", StringComparison.Ordinal)];
        });

        var answer = await emulator.ExchangeAsync(jwt, null, null);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
        Assert.Equal("390144", answer.Code);
        Assert.Matches(@"^JWT token is invalid\. \[[0-9a-f-]{36}\]$", (string?)answer.Json["message"]);
        Assert.Equal(reason, (string?)answer.Json["login_failure_details"]!["errorCode"]);
    }

    [Fact]
    public async Task A_hexadecimal_fingerprint_is_a_mismatch()
    {
        await using var emulator = await Emulator.StartAsync();
        var hex = "SHA256:" + Convert.ToHexString(SHA256.HashData(emulator.Key.ExportSubjectPublicKeyInfo()));

        var answer = await emulator.ExchangeAsync(emulator.Jwt(c => c["iss"] = $"{Emulator.Account}.{Emulator.User}.{hex}"), null, null);

        Assert.Equal("394304", (string?)answer.Json["login_failure_details"]!["errorCode"]);
    }

    [Fact]
    public async Task A_JWT_signed_with_another_key_is_refused()
    {
        await using var emulator = await Emulator.StartAsync();
        using var other = RSA.Create(2048);

        var forged = await emulator.ExchangeAsync(emulator.Jwt(signWith: other), null, null);

        Assert.Equal("394306", (string?)forged.Json["login_failure_details"]!["errorCode"]);
    }

    [Fact]
    public async Task A_JWT_of_another_algorithm_is_refused()
    {
        await using var emulator = await Emulator.StartAsync();

        var answer = await emulator.ExchangeAsync(emulator.Jwt(algorithm: "RS512"), null, null);

        Assert.Equal("394305", (string?)answer.Json["login_failure_details"]!["errorCode"]);
    }

    [Fact]
    public async Task Times_in_milliseconds_are_understood()
    {
        await using var emulator = await Emulator.StartAsync();

        var answer = await emulator.ExchangeAsync(
            emulator.Jwt(c =>
            {
                c["iat"] = (long)c["iat"]! * 1000;
                c["exp"] = (long)c["exp"]! * 1000;
            }),
            null,
            null
        );

        Assert.Equal(HttpStatusCode.OK, answer.Status);
    }

    [Fact]
    public async Task A_JWT_is_good_for_an_hour_but_for_a_minute_where_that_is_set()
    {
        var clock = Emulator.NewClock();
        await using var lenient = await Emulator.StartAsync(clock: clock);
        await using var strict = await Emulator.StartAsync(s => s.StrictJwtAge = true, clock);
        var forLenient = lenient.Jwt(c => c["exp"] = (long)c["iat"]! + 100_000);
        var forStrict = strict.Jwt();

        clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(HttpStatusCode.OK, (await lenient.ExchangeAsync(forLenient, null, null)).Status);
        Assert.Equal("394302", (string?)(await strict.ExchangeAsync(forStrict, null, null)).Json["login_failure_details"]!["errorCode"]);
        clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal("394303", (string?)(await lenient.ExchangeAsync(forLenient, null, null)).Json["login_failure_details"]!["errorCode"]);
    }

    [Fact]
    public async Task A_key_that_appears_while_the_emulator_runs_is_found()
    {
        await using var emulator = await Emulator.StartAsync();
        using var late = RSA.Create(2048);
        string Jwt() =>
            emulator.Jwt(
                c =>
                {
                    c["iss"] = $"{Emulator.Account}.LATE.{Emulator.FingerprintOf(late)}";
                    c["sub"] = $"{Emulator.Account}.LATE";
                },
                late
            );
        File.Delete(Path.Combine(emulator.KeysDirectory, Emulator.User + ".pub"));
        Assert.Equal(HttpStatusCode.Unauthorized, (await emulator.ExchangeAsync(Jwt(), null, null)).Status);

        // As DESC USER and many tutorials have it: the body without the PEM lines.
        await File.WriteAllTextAsync(
            Path.Combine(emulator.KeysDirectory, "late.pem"),
            Convert.ToBase64String(late.ExportSubjectPublicKeyInfo())
        );

        Assert.Equal(HttpStatusCode.OK, (await emulator.ExchangeAsync(Jwt(), null, null)).Status);
    }

    [Fact]
    public async Task A_user_may_have_two_keys_and_the_default_user_takes_any_key()
    {
        await using var emulator = await Emulator.StartAsync(s => s.User = "ANYBODY");
        using var second = RSA.Create(2048);
        await File.WriteAllTextAsync(Path.Combine(emulator.KeysDirectory, "pi_user_2.pub"), second.ExportSubjectPublicKeyInfoPem());
        string Jwt(RSA key, string user) =>
            emulator.Jwt(
                c =>
                {
                    c["iss"] = $"{Emulator.Account}.{user}.{Emulator.FingerprintOf(key)}";
                    c["sub"] = $"{Emulator.Account}.{user}";
                },
                key
            );

        Assert.Equal(HttpStatusCode.OK, (await emulator.ExchangeAsync(Jwt(second, Emulator.User), null, null)).Status);
        Assert.Equal(HttpStatusCode.OK, (await emulator.ExchangeAsync(Jwt(emulator.Key, Emulator.User), null, null)).Status);
        Assert.Equal(HttpStatusCode.OK, (await emulator.ExchangeAsync(Jwt(second, "ANYBODY"), null, null)).Status);
    }

    [Theory]
    [InlineData("LOCAL_DEMO", true)]
    [InlineData("ANOTHER", false)]
    public async Task Underscore_and_dash_in_the_account_are_the_same(string account, bool good)
    {
        await using var emulator = await Emulator.StartAsync();

        var answer = await emulator.ExchangeAsync(
            emulator.Jwt(c =>
            {
                c["iss"] = $"{account}.{Emulator.User}.{emulator.Fingerprint}";
                c["sub"] = $"{account}.{Emulator.User}";
            }),
            null,
            null
        );

        Assert.Equal(good ? HttpStatusCode.OK : HttpStatusCode.Unauthorized, answer.Status);
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData("text/html", false)]
    [InlineData("*/*", true)]
    [InlineData("application/json", true)]
    [InlineData("text/plain, application/json;q=0.5", true)]
    public async Task A_request_without_an_Accept_for_JSON_is_refused_with_391902(string? accept, bool good)
    {
        await using var emulator = await Emulator.StartAsync();

        foreach (
            var (method, path) in new[] { (HttpMethod.Get, "/v2/streaming/hostname"), (HttpMethod.Put, $"{Emulator.Pipe}/channels/CH") }
        )
        {
            var answer = await emulator.SendAsync(
                method,
                path,
                null,
                r =>
                {
                    r.Headers.Remove("Accept");
                    if (accept is not null)
                        r.Headers.TryAddWithoutValidation("Accept", accept);
                }
            );

            Assert.Equal(good, answer.Status == HttpStatusCode.OK);
            if (!good)
                Assert.Equal("391902", answer.Code);
        }
    }

    [Fact]
    public async Task HTTPS_is_served_with_a_certificate_that_the_written_authority_vouches_for()
    {
        await using var emulator = await Emulator.StartAsync(s =>
        {
            s.HttpsPort = 0;
            s.IngestHost = "xy_12345.ingest.local";
        });
        using var authority = X509Certificate2.CreateFromPem(
            await File.ReadAllTextAsync(Path.Combine(emulator.DataDirectory, "tls", "ca.pem"))
        );
        var port = emulator.Base("https").Port;

        foreach (var name in new[] { "localhost", "snowflake", "xy-12345.ingest.local", "local-demo.snowflakecomputing.com" })
        {
            using var client = new HttpClient(
                new SocketsHttpHandler
                {
                    // Every name leads to the emulator, as a hosts file would do it.
                    ConnectCallback = async (_, cancel) =>
                    {
                        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                        await socket.ConnectAsync("127.0.0.1", port, cancel);
                        return new NetworkStream(socket, ownsSocket: true);
                    },
                    SslOptions =
                    {
                        CertificateChainPolicy = new X509ChainPolicy
                        {
                            TrustMode = X509ChainTrustMode.CustomRootTrust,
                            RevocationMode = X509RevocationMode.NoCheck,
                            CustomTrustStore = { authority },
                        },
                    },
                }
            );

            Assert.Equal("ok\n", await client.GetStringAsync(new Uri($"https://{name}/healthz")));
        }
    }
}
