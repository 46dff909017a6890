using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace ThermalStreaming.Thermalctl;

/// <summary>The machine's ports that the settings give to services: each must be a valid port, and free.</summary>
static class Ports
{
    static readonly (string Service, int Target, string Variable)[] all =
    [
        ("mosquitto", 1883, "MQTT_PORT"),
        ("snowflake", 8090, "EMULATOR_PORT"),
        ("snowflake", 8443, "EMULATOR_HTTPS_PORT"),
        ("localstack", 4566, "LOCALSTACK_PORT"),
        ("mosquitto", 8883, "MQTT_LAN_PORT"),
        ("console", 8088, "CONSOLE_PORT"),
    ];

    /// <exception cref="FailureException">A port is not valid, or another program has it.</exception>
    public static async Task CheckAsync(DockerEngine docker, ComposeProject project, CancellationToken cancellationToken)
    {
        var running = (await docker.ContainersAsync(project.Name, cancellationToken)).Where(container => container.IsRunning).ToList();
        foreach (var (service, target, variable) in all)
        {
            if (project.HostPort(service, target) is not { } written)
                continue;
            if (!int.TryParse(written, CultureInfo.InvariantCulture, out var port) || port is < 1 or > 65535)
            {
                throw new FailureException(
                    $"{variable} is '{written}'",
                    "A port is a number from 1 to 65535",
                    $"correct it in .env, for example {variable}={target}"
                );
            }
            // A running service has its port already; Docker reports a problem with the port of its next start.
            if (running.Exists(container => container.Service == service) || !await IsTakenAsync(port, cancellationToken))
                continue;
            var owner = await docker.PublisherAsync(port, cancellationToken) is { } container
                ? $"the container {container.Name}"
                : $"another program (sudo ss -ltnp 'sport = :{port}' names it)";
            var other = port < 60000 ? port + 10000 : port - 10000;
            throw new FailureException(
                $"port {port} is in use",
                $"{owner} has it, and {service} needs it",
                $"stop it, or write another number into .env, for example {variable}={other}"
            );
        }
    }

    static async Task<bool> IsTakenAsync(int port, CancellationToken cancellationToken)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
