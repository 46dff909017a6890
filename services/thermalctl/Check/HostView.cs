using ThermalStreaming.Hosting;

namespace ThermalStreaming.Thermalctl;

/// <summary>The container's view of its host.</summary>
/// <param name="Mounts">The machine's table of file systems.</param>
/// <param name="Devices">The machine's /dev.</param>
/// <param name="OnEngineDisk">A file in Docker's directory on the machine. Docker puts each container's /etc/hostname there.</param>
/// <param name="IsClockSynchronised">Null if the kernel does not say.</param>
sealed record HostView(string Mounts, string Devices, string OnEngineDisk, Func<bool?> IsClockSynchronised)
{
    /// <summary>As <c>offline/project.sh</c> starts the container.</summary>
    public static HostView OfContainer { get; } = new("/host/mountinfo", "/host/dev", "/etc/hostname", new Kernel().IsClockSynchronised);

    /// <summary>Free space on Docker's disk, in MiB, for users who are not root.</summary>
    public long FreeMebibytes => new DriveInfo(OnEngineDisk).AvailableFreeSpace >> 20;
}
