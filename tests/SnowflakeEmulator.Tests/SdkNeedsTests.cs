using System.Net;
using System.Text.Json.Nodes;

namespace ThermalStreaming.SnowflakeEmulator.Tests;

/// <summary>What Snowflake's own SDK needs besides channels: pipe info, telemetry, the elastic channel, token exchange.</summary>
public class SdkNeedsTests
{
    const string DefaultPipe = "/v2/streaming/databases/DEMO/schemas/DEMO/pipes/THERMAL_SENSOR_DATA-STREAMING";

    static Task<Answer> InfoAsync(
        Emulator emulator,
        string pipe = Emulator.Pipe,
        string body = """{"generate_new_token":true,"encryption_version":"AES-CTR-128.1"}"""
    ) =>
        emulator.SendAsync(
            HttpMethod.Post,
            pipe + ":pipe-info?requestId=6f0d7b0e-8a7e-4d1c-9c2f-000000000001&retryCount=0",
            Emulator.Text(body, "application/json")
        );

    [Fact]
    public async Task Pipe_info_has_every_field_in_the_type_that_the_SDK_decodes()
    {
        await using var emulator = await Emulator.StartAsync();

        var answer = await InfoAsync(emulator);

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        foreach (var name in new[] { "rowset_stage_location", "durable_stage_location" })
        {
            var location = answer.Json[name]!;
            Assert.Equal("S3", (string)location["location_type"]!);
            Assert.EndsWith("/", (string)location["location"]!, StringComparison.Ordinal);
            Assert.NotEmpty((string)location["region"]!);
            Assert.Equal(emulator.Client.BaseAddress!.Authority, (string)location["storage_endpoint"]!);
            foreach (var key in new[] { "AWS_KEY_ID", "AWS_SECRET_KEY", "AWS_TOKEN" })
                Assert.NotEmpty((string)location["creds"]![key]!);
            Assert.InRange(
                (ulong)location["expiry_time_ms"]!,
                (ulong)TimeProvider.System.GetUtcNow().AddMinutes(30).ToUnixTimeMilliseconds(),
                (ulong)TimeProvider.System.GetUtcNow().AddHours(2).ToUnixTimeMilliseconds()
            );
            Assert.False((bool)location["use_s3_regional_url"]!);
        }
        Assert.NotEqual(
            (string)answer.Json["rowset_stage_location"]!["location"]!,
            (string)answer.Json["durable_stage_location"]!["location"]!
        );
        var encryption = answer.Json["encryption_info"]!;
        Assert.Equal(32, Convert.FromBase64String((string)encryption["pipe_key"]!).Length);
        Assert.NotEmpty((string)encryption["pipe_key_id"]!);
        Assert.NotEmpty((string)encryption["diversifier"]!);

        // The key stays, over restarts too; the folder is another each time, because a client numbers its files from 0.
        await emulator.RestartAsync();
        var again = await InfoAsync(emulator);
        Assert.Equal(encryption.ToJsonString(), again.Json["encryption_info"]!.ToJsonString());
        Assert.NotEqual(
            (string)answer.Json["rowset_stage_location"]!["location"]!,
            (string)again.Json["rowset_stage_location"]!["location"]!
        );
        // Each pipe has its own.
        Assert.NotEqual(
            (string)encryption["pipe_key"]!,
            (string)(await InfoAsync(emulator, DefaultPipe)).Json["encryption_info"]!["pipe_key"]!
        );
    }

    [Fact]
    public async Task Pipe_info_makes_the_default_pipe_exist_with_its_elastic_channel()
    {
        await using var emulator = await Emulator.StartAsync();
        Assert.Equal(HttpStatusCode.NotFound, (await emulator.BulkStatusAsync(DefaultPipe, "ELASTIC")).Status);

        await InfoAsync(emulator, DefaultPipe);

        await emulator.RestartAsync();
        var status = (await emulator.BulkStatusAsync(DefaultPipe, "ELASTIC", "unknown")).Json["channel_statuses"]!;
        Assert.Equal("ELASTIC", Assert.Single((JsonObject)status).Key);
        Assert.Equal("SUCCESS", (string)status["ELASTIC"]!["channel_status_code"]!);
    }

    [Fact]
    public async Task The_elastic_channel_is_in_every_status_that_asks_for_it()
    {
        await using var emulator = await Emulator.StartAsync();
        await emulator.OpenAsync();

        var statuses = await emulator.StatusesAsync("CH", "ELASTIC", "elastic", "unknown");

        Assert.Equal(["CH", "ELASTIC"], statuses.Select(s => s.Key));
    }

    [Theory]
    [InlineData("""{"encryption_version":"AES-GCM"}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"encryption_version":1}""", HttpStatusCode.BadRequest)]
    [InlineData("[]", HttpStatusCode.BadRequest)]
    [InlineData("{", HttpStatusCode.BadRequest)]
    [InlineData("", HttpStatusCode.OK)]
    [InlineData("""{"generate_new_token":true}""", HttpStatusCode.OK)]
    public async Task Pipe_info_judges_its_request(string body, HttpStatusCode expected)
    {
        await using var emulator = await Emulator.StartAsync();

        Assert.Equal(expected, (await InfoAsync(emulator, body: body)).Status);
    }

