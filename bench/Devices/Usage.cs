namespace ThermalStreaming.Bench;

/// <summary>What the processes have used up to a moment; the difference of two is what they used in between.</summary>
/// <param name="At">The moment, in seconds.</param>
/// <param name="Broker">Processor time, s.</param>
/// <param name="Forwarder">Processor time, s.</param>
/// <param name="Devices">Processor time of the simulated devices, s.</param>
/// <param name="Fsyncs">Of the journals.</param>
/// <param name="ForwarderWritten">Bytes that the forwarder sent to the disk.</param>
/// <param name="BrokerWritten">Bytes that the broker sent to the disk.</param>
/// <param name="Readings">Taken.</param>
/// <param name="Calls">Calls of the forwarder to Snowflake, by operation.</param>
/// <param name="Uncompressed">Bytes of accepted appends before compression.</param>
/// <param name="Wire">The same, compressed.</param>
/// <param name="Rows">In these appends.</param>
readonly record struct Usage(
    double At,
    double Broker,
    double Forwarder,
    double Devices,
    double Fsyncs,
    double ForwarderWritten,
    double BrokerWritten,
    double Readings,
    Calls Calls,
    double Uncompressed,
    double Wire,
    double Rows
)
{
    public static Usage operator -(Usage a, Usage b) =>
        new(
            a.At - b.At,
            a.Broker - b.Broker,
            a.Forwarder - b.Forwarder,
            a.Devices - b.Devices,
            a.Fsyncs - b.Fsyncs,
            a.ForwarderWritten - b.ForwarderWritten,
            a.BrokerWritten - b.BrokerWritten,
            a.Readings - b.Readings,
            a.Calls - b.Calls,
            a.Uncompressed - b.Uncompressed,
            a.Wire - b.Wire,
            a.Rows - b.Rows
        );
}
