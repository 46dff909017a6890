using System.Globalization;
using k8s.Models;

namespace ThermalStreaming.Deployment.Tests;

/// <summary>The pods of a StatefulSet.</summary>
sealed class Pod(V1StatefulSet set)
{
    public V1StatefulSet Set => set;

    public V1PodSpec Spec => set.Spec.Template.Spec;

    public string Namespace => set.Metadata.NamespaceProperty;

    public IDictionary<string, string> Labels => set.Spec.Template.Metadata.Labels;

    /// <summary>In the order of their start.</summary>
    public IReadOnlyList<V1Container> Containers => [.. Spec.InitContainers ?? [], .. Spec.Containers];

    /// <summary>Those that run as long as the pod.</summary>
    public IEnumerable<V1Container> Running => Containers.Where(container => !IsOneShot(container));

    /// <summary>Whether it runs to its end before the others start.</summary>
    public bool IsOneShot(V1Container container) => Spec.InitContainers?.Contains(container) == true && container.RestartPolicy != "Always";

    public V1Container Named(string container) => Containers.Single(other => other.Name == container);

    public bool IsChosenBy(IDictionary<string, string>? selector, string pod) =>
        selector is not null
        && selector.All(wanted =>
            wanted.Key == "statefulset.kubernetes.io/pod-name"
                ? wanted.Value == pod
                : Labels.TryGetValue(wanted.Key, out var value) && value == wanted.Value
        );

    public bool IsChosenBy(V1LabelSelector selector) =>
        selector.MatchExpressions is null && (selector.MatchLabels is null || IsChosenBy(selector.MatchLabels, ""));

    public IEnumerable<string> Names =>
        Enumerable
            .Range(0, set.Spec.Replicas!.Value)
            .Select(number => string.Create(CultureInfo.InvariantCulture, $"{set.Metadata.Name}-{number}"));

    /// <summary>Every volume that a mount may name.</summary>
    public IEnumerable<string> Volumes =>
        (Spec.Volumes ?? [])
            .Select(volume => volume.Name)
            .Concat((set.Spec.VolumeClaimTemplates ?? []).Select(claim => claim.Metadata.Name));
}
