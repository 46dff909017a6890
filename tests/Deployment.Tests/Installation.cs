using k8s.Models;

namespace ThermalStreaming.Deployment.Tests;

/// <summary>What one kustomization puts into a cluster.</summary>
sealed class Installation
{
    public Installation(string overlay, params string[] components)
    {
        Overlay = overlay;
        Components = components;
        Manifests =
        [
            .. Kustomization
                .Build(Directory, [.. components.Select(component => Repository.File($"deploy/kubernetes/components/{component}"))])
                .Select(Manifest.Of),
        ];
        Pods = [.. Of<V1StatefulSet>().Select(set => new Pod(set))];
    }

    /// <summary>Below deploy/kubernetes.</summary>
    public string Overlay { get; }

    public string[] Components { get; }

    public string Directory => Repository.File($"deploy/kubernetes/{Overlay}");

    public IReadOnlyList<Manifest> Manifests { get; }

    public IReadOnlyList<Pod> Pods { get; }

    public IEnumerable<T> Of<T>() => Manifests.Select(manifest => manifest.Model).OfType<T>();
}
