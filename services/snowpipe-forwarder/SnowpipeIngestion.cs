namespace ThermalStreaming.SnowpipeForwarder;

/// <summary>Which of Snowpipe Streaming's two ways the rows take.</summary>
enum SnowpipeIngestion
{
    /// <summary>A named channel with offset tokens: every reading once, in order.</summary>
    Named,

    /// <summary>The elastic channel: a reading may arrive twice after a failure; order is not kept.</summary>
    Elastic,
}
