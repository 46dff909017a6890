using System.CommandLine;
using Grpc.Core;
using Spectre.Console;
using ThermalStreaming.Control;

namespace ThermalStreaming.Thermalctl;

/// <summary>One run of a verb that asks the services. Not thread-safe.</summary>
sealed class OperatorRun(ParseResult parsed, Installation installation)
{
    /// <summary>Time limit of a call that only reads.</summary>
    public static readonly TimeSpan Usual = TimeSpan.FromSeconds(10);

    /// <summary>For people.</summary>
    public IAnsiConsole Console { get; } = Terminal.OfPerson(System.Console.Out);

    public Installation Installation => installation;

    public bool WantsJson => Get(OperatorOptions.Json);

    public T? Get<T>(Option<T> option) => parsed.GetValue(option);

    public T? Get<T>(Argument<T> argument) => parsed.GetValue(argument);

    /// <summary>The agents with their status.</summary>
    public async Task<IReadOnlyList<ReplicaStatus>> AgentsAsync(CancellationToken cancellationToken) =>
        await ChosenAsync(isAgent: true, cancellationToken);

    /// <summary>The forwarders with their status.</summary>
    public async Task<IReadOnlyList<ReplicaStatus>> ForwardersAsync(CancellationToken cancellationToken) =>
        await ChosenAsync(isAgent: false, cancellationToken);

    /// <summary>Calls all of them at once.</summary>
    /// <param name="replicas">Those that did not answer before are not called again: their problem is known already.</param>
    /// <param name="patience">How long each may take.</param>
    /// <param name="call">The call.</param>
    /// <param name="cancellationToken">Ends the calls.</param>
    public async Task<IReadOnlyList<CallOutcome<T>>> CallAsync<T>(
        IEnumerable<ReplicaStatus> replicas,
        TimeSpan patience,
        Func<ControlClient, CallOptions, AsyncUnaryCall<T>> call,
        CancellationToken cancellationToken
    )
        where T : class
    {
        return await Task.WhenAll(replicas.Select(OneAsync));

        async Task<CallOutcome<T>> OneAsync(ReplicaStatus replica)
        {
            if (replica.Client is not { } client || replica.Problem is not null)
                return new CallOutcome<T>(replica, null, replica.Problem);
            var deadline = TimeProvider.System.GetUtcNow().UtcDateTime + patience;
            try
            {
                using var running = call(client, new CallOptions(deadline: deadline, cancellationToken: cancellationToken));
                return new CallOutcome<T>(replica, await running.ResponseAsync, null);
            }
            catch (RpcException e)
            {
                cancellationToken.ThrowIfCancellationRequested();
                return new CallOutcome<T>(replica, null, CallProblem.Of(e, patience, installation.HasToken, client));
            }
        }
    }

    /// <exception cref="FailureException">No replica matches.</exception>
    async Task<IReadOnlyList<ReplicaStatus>> ChosenAsync(bool isAgent, CancellationToken cancellationToken)
    {
        var kind = isAgent ? "sensor-agent" : "forwarder";
        var services = installation.Services.Where(service => service.Endpoint.IsAgent == isAgent).ToList();
        if (services.Count == 0)
            throw new FailureException(
                $"no {kind} is named",
                "Only the services that --agent and --forwarder name are asked",
                $"add --{(isAgent ? "agent" : "forwarder")} HOST[:PORT]",
                OperatorExit.Usage
            );
        var found = await Task.WhenAll(services.Select(service => service.AskAsync(installation.Patience, cancellationToken)));
        var all = found.SelectMany(rows => rows.OrderBy(row => row.Replica, StringComparer.Ordinal)).ToList();
        var (wantedServices, wantedReplicas) = (Wanted(OperatorOptions.Services), Wanted(OperatorOptions.Replicas));
        var chosen = all.Where(row => wantedServices.Length == 0 || wantedServices.Contains(row.Service))
            .Where(row => wantedReplicas.Length == 0 || wantedReplicas.Contains(row.Replica) || wantedReplicas.Contains(row.Address))
            .ToList();
        return chosen.Count > 0
            ? chosen
            : throw new FailureException(
                "no such replica",
                $"--service and --replica match none of {string.Join(", ", all.Select(row => $"{row.Service} {row.Replica}"))}",
                "./thermalctl status shows their names",
                OperatorExit.Usage
            );
    }

    string[] Wanted(Option<string[]> option) => parsed.GetResult(option) is null ? [] : parsed.GetValue(option) ?? [];
}
