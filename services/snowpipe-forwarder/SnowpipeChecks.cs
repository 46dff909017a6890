using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Hosting;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>The steps of <c>check</c> between this machine and a row in the table. They share their results and run in order.</summary>
sealed class SnowpipeChecks(SnowpipeOptions options, SnowpipeClient client, TimeProvider clock)
{
    const string Address = "account address",
        Tls = "TLS",
        Reach = "account answers",
        SignIn = "sign-in",
        Host = "ingest host",
        Pipe = "pipe",
        Channel = "channel";

    readonly ChannelSession probe = new($"{options.ChannelPrefix}_CHECK_{Guid.NewGuid():N}");
    OpenedChannel? opened;

    public IEnumerable<CheckStep> Steps()
    {
        if (options.UsesPat)
            yield return new(
                "access token",
                _ => Task.FromResult(CheckResult.Ok($"{options.Pat?.Length} characters; Snowflake judges it below")),
                "configuration"
            );
        else
            yield return new(
                "private key",
                _ => Task.FromResult(CheckResult.Ok($"{options.KeyFile}: RSA {options.Key!.Bits}, fingerprint {options.Key.Fingerprint}")),
                "configuration"
            );
        yield return new(Address, cancellationToken => ResolveAsync(options.Url, cancellationToken), "configuration");
        if (options.Url.Scheme == Uri.UriSchemeHttps)
            yield return new(Tls, cancellationToken => ConnectAsync(options.Url, cancellationToken), Address);
        yield return new(Reach, CheckClockAsync, options.Url.Scheme == Uri.UriSchemeHttps ? Tls : Address);
        if (!options.UsesPat)
            yield return new("JWT claims", _ => Task.FromResult(ShowClaims()), Reach);
        yield return new(
            Host,
            cancellationToken =>
                ExplainAsync(async () =>
                {
                    var host = await client.DiscoverAsync(cancellationToken);
                    await Dns.GetHostAddressesAsync(host.Host, cancellationToken);
                    return host.Authority;
                }),
            Reach
        );
        yield return new(
            SignIn,
            cancellationToken =>
                ExplainAsync(async () =>
                {
                    var token = await client.SignInAsync(cancellationToken);
                    return string.Create(
                        CultureInfo.InvariantCulture,
                        $"{options.Auth}, "
                            + $"{token.Type}{(token.Lifetime > TimeSpan.Zero ? $", valid for {token.Lifetime.TotalMinutes:0} min" : "")}"
                    );
                }),
            Host
        );
        yield return new(Pipe, cancellationToken => ExplainAsync(() => CheckPipeAsync(cancellationToken)), SignIn);
        yield return new(
            Channel,
            cancellationToken =>
                ExplainAsync(async () =>
                {
                    opened = await client.OpenAsync(probe, cancellationToken);
                    return opened.Status.IsValid
                        ? $"{probe.Name}: {opened.Status.Code}"
                        : throw new SnowflakeException(opened.Status.Error($"open channel {probe.Name}"));
                }),
            Pipe
        );
        if (options.Probe)
            yield return new("probe row", cancellationToken => ExplainAsync(() => SendProbeAsync(cancellationToken)), Channel);
        yield return new(
            "channel dropped",
            cancellationToken =>
                ExplainAsync(async () =>
                {
                    await client.DropAsync(probe, cancellationToken);
                    return probe.Name;
                }),
            Channel
        );
    }

    static async Task<CheckResult> ResolveAsync(Uri url, CancellationToken cancellationToken)
    {
        try
        {
            var addresses = await Dns.GetHostAddressesAsync(url.Host, cancellationToken);
            return CheckResult.Ok($"{url.Host} is {string.Join(", ", addresses.Take(3).Select(address => address.ToString()))}");
        }
        catch (SocketException e)
        {
            return CheckResult.Failed(
                $"{url.Host}: {e.Message}",
                "The account is misspelt, or this machine has no DNS.",
                "Correct SNOWFLAKE_ACCOUNT (ORGNAME-ACCOUNTNAME) or SNOWFLAKE_URL; try: getent hosts app.snowflake.com"
            );
        }
    }

