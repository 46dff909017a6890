using System.Globalization;

namespace ThermalStreaming.Thermalctl;

/// <summary>
/// Waits until readings arrive in the stand-ins, or, with real accounts, until every service is ready. Then shows the figures and the next
/// steps.
/// </summary>
sealed class ArrivalWait(DockerEngine docker, RunningProject project, Narrator narrator, TimeProvider clock)
{
    // The tables that both roads end in.
    const string ThermalTable = "THERMAL_SENSOR_DATA";
    const string InverterTable = "INVERTER_DATA_RAW";

    static readonly TimeSpan standInsCeiling = TimeSpan.FromSeconds(90);
    static readonly TimeSpan deliveryCeiling = TimeSpan.FromSeconds(180);
    static readonly TimeSpan readinessCeiling = TimeSpan.FromSeconds(120);

    /// <summary>Waits and shows. <paramref name="elapsed"/> is how long <c>./up</c> has been running.</summary>
    /// <returns>The figures.</returns>
    /// <exception cref="FailureException">Readings do not arrive, or a service is not ready.</exception>
    public async Task<IReadOnlyList<Figure>> RunAsync(TimeSpan elapsed, CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        var wait = new Wait(project, narrator, clock);
        if (project.Settings.HasStandIns)
        {
            narrator.Step("Readings");
            var standIns = new StandIns(project);
            await wait.UntilAsync(
                "the stand-ins did not answer",
                standInsCeiling,
                async (replicas, stop) =>
                {
                    var isDone = await standIns.AnswerAsync(replicas, stop);
                    return new WaitStatus(isDone, isDone ? "the stand-ins answer" : "the stand-ins do not answer yet");
                },
                cancellationToken
            );
            await DeliveryAsync(wait, standIns, cancellationToken);
        }
        else
        {
            narrator.Step("Services");
            await wait.UntilAsync(
                "not every service became ready",
                readinessCeiling,
                (replicas, _) => Task.FromResult(Ready(replicas)),
                cancellationToken
            );
        }
        var took = elapsed + clock.GetElapsedTime(started);
        narrator.Step(string.Create(CultureInfo.InvariantCulture, $"Running, after {(long)took.TotalSeconds} s"));
        var figures = await Figures.ReadAsync(project, cancellationToken);
        Figures.WriteTable(figures, narrator);
        await Neighbours.WarnAsync(docker, project.Settings, narrator, cancellationToken);
        NextSteps.Show(project.Settings, HostView.OfContainer, narrator);
        return figures;
    }

    /// <summary>Waits for readings that arrive now, not those of an earlier run.</summary>
    async Task DeliveryAsync(Wait wait, StandIns standIns, CancellationToken cancellationToken)
    {
        var replicas = await project.ReplicasAsync(cancellationToken);
        var rowsBefore = await standIns.RowsAsync(replicas, cancellationToken) ?? new Dictionary<string, long>();
        var objectsBefore = await standIns.ObjectsAsync(replicas, cancellationToken) ?? 0;
        var inverters = new InverterRoad(project);
        var started = clock.GetTimestamp();
        await wait.UntilAsync(
            inverters.Absence is null ? "readings were not delivered on both roads" : "readings were not delivered",
            inverters.Absence is null ? deliveryCeiling + inverters.Linger : deliveryCeiling,
            async (now, stop) =>
            {
                // A stand-in that does not answer now has nothing new.
                var rows = await standIns.RowsAsync(now, stop) ?? rowsBefore;
                var objects = (await standIns.ObjectsAsync(now, stop) ?? objectsBefore) - objectsBefore;
                var (thermal, inverter) = (New(ThermalTable), New(InverterTable));
                if (objects <= 0 || inverter <= 0)
                    await inverters.LookAsync(now, clock.GetElapsedTime(started), stop);
                var late =
                    thermal <= 0 ? "snowpipe-forwarder"
                    : inverters.Absence is not null ? ""
                    : objects <= 0 ? "s3-forwarder"
                    : inverter <= 0 ? "snowflake"
                    : "";
                return new WaitStatus(
                    late.Length == 0,
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{thermal} new rows in {ThermalTable}, {objects} new objects in the bucket, {inverter} new rows in {InverterTable}"
                    ),
                    late
                );

                long New(string table) => rows.GetValueOrDefault(table) - rowsBefore.GetValueOrDefault(table);
            },
            cancellationToken
        );
        if (inverters.Absence is { } absence)
            narrator.Say(absence);
    }

    static WaitStatus Ready(IReadOnlyList<ServiceContainer> replicas)
    {
        var all = replicas.Where(replica => !ContainerCheck.Ends(replica.Service)).ToList();
        var late = all.Where(replica => replica.Health != "healthy").ToList();
        var progress = string.Create(CultureInfo.InvariantCulture, $"{all.Count - late.Count} of {all.Count} services are ready");
        var suspect = late.LastOrDefault(replica => replica.Service is not ("mosquitto" or "keeper"))?.Service ?? "";
        return new WaitStatus(all.Count > 0 && late.Count == 0, progress, suspect);
    }
}
