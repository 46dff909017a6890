using System.Diagnostics.Metrics;

namespace ThermalStreaming.Hosting;

/// <summary>Shows how much space the file system of the data directory has.</summary>
public static class DataVolume
{
    /// <summary>Makes the instruments. Call it once. Figures that the file system does not give are absent.</summary>
    /// <param name="meter">Of the service.</param>
    /// <param name="directory">The data directory.</param>
    public static void Publish(Meter meter, string directory)
    {
        Gauge("thermal.data_volume.free", "Space on the data volume that this service may still use", drive => drive.AvailableFreeSpace);
        Gauge("thermal.data_volume.size", "Size of the data volume's file system", drive => drive.TotalSize);

        void Gauge(string name, string description, Func<DriveInfo, long> value) =>
            meter.CreateObservableGauge(name, () => Measure(value), "By", description);

        IEnumerable<Measurement<long>> Measure(Func<DriveInfo, long> value)
        {
            try
            {
                return [new(value(new DriveInfo(directory)))];
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return [];
            }
        }
    }
}
