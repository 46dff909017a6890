using System.Net;
using System.Net.Sockets;

namespace ThermalStreaming.Control;

/// <summary>
/// Finds the running replicas of a service by its name: Docker's DNS answers with an address for each. Keeps one client per replica as long
/// as the replica exists. Thread-safe.
/// </summary>
/// <param name="service">Name of the compose service, for example <c>snowpipe-forwarder</c>, or a host name or address.</param>
/// <param name="options">How to call them.</param>
public sealed class ReplicaFinder(string service, ControlOptions options) : IDisposable
{
    readonly SemaphoreSlim gate = new(1);
    readonly Dictionary<Uri, ControlClient> clients = [];

    /// <summary>Name of the service.</summary>
    public string Service { get; } = service;

    /// <summary>
    /// Looks up the replicas. Clients of replicas that are gone are disposed of, which ends their running calls with CANCELLED.
    /// </summary>
    /// <returns>A client for each replica, sorted by address; none if the name is not known: the service does not run.</returns>
    /// <exception cref="SocketException">The DNS server does not answer; the clients stay as they are.</exception>
    public async Task<IReadOnlyList<ControlClient>> FindAsync(CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken);
        try
        {
            var found = new HashSet<Uri>();
            foreach (var address in await ResolveAsync(cancellationToken))
                found.Add(
                    new UriBuilder(options.Tls is null ? Uri.UriSchemeHttp : Uri.UriSchemeHttps, address.ToString(), options.Port).Uri
                );
            foreach (var gone in clients.Keys.Where(address => !found.Contains(address)).ToList())
            {
                clients[gone].Dispose();
                clients.Remove(gone);
            }
            foreach (var address in found.Where(address => !clients.ContainsKey(address)))
                clients[address] = new ControlClient(address, options, Service);
            return [.. clients.Values.OrderBy(client => client.Address.Host, StringComparer.Ordinal)];
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Disposes of the clients.</summary>
    public void Dispose()
    {
        foreach (var client in clients.Values)
            client.Dispose();
        clients.Clear();
        gate.Dispose();
    }

    async Task<IPAddress[]> ResolveAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await Dns.GetHostAddressesAsync(Service, cancellationToken);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.HostNotFound or SocketError.NoData)
        {
            return [];
        }
    }
}
