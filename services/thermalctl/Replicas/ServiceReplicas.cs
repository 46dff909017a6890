using System.Net.Sockets;
using Grpc.Core;
using ThermalStreaming.Control;

namespace ThermalStreaming.Thermalctl;

/// <summary>Finds the replicas of one service and asks them. Not thread-safe.</summary>
/// <param name="endpoint">Where they are.</param>
/// <param name="options">How to call them.</param>
sealed class ServiceReplicas(ServiceEndpoint endpoint, ControlOptions options) : IDisposable
{
    readonly ReplicaFinder finder = new(endpoint.Host, options with { Port = endpoint.Port });
    IReadOnlyList<ControlClient> known = [];

    public ServiceEndpoint Endpoint => endpoint;

    /// <summary>Asks every replica for its status at once. One that does not answer in time has a row that says so.</summary>
    /// <param name="patience">Time limit for the DNS, and again for the answers.</param>
    /// <param name="cancellationToken">Ends the calls.</param>
    /// <returns>A row for each replica; if there is none, one row that says why.</returns>
    public async Task<IReadOnlyList<ReplicaStatus>> AskAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        var problem = await FindAsync(patience, cancellationToken);
        return known.Count == 0
            ? [new ReplicaStatus(endpoint, Address: "", Client: null, Problem: problem ?? NotFound)]
            : await Task.WhenAll(known.Select(client => AskAsync(client, patience, cancellationToken)));
    }

    public void Dispose() => finder.Dispose();

    CallProblem NotFound =>
        new(
            "is not running: no address is known for this name",
            $"docker compose ps -a {endpoint.Host}, then ./up; outside of the project's network name the replicas: --agent HOST, "
                + "--forwarder HOST"
        );

    /// <returns>Why no replica could be found; null if the DNS answered.</returns>
    async Task<CallProblem?> FindAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        using var ceiling = new CancellationTokenSource(patience, TimeProvider.System);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ceiling.Token, cancellationToken);
        try
        {
            known = await finder.FindAsync(both.Token);
            return null;
        }
        catch (Exception e) when (e is SocketException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // The replicas of the last answer may still be there.
            return new CallProblem(
                $"the DNS does not answer when asked for {endpoint.Host}",
                "docker compose ps; restart Docker if the services run; or name the replicas by address: --agent, --forwarder"
            );
        }
    }

    async Task<ReplicaStatus> AskAsync(ControlClient client, TimeSpan patience, CancellationToken cancellationToken)
    {
        var found = new ReplicaStatus(endpoint, client.Address.Authority, client);
        var call = new CallOptions(deadline: TimeProvider.System.GetUtcNow().UtcDateTime + patience, cancellationToken: cancellationToken);
        try
        {
            return endpoint.IsAgent
                ? found with
                {
                    Agent = await client.Agent.GetStatusAsync(new GetAgentStatusRequest(), call),
                }
                : found with
                {
                    Forwarder = await client.Forwarder.GetStatusAsync(new GetForwarderStatusRequest(), call),
                };
        }
        catch (RpcException e)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return found with { Problem = CallProblem.Of(e, patience, options.Token is not null, client) };
        }
    }
}
