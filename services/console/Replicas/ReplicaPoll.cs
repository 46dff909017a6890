using Grpc.Core;
using ThermalStreaming.Control;

namespace ThermalStreaming.Console;

/// <summary>Asks one replica for its status once a second, until it is ended.</summary>
sealed class ReplicaPoll
{
    static readonly TimeSpan interval = TimeSpan.FromSeconds(1);
    static readonly TimeSpan deadline = TimeSpan.FromSeconds(2);

    readonly ReplicaBook book;
    readonly TimeProvider clock;
    readonly CancellationTokenSource stop;
    readonly RateWindow taken;
    Replica replica;
    Task running = Task.CompletedTask;

    ReplicaPoll(Target target, ControlClient client, ReplicaBook book, TimeProvider clock, CancellationToken stopping)
    {
        (this.book, this.clock) = (book, clock);
        stop = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        taken = new RateWindow(clock, TimeSpan.FromSeconds(30));
        var now = clock.GetUtcNow();
        replica = new Replica
        {
            Service = target.Service,
            Name = client.Address.Authority,
            Address = client.Address.Authority,
            Kind = target.Kind,
            Client = client,
            FirstSeen = now,
            LastAnswer = now,
        };
    }

    public static ReplicaPoll Start(Target target, ControlClient client, ReplicaBook book, TimeProvider clock, CancellationToken stopping)
    {
        var poll = new ReplicaPoll(target, client, book, clock, stopping);
        poll.running = poll.RunAsync();
        return poll;
    }

    /// <param name="isGone">Whether its address no longer exists; otherwise the console is stopping.</param>
    public async Task EndAsync(bool isGone)
    {
        await stop.CancelAsync();
        await running;
        if (isGone)
        {
            // Another address may have answered by the same name: a restarted container.
            if (replica.Info is not null && book.Find(replica.Service, replica.Name)?.Address == replica.Address)
                book.Put(replica with { GoneSince = clock.GetUtcNow() });
            else if (replica.Info is null)
                book.Remove(replica);
        }
        stop.Dispose();
    }

    async Task RunAsync()
    {
        book.Put(replica);
        try
        {
            while (!stop.IsCancellationRequested)
            {
                var began = clock.GetTimestamp();
                await AskAsync();
                if (interval - clock.GetElapsedTime(began) is var rest && rest > TimeSpan.Zero)
                    await Task.Delay(rest, clock, stop.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The poll is ending.
        }
    }

    async Task AskAsync()
    {
        var call = new CallOptions(deadline: clock.GetUtcNow().Add(deadline).UtcDateTime, cancellationToken: stop.Token);
        try
        {
            var answer =
                replica.Kind == ServiceKind.Agent
                    ? Answered(await replica.Client.Agent.GetStatusAsync(new GetAgentStatusRequest(), call))
                    : Answered(await replica.Client.Forwarder.GetStatusAsync(new GetForwarderStatusRequest(), call));
            if (answer.Name != replica.Name)
                book.Remove(replica);
            replica = answer;
        }
        catch (RpcException e) when (!stop.IsCancellationRequested)
        {
            var encryption = ConnectionProblem.Of(e, replica.Client.UsesTls);
            replica = replica with { Failure = encryption?.What ?? Reason(e), FailureFix = encryption?.Fix ?? "" };
        }
        catch (Exception e) when (e is RpcException or ObjectDisposedException)
        {
            // The poll is ending, or the address is gone and the client with it.
            return;
        }
        book.Put(replica);
    }

    Replica Answered(AgentStatus status) =>
        replica with
        {
            Name = NameOf(status.Info),
            LastAnswer = clock.GetUtcNow(),
            Failure = "",
            FailureFix = "",
            Agent = status,
            TakenPerSecond = taken.Add(status.ReadingsTaken),
        };

    Replica Answered(ForwarderStatus status) =>
        replica with
        {
            Name = NameOf(status.Info),
            LastAnswer = clock.GetUtcNow(),
            Failure = "",
            FailureFix = "",
            Forwarder = status,
        };

    string NameOf(ServiceInfo? info) => info is { Replica.Length: > 0 } ? info.Replica : replica.Address;

    static string Reason(RpcException e) =>
        e.StatusCode switch
        {
            StatusCode.DeadlineExceeded => $"no answer within {deadline.TotalSeconds:0} s",
            StatusCode.Unavailable => "the connection is refused or broken",
            StatusCode.Unimplemented => "it offers no control service: it is another version, or GRPC_PORT is 0",
            _ => $"{e.StatusCode}: {e.Status.Detail}",
        };
}
