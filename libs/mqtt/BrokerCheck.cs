using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Mqtt;

/// <summary>
/// The steps of <c>check</c> that concern the broker: name, port, TLS, login, topics. They connect without birth or will, and without
/// displacing the running service. On this project's broker, which makes the user name the client id, they use the user <c>{user}/check</c>
/// that it has for each user. On another broker they use the service's own user, under a client id of their own.
/// </summary>
public static class BrokerCheck
{
    /// <summary>Name of the step that must succeed before the broker can be used.</summary>
    public const string Login = "broker login";

    /// <param name="options">The options as the service will use them.</param>
    /// <param name="clock">Where time comes from.</param>
    /// <param name="publishTopic">A topic to publish an empty message to, or null. Choose a topic without subscribers that the same rule of
    /// the broker's ACL covers.</param>
    /// <param name="filters">Filters to subscribe to, or null. For a shared subscription only the filter is tried: a check must not take
    /// the group's messages.</param>
    public static IEnumerable<CheckStep> Steps(
        MqttOptions options,
        TimeProvider clock,
        string? publishTopic = null,
        IReadOnlyList<string>? filters = null
    )
    {
        List<string> reached = ["broker name", "broker port"];
        yield return new CheckStep("broker name", cancellationToken => LookUpAsync(options, cancellationToken));
        yield return new CheckStep("broker port", cancellationToken => ConnectAsync(options, cancellationToken), "broker name");
        if (options.Tls is not null)
        {
            yield return new CheckStep("broker TLS", cancellationToken => HandshakeAsync(options, cancellationToken), "broker port");
            reached.Add("broker TLS");
        }
        yield return new CheckStep(Login, cancellationToken => LogInAsync(options, clock, cancellationToken), [.. reached]);
        if (publishTopic is not null)
            yield return new CheckStep(
                "broker publish",
                cancellationToken => PublishAsync(options, clock, publishTopic, cancellationToken),
                Login
            );
        if (filters is { Count: > 0 })
            yield return new CheckStep(
                "broker subscribe",
                cancellationToken => SubscribeAsync(options, clock, filters, cancellationToken),
                Login
            );
    }

    static async Task<CheckResult> LookUpAsync(MqttOptions options, CancellationToken cancellationToken)
    {
        try
        {
            var addresses = await Dns.GetHostAddressesAsync(options.Host, cancellationToken);
            return CheckResult.Ok($"{options.Host} is {string.Join(", ", addresses.Select(address => address.ToString()))}");
        }
        catch (SocketException e)
        {
            return CheckResult.Failed(
                $"{options.Host}: {e.Message}",
                "The name is not known to this machine's DNS, or there is no network.",
                "Correct MQTT_HOST (in compose it is the service's name, mosquitto), or use the broker's address."
            );
        }
    }

