using System.Net.Sockets;
using ThermalStreaming.Control;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Console;

/// <summary>Finds the replicas of each service by name, and asks each once a second.</summary>
sealed class ReplicaWatch(ConsoleOptions options, ReplicaBook book, Health health, TimeProvider clock) : BackgroundService
{
    const int MostReplicas = 32;

    static readonly TimeSpan betweenLookUps = TimeSpan.FromSeconds(1);

    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        health.Well("console");
        return Task.WhenAll(options.Targets.Select(target => FollowAsync(target, stoppingToken)));
    }

    async Task FollowAsync(Target target, CancellationToken stop)
    {
        using var finder = new ReplicaFinder(target.Host, options.Calls with { Port = target.Port });
        var polls = new Dictionary<Uri, ReplicaPoll>();
        try
        {
            while (true)
            {
                if (await FindAsync(finder, stop) is { } clients)
                {
                    foreach (var client in clients.Where(client => !polls.ContainsKey(client.Address)))
                        polls[client.Address] = ReplicaPoll.Start(target, client, book, clock, stop);
                    foreach (var (address, poll) in polls.Where(poll => !clients.Any(client => client.Address == poll.Key)).ToList())
                    {
                        polls.Remove(address);
                        await poll.EndAsync(isGone: true);
                    }
                }
                await Task.Delay(betweenLookUps, clock, stop);
            }
        }
        catch (OperationCanceledException)
        {
            foreach (var poll in polls.Values)
                await poll.EndAsync(isGone: false);
        }
    }

    /// <returns>Null if this cannot be answered at present.</returns>
    static async Task<IReadOnlyList<ControlClient>?> FindAsync(ReplicaFinder finder, CancellationToken stop)
    {
        try
        {
            return [.. (await finder.FindAsync(stop)).Take(MostReplicas)];
        }
        catch (SocketException)
        {
            return null;
        }
    }
}
