using System.Globalization;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Thermalctl;

/// <summary>
/// Whether to expect readings of inverters while <c>./up</c> waits. A healthy installation may have none: at night, after the end of a
/// recording, or without a forwarder for them. They may also wait long for a batch to fill. Not safe for concurrent use.
/// </summary>
sealed class InverterRoad
{
    const string Agent = "sensor-agent";
    const string Forwarder = "s3-forwarder";

    /// <summary>Do not wait for forwarders that take longer than this to fill a batch.</summary>
    static readonly TimeSpan longestLinger = TimeSpan.FromMinutes(2);

    /// <summary>The agent's usual interval for inverters if the settings do not say.</summary>
    static readonly TimeSpan usualInterval = TimeSpan.FromSeconds(20);

    /// <summary>Allowance in addition to that interval.</summary>
    static readonly TimeSpan margin = TimeSpan.FromSeconds(10);

    static readonly TimeSpan longestIdle = TimeSpan.FromSeconds(120);

    readonly RunningProject project;
    readonly TimeSpan idleAfter;
    TimeSpan? firstSeen;
    long? takenBefore;
    bool isTaken;

    public InverterRoad(RunningProject project)
    {
        this.project = project;
        var settings = project.Settings;
        var linger = settings.Value("services", Forwarder, "environment", "S3_BATCH_LINGER") ?? "";
        Linger = Settings.TryParseDuration(linger, out var time) ? time : TimeSpan.Zero;
        var interval = settings.Value("services", Agent, "environment", "INVERTER_INTERVAL_SECONDS") ?? "";
        idleAfter = margin + (Settings.TryParseDuration(interval, out var between) ? between : usualInterval);
        idleAfter = idleAfter < longestIdle ? idleAfter : longestIdle;
        Absence =
            !settings.Has(Forwarder) || settings.ScaleOf(Forwarder) == 0
                ? "no s3-forwarder runs (S3_FORWARDERS=0), so ./up does not wait for inverter readings"
            : HasNoInverters(settings) ? "no inverters are read (INVERTERS_NUM=0), so ./up does not wait for their readings"
            : Linger > longestLinger
                ? $"inverter readings wait {linger} for a fuller batch (S3_BATCH_LINGER): the first object comes after that; see ./check"
            : null;
    }

    /// <summary>Why nothing is expected now, for a person; null if something is.</summary>
    public string? Absence { get; private set; }

    /// <summary>How long a reading waits in the forwarder for others.</summary>
    public TimeSpan Linger { get; }

    /// <summary>Checks whether the agent takes readings of inverters. An agent that does not say counts as taking them.</summary>
    /// <param name="replicas">The current containers.</param>
    /// <param name="waited">How long <c>./up</c> has waited.</param>
    /// <param name="cancellationToken">Ends the calls.</param>
    public async Task LookAsync(IReadOnlyList<ServiceContainer> replicas, TimeSpan waited, CancellationToken cancellationToken)
    {
        if (Absence is not null || isTaken)
            return;
        var status = await project.StatusAsync(replicas, Agent, cancellationToken);
        if (Figures.Sum(status, "inverter_readings_taken") is not { } taken)
            return;
        // Since the first look: the count may include the day before. A restarted agent counts from 0.
        isTaken = taken > (takenBefore ?? taken) || taken < takenBefore;
        takenBefore = taken;
        firstSeen ??= waited;
        var idle = waited - firstSeen.Value;
        if (isTaken || idle < idleAfter)
            return;
        // If something is wrong, that may be the reason.
        var complaints = await project.ComplaintsAsync(replicas, cancellationToken);
        if (!complaints.Any(complaint => complaint.Service is Agent or Forwarder))
        {
            Absence = string.Create(
                CultureInfo.InvariantCulture,
                $"the sensor-agent has taken no inverter reading for {(long)idle.TotalSeconds} s, so ./up does not wait for one: it is "
                    + $"night (INVERTER_DAYLIGHT), or the recording has ended or pauses (INVERTER_SOURCE=replay)"
            );
        }
    }

    static bool HasNoInverters(ComposeProject settings) =>
        settings.Value("services", Agent, "environment", "INVERTERS_NUM") == "0"
        && !"replay".Equals(settings.Value("services", Agent, "environment", "INVERTER_SOURCE"), StringComparison.OrdinalIgnoreCase);
}