    [Fact]
    public async Task Pipe_info_is_for_those_who_sign_in_and_for_pipes_that_exist()
    {
        await using var emulator = await Emulator.StartAsync();

        Assert.Equal(HttpStatusCode.NotFound, (await InfoAsync(emulator, Emulator.Pipe + "X")).Status);
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            (await emulator.SendAsync(HttpMethod.Post, Emulator.Pipe + ":pipe-info", null, r => r.Headers.Remove("Authorization"))).Status
        );
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await emulator.GetAsync(Emulator.Pipe + ":pipe-info")).Status);
    }

    [Fact]
    public async Task Telemetry_is_taken()
    {
        await using var emulator = await Emulator.StartAsync();

        var answer = await emulator.SendAsync(
            HttpMethod.Post,
            "/telemetry/send/sessionless?requestId=1",
            Emulator.Text("""{"logs":[]}""", "application/json")
        );

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.True((bool)answer.Json["success"]!);
        Assert.Equal(["success", "code", "message", "data"], ((JsonObject)answer.Json).Select(p => p.Key));
        Assert.NotNull((string?)answer.Json["data"]);
    }

    [Fact]
    public async Task An_error_has_its_time_under_both_names()
    {
        await using var emulator = await Emulator.StartAsync();
        var open = await emulator.OpenAsync();
        Assert.Null(open.Json["channel_status"]!["last_error_timestamp_ms"]);
        var before = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        await emulator.AppendAsync("0_1", "1", "bad\n");

        var status = await emulator.StatusAsync();

        Assert.InRange((long)status["last_error_timestamp_ms"]!, before, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());
        Assert.Equal((long)status["last_error_timestamp"]!, (long)status["last_error_timestamp_ms"]!);
    }

    // ── Signing in ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    const string TokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange";
    const string JwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";

    static Task<Answer> ExchangeAsync(Emulator emulator, string bearer, params (string, string)[] form) =>
        emulator.SendAsync(
            HttpMethod.Post,
            "/oauth/token?requestId=1&retryCount=0",
            new FormUrlEncodedContent(form.ToDictionary(f => f.Item1, f => f.Item2)),
            r =>
            {
                r.Headers.Remove("Authorization");
                if (bearer.Length > 0)
                    r.Headers.TryAddWithoutValidation("Authorization", "Bearer " + bearer);
            }
        );

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_access_token_is_exchanged_for_a_scoped_token(bool inHeader)
    {
        await using var emulator = await Emulator.StartAsync();
        var form = new List<(string, string)>
        {
            ("grant_type", TokenExchange),
            ("scope", "127.0.0.1"),
            ("subject_token_type", "programmatic_access_token"),
        };
        if (!inHeader)
            form.Add(("subject_token", Emulator.Pat));

        var answer = await ExchangeAsync(emulator, inHeader ? Emulator.Pat : "", [.. form]);

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal("THERMAL_STREAMING_USER", Emulator.ClaimsOf(answer.Body).GetProperty("sub").GetString());
        Assert.Equal(HttpStatusCode.OK, (await emulator.OpenWithAsync(answer.Body)).Status);
    }

    [Fact]
    public async Task A_grant_that_does_not_fit_its_token_is_refused()
    {
        await using var emulator = await Emulator.StartAsync();
        (string, string) exchange = ("grant_type", TokenExchange),
            type = ("subject_token_type", "programmatic_access_token");

        Assert.Equal(HttpStatusCode.Unauthorized, (await ExchangeAsync(emulator, "wrong", exchange, type)).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await ExchangeAsync(emulator, Emulator.Pat, exchange)).Status);
        Assert.Equal("invalid_grant", (string?)(await ExchangeAsync(emulator, Emulator.Pat, ("grant_type", JwtBearer))).Json["error"]);
        Assert.Equal("invalid_grant", (string?)(await ExchangeAsync(emulator, emulator.Jwt(), exchange, type)).Json["error"]);
        Assert.Equal(
            "unsupported_grant_type",
            (string?)(await ExchangeAsync(emulator, Emulator.Pat, ("grant_type", "password"))).Json["error"]
        );
    }

    [Theory]
    [InlineData("session:role:PUBLIC", HttpStatusCode.NotFound)]
    [InlineData("session:role:MY_ROLE", HttpStatusCode.OK)]
    public async Task The_role_is_that_of_the_scp_claim_and_times_may_be_milliseconds(string scope, HttpStatusCode expected)
    {
        await using var emulator = await Emulator.StartAsync();
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        var jwt = emulator.Jwt(c =>
        {
            c["iat"] = now;
            c["exp"] = now + (59 * 60_000);
            c["scp"] = scope;
        });

        var token = await ExchangeAsync(emulator, jwt, ("grant_type", JwtBearer), ("scope", "127.0.0.1"));

        Assert.Equal(expected, (await emulator.OpenWithAsync(token.Body)).Status);
        Assert.Equal(expected, (await emulator.OpenWithAsync(jwt)).Status);
    }

    [Theory]
    [InlineData(-3_700_000, 3_600_000)]
    [InlineData(-10_000, -1)]
    [InlineData(120_000, 3_600_000)]
    public async Task Milliseconds_are_judged_like_seconds(int issued, int expires)
    {
        await using var emulator = await Emulator.StartAsync();
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();

        var answer = await emulator.OpenWithAsync(
            emulator.Jwt(c =>
            {
                c["iat"] = now + issued;
                c["exp"] = now + expires;
            })
        );

        Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
    }
}
