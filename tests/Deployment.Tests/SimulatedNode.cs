using System.Diagnostics;
using k8s.Models;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Deployment.Tests;

/// <summary>
/// Runs the programs of a pod with their arguments, environment and mounts as the manifest has them. Directories are elsewhere, ports are
/// free ones, and there are no walls between containers: it shows that the programs find what they need, not that they see nothing else.
/// </summary>
sealed class SimulatedNode : IDisposable
{
    readonly Pod pod;
    readonly TempDirectory directory = new();
    readonly Dictionary<string, int> ports = new(StringComparer.Ordinal);
    readonly List<Process> running = [];

    public SimulatedNode(Pod pod)
    {
        this.pod = pod;
        foreach (var mount in pod.Containers.SelectMany(container => container.VolumeMounts))
            Directory.CreateDirectory(Place(mount));
        foreach (var volume in pod.Spec.Volumes.Where(volume => volume.ConfigMap is not null))
        {
            var map = Installations
                .All.SelectMany(row => Installations.Named(row.Data).Of<V1ConfigMap>())
                .First(map => map.Metadata.Name == volume.ConfigMap.Name);
            foreach (var (file, text) in map.Data)
                File.WriteAllText(directory.File($"{volume.Name}/{file}"), text);
        }
    }

    /// <summary>The directory of a volume, or a part of it.</summary>
    public string Volume(string path) => directory.File(path);

    /// <summary>The port that stands for one of the manifest.</summary>
    public int Port(string port)
    {
        if (!ports.TryGetValue(port, out var free))
            ports[port] = free = Ports.Take();
        return free;
    }

    /// <summary>How a container is started.</summary>
    /// <param name="container">The container.</param>
    /// <param name="more">Variables besides those of the manifest.</param>
    public ProcessStartInfo Start(V1Container container, params (string Key, string Value)[] more)
    {
        var start = Programs.Start(container.Image, (container.Args ?? []).Select(argument => argument));
        foreach (var (key, value) in ContainerEnvironment.Of(pod, container))
            start.Environment[key] = key is "HTTP_PORT" or "GRPC_PORT" or "CONSOLE_PORT" or "MQTT_PORT"
                ? $"{Port(value)}"
                : Here(container, value);
        foreach (var (key, value) in more)
            start.Environment[key] = value;
        return start;
    }

    /// <summary>Starts a container that runs as long as the pod.</summary>
    public Process Run(ProcessStartInfo start)
    {
        var process = Process.Start(start)!;
        running.Add(process);
        return process;
    }

    /// <summary>Where a path inside the container is.</summary>
    public string Here(V1Container container, string path)
    {
        var mount = container
            .VolumeMounts.Where(mount => path == mount.MountPath || path.StartsWith(mount.MountPath + "/", StringComparison.Ordinal))
            .MaxBy(mount => mount.MountPath.Length);
        return mount is null ? path : Place(mount) + path[mount.MountPath.Length..];
    }

    /// <summary>A directory with a link for each mount below a path, as the container sees it.</summary>
    public string View(V1Container container, string path)
    {
        var view = directory.File($"views/{container.Name}{path}");
        if (Directory.Exists(view))
            return view;
        Directory.CreateDirectory(view);
        foreach (var mount in container.VolumeMounts.Where(mount => Path.GetDirectoryName(mount.MountPath) == path))
            Directory.CreateSymbolicLink(Path.Combine(view, Path.GetFileName(mount.MountPath)), Place(mount));
        return view;
    }

    public void Dispose()
    {
        foreach (var process in running)
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }
        directory.Dispose();
    }

    string Place(V1VolumeMount mount) => directory.File($"{mount.Name}/{mount.SubPath}").TrimEnd('/');
}