    static async Task<CheckResult> ConnectAsync(MqttOptions options, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(options.ConnectTimeout);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(options.Host, options.Port, patience.Token);
            return CheckResult.Ok($"{options.Host}:{options.Port} accepts connections");
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return CheckResult.Failed(
                $"{options.Host}:{options.Port}: connection refused",
                "The broker does not run, or listens on another port.",
                "Start it (docker compose up -d mosquitto), or correct MQTT_HOST and MQTT_PORT."
            );
        }
        catch (SocketException e)
        {
            return CheckResult.Failed(
                $"{options.Host}:{options.Port}: {e.Message}",
                "The network between here and there is down or filtered.",
                "Check cable, Wi-Fi and firewall, then MQTT_HOST and MQTT_PORT."
            );
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return CheckResult.Failed(
                $"{options.Host}:{options.Port}: no answer within {options.ConnectTimeout.TotalSeconds:0.#} s",
                "A firewall drops the packets, or nothing has that address.",
                "Check MQTT_HOST, MQTT_PORT and the firewall between here and there."
            );
        }
    }

    static async Task<CheckResult> HandshakeAsync(MqttOptions options, CancellationToken cancellationToken)
    {
        try
        {
            using var transport = await Transport.OpenAsync(options, cancellationToken);
            return CheckResult.Ok($"the certificate of {options.Tls!.ServerName ?? options.Host} is trusted");
        }
        catch (MqttException e)
        {
            return CheckResult.Failed(
                e.Message,
                "The certificate is not trusted, not for this name, or not valid now; or the port does not speak TLS.",
                "Set MQTT_CA_FILE to the authority that signed the broker's certificate and MQTT_HOST to a name in it; compare the clocks."
            );
        }
    }

    static async Task<CheckResult> LogInAsync(MqttOptions options, TimeProvider clock, CancellationToken cancellationToken)
    {
        var who = UserOf(options) is { } user ? $"as user '{user}'" : "without a user name";
        return await WithClientAsync(
            options,
            clock,
            [],
            (_, state) =>
                Task.FromResult(
                    CheckResult.Ok(
                        $"logged in {who}; receive maximum {state.ServerReceiveMaximum}, keep-alive {state.KeepAlive.TotalSeconds:0} s"
                    )
                ),
            cancellationToken
        );
    }

    static Task<CheckResult> PublishAsync(MqttOptions options, TimeProvider clock, string topic, CancellationToken cancellationToken) =>
        WithClientAsync(
            options,
            clock,
            [],
            async (client, _) =>
            {
                try
                {
                    await client.PublishAsync(topic, ReadOnlyMemory<byte>.Empty, MqttQos.AtLeastOnce, cancellationToken: cancellationToken);
                    return CheckResult.Ok($"may publish to {topic}");
                }
                catch (MqttPublishRefusedException e)
                {
                    return CheckResult.Failed(
                        e.Message,
                        $"The broker does not let user '{UserOf(options) ?? "…"}' publish there: it may publish under another name, or the "
                            + "topic has another form than telemetry/v1/{device}/thermal, inverter or status.",
                        "Set DEVICE_ID to the name under which the device is enrolled (./up --devices lists them), or enroll it: ./up "
                            + "--enroll NAME. For the agent of this machine: ./up. On another broker, allow user "
                            + $"'{UserOf(options) ?? "…"}' to write "
                            + $"{topic}."
                    );
                }
            },
            cancellationToken
        );

    static Task<CheckResult> SubscribeAsync(
        MqttOptions options,
        TimeProvider clock,
        IReadOnlyList<string> filters,
        CancellationToken cancellationToken
    )
    {
        var plain = filters
            .Select(filter => filter.StartsWith("$share/", StringComparison.Ordinal) ? filter.Split('/', 3)[^1] : filter)
            .ToList();
        return WithClientAsync(
            options,
            clock,
            [.. plain.Select(filter => new MqttSubscription(filter, MqttQos.AtMostOnce))],
            (_, _) => Task.FromResult(CheckResult.Ok($"may subscribe to {string.Join(", ", plain)}")),
            cancellationToken
        );
    }

    static string? UserOf(MqttOptions options) =>
        options.UserName?.Replace(MqttOptions.ClientPlaceholder, options.ClientId, StringComparison.Ordinal);

    static async Task<CheckResult> WithClientAsync(
        MqttOptions options,
        TimeProvider clock,
        IReadOnlyList<MqttSubscription> subscriptions,
        Func<MqttClient, MqttConnectionState, Task<CheckResult>> use,
        CancellationToken cancellationToken
    )
    {
        if (UserOf(options) is not { } user)
            return (await TryAsync(options, clock, subscriptions, use, cancellationToken)).Result;
        var (result, reason) = await TryAsync(options with { UserName = $"{user}/check" }, clock, subscriptions, use, cancellationToken);
        return reason is MqttReasonCode.NotAuthorized or MqttReasonCode.BadUserNameOrPassword
            ? (await TryAsync(options with { UserName = user }, clock, subscriptions, use, cancellationToken)).Result
            : result;
    }

    /// <returns>Also the broker's reason if it refused the connection or a subscription.</returns>
    static async Task<(CheckResult Result, MqttReasonCode? Reason)> TryAsync(
        MqttOptions options,
        TimeProvider clock,
        IReadOnlyList<MqttSubscription> subscriptions,
        Func<MqttClient, MqttConnectionState, Task<CheckResult>> use,
        CancellationToken cancellationToken
    )
    {
        var known = new TaskCompletionSource<MqttConnectionState>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var client = new MqttClient(
            options with
            {
                ClientId = $"{options.ClientId}-check-{Environment.ProcessId}",
                CleanStart = true,
                SessionExpiry = TimeSpan.Zero,
                Birth = null,
                Will = null,
                Subscriptions = subscriptions,
            },
            clock,
            NullLogger.Instance
        );
        client.ConnectionChanged += state =>
        {
            if (state.IsReady || state.LastError is not null)
                known.TrySetResult(state);
        };
        using var stop = new CancellationTokenSource();
        var running = client.RunAsync(stop.Token);
        try
        {
            var state = await known.Task.WaitAsync(cancellationToken);
            return state.IsReady
                ? (await use(client, state), null)
                : (
                    CheckResult.Failed(
                        state.LastError!,
                        "The broker answers, but does not grant what this client asked for.",
                        MqttReasons.ConnectCure(state.LastReason ?? MqttReasonCode.UnspecifiedError, options.UserName)
                    ),
                    state.LastReason
                );
        }
        finally
        {
            await stop.CancelAsync();
            await running;
        }
    }
}
