using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Spectre.Console;
using ThermalStreaming.Hosting;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SnowpipeForwarder.Tests;

public sealed class VerbTests : IDisposable
{
    readonly TempDirectory directory = new();
    readonly StringWriter output = new();
    readonly StringWriter errors = new();

    public void Dispose()
    {
        directory.Dispose();
        output.Dispose();
        errors.Dispose();
    }

    [Fact]
    public void Keygen_writes_a_key_that_only_its_owner_can_read_and_that_loads()
    {
        var path = directory.File("secrets/rsa_key.p8");

        var code = KeygenCommand.Run(path, 2048, false, null, false, "STREAMER", output, errors);

        Assert.Equal(ExitCodes.Ok, code);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, Mode(path));
        using var key = KeyPair.Load(path, null, out var problem);
        Assert.Equal("", problem);
        using var published = RSA.Create();
        published.ImportFromPem(File.ReadAllText(directory.File("secrets/rsa_key.pub")));
        Assert.Equal(KeyPair.FingerprintOf(published), key?.Fingerprint);
        Assert.Contains(key!.Fingerprint, output.ToString());
        Assert.Contains(
            $"ALTER USER STREAMER SET RSA_PUBLIC_KEY='{Convert.ToBase64String(published.ExportSubjectPublicKeyInfo())}';",
            output.ToString()
        );
        Assert.DoesNotContain("PRIVATE KEY-----", output.ToString());
    }

    [Fact]
    public void Keygen_never_overwrites()
    {
        var path = directory.File("rsa_key.p8");
        File.WriteAllText(path, "precious");

        var plain = KeygenCommand.Run(path, 2048, false, null, false, null, output, errors);
        var ifMissing = KeygenCommand.Run(path, 2048, false, null, true, null, output, TextWriter.Null);

        Assert.Equal(ExitCodes.Failed, plain);
        Assert.Equal(ExitCodes.Ok, ifMissing);
        Assert.Equal("precious", File.ReadAllText(path));
        Assert.Contains("is not overwritten", errors.ToString());
        Assert.Equal("", output.ToString());
    }

    [Fact]
    public void Keygen_encrypts_with_AES_256()
    {
        var (path, passphrase) = (directory.File("rsa_key.p8"), directory.File("passphrase"));
        File.WriteAllText(passphrase, "correct horse\n");

        var code = KeygenCommand.Run(path, 3072, true, passphrase, false, null, output, errors);

        Assert.Equal(ExitCodes.Ok, code);
        using var key = KeyPair.Load(path, "correct horse", out _);
        Assert.Equal(3072, key?.Bits);
        var pem = File.ReadAllText(path);
        var der = Convert.FromBase64String(string.Concat(pem.Split('\n').Where(line => !line.StartsWith('-'))));
        // OID 2.16.840.1.101.3.4.1.42, aes256-CBC.
        Assert.Contains("060960864801650304012A", Convert.ToHexString(der));
    }

    [Theory]
    [InlineData("short", "at least 8")]
    [InlineData(null, "cannot be read")]
    public void Keygen_refuses_a_passphrase_it_cannot_use(string? passphrase, string expected)
    {
        var file = directory.File("passphrase");
        if (passphrase is not null)
            File.WriteAllText(file, passphrase);

        var code = KeygenCommand.Run(directory.File("rsa_key.p8"), 2048, true, file, false, null, output, errors);

        Assert.Equal(ExitCodes.Failed, code);
        Assert.Contains(expected, errors.ToString());
        Assert.False(File.Exists(directory.File("rsa_key.p8")));
    }

    [Fact]
    public async Task Check_is_well_against_a_good_account_and_leaves_no_channel()
    {
        await using var fixture = await SinkFixture.StartAsync(("CHECK_PROBE", "true"));
        fixture.Server.Before = call =>
        {
            // A commit takes the length of one poll.
            if (call.Kind == "status" && !fixture.Server.Of("append").Any())
                return Task.CompletedTask;
            fixture.Server.Commit();
            return Task.CompletedTask;
        };

        var (code, steps) = await CheckAsync(fixture);

        Assert.Equal(ExitCodes.Ok, code);
        Assert.All(steps, step => Assert.True(step["outcome"]!.GetValue<string>() == "ok", step.ToJsonString()));
        Assert.Contains(
            steps,
            step =>
                step["name"]!.GetValue<string>() == "probe row"
                && step["detail"]!.GetValue<string>().Contains("committed", StringComparison.Ordinal)
        );
        Assert.Empty(fixture.Server.ChannelNames);
        Assert.Equal("snowpipe-check", Assert.Single(fixture.Server.Table)["device_id"]!.GetValue<string>());
    }

    [Fact]
    public async Task Check_sends_no_row_unless_asked()
    {
        await using var fixture = await SinkFixture.StartAsync();

        var (code, _) = await CheckAsync(fixture);

        Assert.Equal(ExitCodes.Ok, code);
        Assert.Empty(fixture.Server.Of("append"));
    }

    [Theory]
    [InlineData(
        "token",
        401,
        """{"code":"394304","message":"JWT token is invalid. [uuid]"}""",
        "sign-in",
        "another key pair",
        "ALTER USER"
    )]
    [InlineData(
        "status",
        404,
        """{"error_code":"ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED"}""",
        "pipe",
        "does not exist",
        "GRANT OPERATE ON PIPE DEMO.PUBLIC.THERMAL_PIPE TO ROLE STREAMING_ROLE;"
    )]
    [InlineData(
        "open",
        400,
        """{"code":"ERR_ROLE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED"}""",
        "channel",
        "not granted",
        "GRANT ROLE STREAMING_ROLE TO USER STREAMER;"
    )]
    [InlineData("hostname", 405, "", "ingest host", "not like Snowflake", "SNOWFLAKE_URL")]
    public async Task Check_names_cause_and_fix_of_the_step_that_fails_and_skips_what_needs_it(
        string kind,
        int status,
        string body,
        string name,
        string cause,
        string fix
    )
    {
        await using var fixture = await SinkFixture.StartAsync();
        fixture.Server.Next(kind, new Script(status, body), new Script(status, body));

        var (code, steps) = await CheckAsync(fixture);

        Assert.Equal(ExitCodes.Failed, code);
        var failed = Assert.Single(steps, step => step["outcome"]!.GetValue<string>() == "failed");
        Assert.Equal(name, failed["name"]!.GetValue<string>());
        Assert.Contains(cause, failed["cause"]!.GetValue<string>());
        Assert.Contains(fix, failed["fix"]!.GetValue<string>());
        Assert.Contains(steps, step => step["outcome"]!.GetValue<string>() == "skipped");
    }

    [Fact]
    public async Task Check_warns_of_a_wrong_clock_but_signs_in()
    {
        await using var fixture = await SinkFixture.StartAsync();
        fixture.Server.Now = () => fixture.Clock.GetUtcNow() + TimeSpan.FromHours(1);

        var (code, steps) = await CheckAsync(fixture);

        Assert.Equal(ExitCodes.Ok, code);
        var warning = Assert.Single(steps, step => step["outcome"]!.GetValue<string>() == "warning");
        Assert.Contains("60 minutes behind", warning["detail"]!.GetValue<string>());
        Assert.Contains("timedatectl", warning["fix"]!.GetValue<string>());
    }

    static async Task<(int Code, IReadOnlyList<JsonObject> Steps)> CheckAsync(SinkFixture fixture)
    {
        using var json = new MemoryStream();
        List<CheckStep> steps =
        [
            new("configuration", _ => Task.FromResult(CheckResult.Ok(""))),
            .. new SnowpipeChecks(fixture.Options(), fixture.Client, fixture.Clock).Steps(),
        ];
        var code = await CheckList.RunAsync(steps, json: true, AnsiConsole.Console, json, fixture.Clock, CancellationToken.None);
        return (code, [.. JsonNode.Parse(json.ToArray())!.AsArray().Select(node => node!.AsObject())]);
    }

    static UnixFileMode Mode(string path) => OperatingSystem.IsWindows() ? default : File.GetUnixFileMode(path);
}
