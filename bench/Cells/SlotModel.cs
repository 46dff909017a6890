using Microsoft.Extensions.Configuration;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Hosting;
using ThermalStreaming.SnowpipeForwarder;

namespace ThermalStreaming.Bench;

/// <summary>
/// The rules by which a slot of the snowpipe-forwarder calls Snowflake: where it cuts batches, how often it asks for the status, what
/// it may send. They are the product's own, of its settings.
/// </summary>
/// <param name="Batches">Where a batch is cut.</param>
/// <param name="EstimatedRowBytes">What the forwarder takes a row for when it cuts by bytes.</param>
/// <param name="RequestsPerSecond">Appends that a channel may take.</param>
/// <param name="BytesPerSecond">Bytes before compression that a channel may take.</param>
sealed record SlotModel(BatchLimits Batches, long EstimatedRowBytes, int RequestsPerSecond, double BytesPerSecond)
{
    /// <summary>A call and its answer: a round trip to another continent's region.</summary>
    public TimeSpan RoundTrip { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Exchanges for a token, which the slots of a process share, a second.</summary>
    public static double TokensPerSecond => 1 / SnowflakeTokens.AssumedLifetime.TotalSeconds;

    /// <summary>By the settings' defaults.</summary>
    public static SlotModel Shipped()
    {
        // What a default does not say (account, key) is left out: nothing is sent.
        var options = SnowpipeOptions.Load(new Settings(new ConfigurationBuilder().Build()));
        byte[] protobuf = [1];
        return new(
            new BatchLimits(options.MaxReadings, options.MaxBytes, options.Linger),
            JournalPayload.EstimateRowBytes(protobuf, 1, 1),
            options.RequestsPerSecond,
            options.BytesPerSecond
        );
    }

    /// <summary>Most readings a second that a channel takes.</summary>
    /// <param name="rowBytes">Bytes of a row before compression.</param>
    public double MostReadings(double rowBytes)
    {
        var batch = Math.Min(Batches.MaxReadings, Batches.MaxBytes / EstimatedRowBytes);
        return Math.Min(RequestsPerSecond / RateLimit.Window.TotalSeconds * batch, BytesPerSecond / rowBytes);
    }

    /// <summary>Calls a second of one slot, by <see cref="SlotSimulation"/> over ten minutes, or 20,000 readings if that is longer.</summary>
    /// <param name="readingsPerSecond">That arrive.</param>
    /// <param name="rowBytes">Bytes of a row before compression.</param>
    /// <param name="commitDelay">From an append to its commit.</param>
    public Calls Rate(double readingsPerSecond, double rowBytes, TimeSpan commitDelay)
    {
        var slot = new SlotSimulation(this, readingsPerSecond, rowBytes, (commitDelay, commitDelay), new Random(1));
        slot.Run(TimeSpan.FromSeconds(Math.Max(600, 20_000 / readingsPerSecond)));
        return slot.PerSecond;
    }
}
