using System.Globalization;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Thermalctl;

/// <summary>The steps of <c>check</c> that examine the machine.</summary>
static class MachineCheck
{
    const long LittleSpace = 2048;
    const long NoSpace = 300;

    static readonly HashSet<string> losingOptions = ["nobarrier", "barrier=0", "data=writeback"];

    public static CheckResult Time(HostView host, TimeProvider clock)
    {
        var now = clock.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        return host.IsClockSynchronised() switch
        {
            true => CheckResult.Ok($"{now}, synchronised"),
            false => CheckResult.Warning(
                $"{now}, not synchronised",
                "A Pi has no clock battery. After its start readings wait for the right time (CLOCK_PATIENCE), then carry the machine's time "
                    + "and a flag; S3 refuses requests that are 15 minutes off.",
                "timedatectl set-ntp true (or: sudo apt-get install systemd-timesyncd), and let UDP port 123 out; "
                    + "containers and virtual machines may get the time from their host"
            ),
            null => CheckResult.Warning(
                $"{now}; it is not known whether it is synchronised",
                "The kernel does not answer (adjtimex).",
                "timedatectl shows it"
            ),
        };
    }

    public static CheckResult Engine(EngineVersion version) =>
        version.IsSupported
            ? CheckResult.Ok($"Engine {version.Version}")
            : CheckResult.Failed($"Engine {version.Version}", "Engine 20.10 is the oldest that is known to work.", "upgrade Docker Engine");

    public static CheckResult Compose(string version) =>
        int.TryParse(version.TrimStart('v').Split('.')[0], out var major) && major >= 2
            ? CheckResult.Ok(version)
            : CheckResult.Failed(version, "Compose 2 or later is needed.", "./up installs it");

    /// <summary>Checks the file system of Docker's directory <paramref name="root"/>.</summary>
    public static CheckResult Disk(HostView host, string root)
    {
        if (MountTable.Find(host.Mounts, root) is not { } mount)
            return new CheckResult(CheckOutcome.Skipped, $"{root} is not visible from here");
        if (mount.Options.Contains("ro"))
        {
            return CheckResult.Failed(
                $"{root} lies on {mount.Source}, which is read-only",
                "A file system turns read-only when its card or disk fails, or it was mounted read-only.",
                $"dmesg | grep -i -e mmc -e ext4; then replace the card, or: sudo mount -o remount,rw {mount.Target}"
            );
        }
        if (mount.Options.Where(losingOptions.Contains).Distinct().ToList() is { Count: > 0 } losing)
        {
            return CheckResult.Failed(
                $"{mount.Source} ({mount.Type}) is mounted with {string.Join(',', losing)}",
                "Data that was reported as stored may be missing after a power cut.",
                "take that option out of /etc/fstab, then restart"
            );
        }
        return mount.Type switch
        {
            "tmpfs" or "ramfs" => CheckResult.Failed(
                $"{root} lies in memory ({mount.Type})",
                "Readings that wait there are lost after a restart.",
                "give Docker a real disk: data-root in /etc/docker/daemon.json"
            ),
            "overlay" => CheckResult.Warning(
                $"{root} lies on an overlay",
                "On a Pi with the overlay file system on (raspi-config), readings that wait are lost after a restart. "
                    + "In a container this is usual.",
                "raspi-config, Performance Options, Overlay File System: off"
            ),
            _ when mount.Options.FirstOrDefault(option => option is "noatime" or "relatime") is { } times => CheckResult.Ok(
                $"{mount.Source}, {mount.Type}, {times}"
            ),
            _ => CheckResult.Warning(
                $"{mount.Source}, {mount.Type}, without noatime",
                "Each read of a file is a write to the card.",
                "add noatime to its line in /etc/fstab"
            ),
        };
    }

    /// <summary>Checks the space for volumes: <paramref name="free"/> MiB in Docker's directory <paramref name="root"/>.</summary>
    public static CheckResult FreeSpace(string root, long free)
    {
        const string Fix = "docker image prune; sudo apt-get clean; or a larger card";
        var found = string.Create(CultureInfo.InvariantCulture, $"{free} MiB at {root}");
        return free switch
        {
            < NoSpace => CheckResult.Failed(
                found,
                "Below JOURNAL_FREE_RESERVE the forwarders take no readings; the broker keeps as many as it can.",
                Fix
            ),
            < LittleSpace => CheckResult.Warning(found, "The journals bridge a shorter outage than JOURNAL_MAX_BYTES allows.", Fix),
            _ => CheckResult.Ok(found),
        };
    }

    public static CheckResult Sensors(HostView host, ComposeProject project)
    {
        if (SensorOffer.Replaced(project) is { } replaced)
            return CheckResult.Ok($"not needed: the environment is {replaced}");
        if (
            (project.Value("services", "sensor-agent", "environment", "I2C_BUSES") ?? "").Equals("none", StringComparison.OrdinalIgnoreCase)
        )
            return CheckResult.Ok("not needed: I2C_BUSES=none");
        var passedOn = project.Values("source", "services", "sensor-agent", "devices").Select(device => device.Split(':')[0]).ToHashSet();
        var buses = SensorOffer.Buses(host.Devices);
        if (
            Wanted(project).Where(number => !passedOn.Contains(Device(number)) || buses.All(bus => bus.Number != number)).ToList()
            is [var missing, ..]
        )
        {
            var isThere = buses.Any(bus => bus.Number == missing);
            return CheckResult.Failed(
                isThere
                    ? $"{Device(missing)} of I2C_BUSES is there, but the sensor-agent does not get it"
                    : $"there is no {Device(missing)}, which I2C_BUSES names",
                isThere ? "Each bus of I2C_BUSES has to be passed on to the container." : "The bus is switched off, or has another number.",
                isThere
                    ? $"pass {Device(missing)} on too (docs/hardware.md), or take {missing} out of I2C_BUSES in .env; then ./up --no-build"
                    : "ls /dev/i2c-* lists the buses: correct I2C_BUSES in .env, or switch the bus on, then ./up --no-build"
            );
        }
        if (buses is not [var (number, path), ..])
        {
            return CheckResult.Failed(
                "there is no /dev/i2c-*",
                "The bus is switched off, or this machine has none.",
                "sudo raspi-config nonint do_i2c 0, then restart"
            );
        }
        if (buses.FirstOrDefault(one => passedOn.Contains(Device(one.Number))) is { Path: not null } used)
            return CheckResult.Ok($"{Device(used.Number)}, group {SystemCalls.GroupOf(used.Path)}");
        return CheckResult.Failed(
            $"{Device(number)} is there, but the sensor-agent does not get it",
            "compose.hardware.yaml, which passes it on, is not in COMPOSE_FILE.",
            $"in .env: I2C_DEVICE={Device(number)}, I2C_GROUP={SystemCalls.GroupOf(path)}, and :compose.hardware.yaml at the end of "
                + "COMPOSE_FILE; then ./up --no-build (docs/hardware.md)"
        );
    }

    /// <summary>The buses that the settings name; none if any will do, or if the agent will refuse the setting.</summary>
    static IEnumerable<int> Wanted(ComposeProject project) =>
        (project.Value("services", "sensor-agent", "environment", "I2C_BUSES") ?? "")
            .Split(',', StringSplitOptions.TrimEntries)
            .Select(text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1)
            .Where(number => number >= 0);

    static string Device(int number) => string.Create(CultureInfo.InvariantCulture, $"/dev/i2c-{number}");
}