    static async Task<CheckResult> ConnectAsync(Uri url, CancellationToken cancellationToken)
    {
        const string fix =
            "See who answers with: openssl s_client -connect {0}. The authority of a proxy, or of the local emulator, is trusted when "
            + "SSL_CERT_FILE names its certificate.";
        try
        {
            using var connection = new TcpClient();
            await connection.ConnectAsync(url.Host, url.Port, cancellationToken);
            await using var tls = new SslStream(connection.GetStream());
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = url.Host }, cancellationToken);
            using var certificate = X509CertificateLoader.LoadCertificate(tls.RemoteCertificate!.GetRawCertData());
            return CheckResult.Ok(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{tls.SslProtocol}, certificate of {certificate.GetNameInfo(X509NameType.SimpleName, true)}, valid to "
                        + $"{certificate.NotAfter.ToUniversalTime():yyyy-MM-dd}"
                )
            );
        }
        catch (Exception e) when (e is SocketException or IOException or System.Security.Authentication.AuthenticationException)
        {
            return CheckResult.Failed(
                $"{url.Authority}: {SnowflakeError.OneLine(e.Message)}",
                "A firewall or a proxy stands in between, or the clock is so wrong that the certificate does not seem valid.",
                fix.Replace("{0}", url.Authority, StringComparison.Ordinal)
            );
        }
    }

    async Task<CheckResult> CheckClockAsync(CancellationToken cancellationToken)
    {
        HttpStatusCode status;
        try
        {
            status = await client.PingAsync(cancellationToken);
        }
        catch (SnowflakeException e)
        {
            return Failed(e.Error);
        }
        if (client.ServerClock.Offset is not { } offset)
            return CheckResult.Warning(
                $"{(int)status}, without Date header",
                "The clock cannot be compared.",
                "Make sure that this machine's clock is right: timedatectl"
            );
        var detail = $"{(int)status}; this machine's clock is {ServerClock.Say(offset)} {(offset > TimeSpan.Zero ? "behind" : "ahead")}";
        return offset.Duration() < TimeSpan.FromSeconds(30)
            ? CheckResult.Ok(detail)
            : CheckResult.Warning(
                detail,
                "Signing in allows for it, but the readings carry this machine's time.",
                "timedatectl set-ntp true; a Pi has no clock battery and needs the network to know the time."
            );
    }

    CheckResult ShowClaims()
    {
        var jwt = KeyPairJwt.Create(options.Key!, options.Account!.Claim, options.User, client.ServerClock.UtcNow, options.Role);
        return CheckResult.Ok(
            string.Create(
                CultureInfo.InvariantCulture,
                $"iss {jwt.Issuer}, sub {jwt.Subject}{(options.Role.Length > 0 ? $", scp session:role:{options.Role}" : "")}, iat "
                    + $"{jwt.IssuedAt:HH:mm:ss}Z, exp {jwt.ExpiresAt:HH:mm:ss}Z"
            )
        );
    }

    async Task<string> CheckPipeAsync(CancellationToken cancellationToken)
    {
        try
        {
            await client.StatusAsync(probe, cancellationToken);
            return client.PipeName;
        }
        catch (SnowflakeException e) when (e.Error.Status == HttpStatusCode.NotFound && options.DefaultPipeTable is not null)
        {
            return $"{client.PipeName}: the default pipe of its table, made by the first open";
        }
    }

    async Task<string> SendProbeAsync(CancellationToken cancellationToken)
    {
        const string device = "snowpipe-check";
        var now = clock.GetUtcNow();
        var reading = new ThermalReading
        {
            Sequence = 1,
            ObservedAtUs = Instants.ToMicroseconds(now),
            Id = ByteString.CopyFrom(Guid.CreateVersion7(now).ToByteArray(bigEndian: true)),
        };
        var message = new ReadingBatch
        {
            DeviceId = device,
            BootId = Guid.NewGuid().ToString("N"),
            Thermal = { reading },
        };
        var payload = Payload.Decode(message.ToByteArray(), isJson: false, device, ReadingKind.Thermal, now);
        using var writer = new AppendWriter();
        var rows = writer.Write(
            [new BatchReading(0, payload, 0)],
            1,
            0,
            1,
            probe.Name,
            now,
            (_, reason) => throw new InvalidOperationException(reason)
        );
        var token = new OffsetToken("0000000000000000", 0);
        var sent = clock.GetTimestamp();
        await client.AppendAsync(
            probe,
            opened!.ContinuationToken,
            token,
            token,
            new PendingAppend(rows[0], client.ServerClock.UtcNow),
            cancellationToken
        );
        while (true)
        {
            var status = await client.StatusAsync(probe, cancellationToken);
            if (status is { RowErrors: > 0 })
                throw new SnowflakeException(
                    new(
                        "probe row",
                        HttpStatusCode.BadRequest,
                        "",
                        $"Snowflake refused the row: {SnowflakeError.OneLine(status.LastErrorMessage ?? "no reason given")}"
                    )
                );
            if (status?.CommittedToken == token.ToString())
                return string.Create(
                    CultureInfo.InvariantCulture,
                    $"committed after {clock.GetElapsedTime(sent).TotalSeconds:0.0} s; remove it with: DELETE FROM <table> WHERE device_id "
                        + $"= '{device}'"
                );
            await Task.Delay(TimeSpan.FromMilliseconds(500), clock, cancellationToken);
        }
    }

    async Task<CheckResult> ExplainAsync(Func<Task<string>> step)
    {
        try
        {
            return CheckResult.Ok(await step());
        }
        catch (SnowflakeException e)
        {
            return Failed(e.Error);
        }
        catch (SocketException e)
        {
            return CheckResult.Failed(
                e.Message,
                "The host that Snowflake names does not resolve here.",
                "With a private link, the ingest host needs DNS entries of its own; otherwise check this machine's DNS."
            );
        }
    }

    CheckResult Failed(SnowflakeError error)
    {
        var explanation = SnowflakeExplanations.Explain(error, options);
        return CheckResult.Failed(error.Describe(), explanation.Cause, explanation.Fix);
    }
}
