using System.Globalization;

namespace ThermalStreaming.Thermalctl;

/// <summary>
/// Waits for something to happen in the project, and stops as soon as waiting is pointless: a container ended although it should run.
/// Meanwhile shows the services' complaints: a service may be about to recover, or a person may see at once what is wrong.
/// </summary>
sealed class Wait(RunningProject project, Narrator narrator, TimeProvider clock)
{
    static readonly TimeSpan pause = TimeSpan.FromSeconds(1);
    static readonly TimeSpan betweenLines = TimeSpan.FromSeconds(10);
    static readonly TimeSpan beforeComplaints = TimeSpan.FromSeconds(20);
    const int ComplaintColumns = 400;

    /// <summary>Waits until <paramref name="look"/> reports that it is done, for up to <paramref name="ceiling"/>.</summary>
    /// <param name="what">The failure after that time, as a sentence without its end.</param>
    /// <param name="ceiling">How long it may take.</param>
    /// <param name="look">Looks once.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="FailureException">It did not happen, or cannot.</exception>
    public async Task UntilAsync(
        string what,
        TimeSpan ceiling,
        Func<IReadOnlyList<ServiceContainer>, CancellationToken, Task<WaitStatus>> look,
        CancellationToken cancellationToken
    )
    {
        var started = clock.GetTimestamp();
        var next = TimeSpan.Zero;
        var last = "";
        while (true)
        {
            var replicas = await project.ReplicasAsync(cancellationToken);
            var sight = await look(replicas, cancellationToken);
            var waited = clock.GetElapsedTime(started);
            if (sight.IsDone)
            {
                narrator.Say($"{sight.Progress}, after {Seconds(waited)} s");
                return;
            }
            await new EndedContainers(project, narrator).ThrowAsync(replicas, cancellationToken);
            if (waited > ceiling)
                throw await GiveUpAsync(what, ceiling, sight, replicas, cancellationToken);
            var isDue = waited >= next;
            narrator.Progress($"{sight.Progress}, {Seconds(waited)} s", isDue);
            if (isDue)
            {
                next = waited + betweenLines;
                var complaint = waited < beforeComplaints ? "" : await ComplaintAsync(sight, replicas, cancellationToken);
                // The same complaint with other figures is nothing new.
                if (complaint.Length > 0 && WithoutDigits(complaint) != WithoutDigits(last))
                    narrator.Warn(last = complaint);
            }
            await Task.Delay(pause, clock, cancellationToken);
        }
    }

    async Task<FailureException> GiveUpAsync(
        string what,
        TimeSpan ceiling,
        WaitStatus sight,
        IReadOnlyList<ServiceContainer> replicas,
        CancellationToken cancellationToken
    )
    {
        var reason = await ComplaintAsync(sight, replicas, cancellationToken);
        if (reason.Length == 0)
        {
            reason = replicas.FirstOrDefault(replica => replica.Health == "unhealthy") is { } unhealthy
                ? $"{unhealthy.Service} is unhealthy"
                : "No service reports a problem";
        }
        var late = sight.Late.Length > 0 ? sight.Late : "snowpipe-forwarder";
        return new FailureException(
            $"{what} within {Seconds(ceiling)} s ({sight.Progress})",
            reason,
            late == "snowflake"
                ? "docker compose logs snowflake localstack; ./up sql sql/classic/07_monitoring.sql"
                : $"docker compose exec {late} {late} check; docker compose logs {sight.Late}".TrimEnd()
        );
    }

    /// <summary>The complaint of the late service, or the first one there is; empty if there is none.</summary>
    async Task<string> ComplaintAsync(WaitStatus sight, IReadOnlyList<ServiceContainer> replicas, CancellationToken cancellationToken)
    {
        var all = await project.ComplaintsAsync(replicas, cancellationToken);
        var text = all.OrderBy(complaint => complaint.Service == sight.Late ? 0 : 1).Select(complaint => complaint.Text).FirstOrDefault("");
        return text.Length > ComplaintColumns ? text[..ComplaintColumns] : text;
    }

    static string WithoutDigits(string text) => string.Concat(text.Where(character => !char.IsAsciiDigit(character)));

    static string Seconds(TimeSpan time) => ((long)time.TotalSeconds).ToString(CultureInfo.InvariantCulture);
}
