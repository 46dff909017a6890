using System.Collections.Concurrent;

namespace ThermalStreaming.Console;

/// <summary>All replicas that were seen, including recently vanished ones. Thread-safe.</summary>
sealed class ReplicaBook(TimeProvider clock)
{
    /// <summary>Two missed answers, plus a little: one slow answer of a busy Pi is not an outage.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2.5);

    /// <summary>How long a vanished replica stays on the page, unless another took its place.</summary>
    public static readonly TimeSpan Remembered = TimeSpan.FromMinutes(15);

    readonly ConcurrentDictionary<string, Replica> replicas = new(StringComparer.Ordinal);

    /// <summary>All replicas, by service and name.</summary>
    public IReadOnlyList<Replica> All =>
        [
            .. replicas
                .Values.ToArray()
                .OrderBy(replica => replica.Service, StringComparer.Ordinal)
                .ThenBy(replica => replica.Name, StringComparer.Ordinal),
        ];

    public Replica? Find(string service, string name) => replicas.GetValueOrDefault($"{service}/{name}");

    public ReplicaPresence PresenceOf(Replica replica) =>
        replica.GoneSince is not null ? ReplicaPresence.Gone
        : clock.GetUtcNow() - replica.LastAnswer > Patience ? ReplicaPresence.Silent
        : ReplicaPresence.Answering;

    /// <summary>Replaces the entry of this name.</summary>
    public void Put(Replica replica) => replicas[replica.Key] = replica;

    /// <summary>Removes a replica that has another name by now.</summary>
    public void Remove(Replica replica) => replicas.TryRemove(replica.Key, out _);

    /// <summary>Removes replicas that have been gone for long, or whose place another one has taken.</summary>
    public void Prune()
    {
        var now = clock.GetUtcNow();
        foreach (var service in All.GroupBy(replica => replica.Service))
        {
            var gone = service.Where(replica => replica.GoneSince is not null).OrderBy(replica => replica.LastAnswer).ToList();
            // Each newcomer replaces one: after an update, all containers have new names.
            var newcomers = service.Where(replica => replica is { GoneSince: null, Info: not null }).OrderBy(replica => replica.FirstSeen);
            foreach (var newcomer in newcomers)
            {
                if (gone.FindIndex(replica => replica.LastAnswer < newcomer.FirstSeen) is var index and >= 0)
                {
                    Remove(gone[index]);
                    gone.RemoveAt(index);
                }
            }
            foreach (var replica in gone.Where(replica => now - replica.GoneSince > Remembered))
                Remove(replica);
        }
    }
}
