using System.Globalization;
using System.Net.Sockets;

namespace ThermalStreaming.Hosting;

/// <summary>Reports a port that cannot be listened on as a setting to change, not as a crash.</summary>
public static class ListenProblem
{
    /// <summary>Ports below this one need root or CAP_NET_BIND_SERVICE.</summary>
    const int FirstFreePort = 1024;

    /// <summary>The problem with the setting that gives the port; null when the start failed for another reason.</summary>
    /// <param name="e">The exception of the start.</param>
    /// <param name="ports">The settings that give the ports, and their values. At least one.</param>
    public static string? Of(Exception e, params ReadOnlySpan<(string Key, int Port)> ports)
    {
        Exception? at = e;
        while (at is not (null or SocketException))
            at = at.InnerException;
        if (
            at
            is not SocketException
            {
                SocketErrorCode: SocketError.AddressAlreadyInUse or SocketError.AccessDenied or SocketError.AddressNotAvailable
            } reason
        )
            return null;
        var (key, port) = ports[0];
        foreach (var other in ports)
        {
            // Kestrel names the address, for example http://0.0.0.0:8080, unless permission is denied.
            if (
                reason.SocketErrorCode == SocketError.AccessDenied
                    ? other.Port < FirstFreePort
                    : e.Message.Contains($":{other.Port.ToString(CultureInfo.InvariantCulture)}:", StringComparison.Ordinal)
            )
            {
                (key, port) = other;
                break;
            }
        }
        return reason.SocketErrorCode switch
        {
            SocketError.AddressAlreadyInUse => $"{key} is {port}, and another program listens on that port ({reason.Message}); "
                + $"set {key} to a free port, or stop that program (ss -ltnp 'sport = :{port}' names it).",
            SocketError.AccessDenied => $"{key} is {port}, and user {Environment.UserName} may not listen on that port ({reason.Message}); "
                + $"set {key} to a port from {FirstFreePort} to 65535.",
            _ => $"{key} is {port}, and this machine has no address to listen on ({reason.Message}); check its network.",
        };
    }
}
