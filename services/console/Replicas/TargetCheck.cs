using System.Net;
using System.Net.Sockets;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Console;

/// <summary>The step of <c>check</c> that looks for the replicas of a service.</summary>
static class TargetCheck
{
    static readonly TimeSpan patience = TimeSpan.FromSeconds(2);

    public static async Task<CheckResult> RunAsync(Target target, CancellationToken cancellationToken)
    {
        IPAddress[] addresses;
        try
        {
            addresses = await Dns.GetHostAddressesAsync(target.Host, cancellationToken);
        }
        catch (SocketException e)
        {
            return CheckResult.Warning(
                $"{target.Host} has no address ({e.Message})",
                "No replica of it is running.",
                "Start it: docker compose up -d. If its scale in .env is 0, this is intended."
            );
        }
        var deaf = new List<string>();
        foreach (var address in addresses)
        {
            using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            timeout.CancelAfter(patience);
            try
            {
                await socket.ConnectAsync(address, target.Port, timeout.Token);
            }
            catch (Exception e)
                when (e is SocketException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                deaf.Add($"{address}");
            }
        }
        return deaf.Count == 0
            ? CheckResult.Ok($"{addresses.Length} of {addresses.Length} replicas take connections on port {target.Port}")
            : CheckResult.Failed(
                $"{string.Join(", ", deaf)} take no connection on port {target.Port}",
                "The service does not run there, or it uses another GRPC_PORT.",
                $"docker compose ps {target.Service}; docker compose logs {target.Service}"
            );
    }
}
