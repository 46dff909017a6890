using k8s;
using k8s.Models;
using YamlDotNet.RepresentationModel;

namespace ThermalStreaming.Deployment.Tests;

/// <summary>A manifest as it was built, and as the models of Kubernetes understand it.</summary>
/// <param name="Tree">As it was built.</param>
/// <param name="Model">Null for a kind that Kubernetes itself does not have.</param>
sealed record Manifest(YamlMappingNode Tree, object? Model)
{
    static readonly Dictionary<string, Func<string, object>> kinds = new(StringComparer.Ordinal)
    {
        ["v1/Namespace"] = Strictly<V1Namespace>,
        ["v1/ServiceAccount"] = Strictly<V1ServiceAccount>,
        ["v1/Service"] = Strictly<V1Service>,
        ["v1/ConfigMap"] = Strictly<V1ConfigMap>,
        ["apps/v1/StatefulSet"] = Strictly<V1StatefulSet>,
        ["policy/v1/PodDisruptionBudget"] = Strictly<V1PodDisruptionBudget>,
        ["networking.k8s.io/v1/NetworkPolicy"] = Strictly<V1NetworkPolicy>,
    };

    public string Kind => Tree.TextAt("kind")!;

    public string Name => Tree.TextAt("metadata", "name")!;

    /// <exception cref="YamlDotNet.Core.YamlException">It has a field that the kind does not have, or a value of another type.</exception>
    /// <exception cref="InvalidDataException">The kind is not known.</exception>
    public static Manifest Of(YamlMappingNode tree)
    {
        var kind = $"{tree.TextAt("apiVersion")}/{tree.TextAt("kind")}";
        if (kind == "monitoring.coreos.com/v1/PodMonitor")
            return new Manifest(tree, null);
        return kinds.TryGetValue(kind, out var parse)
            ? new Manifest(tree, parse(Yaml.Write(tree)))
            : throw new InvalidDataException($"{kind} is not a kind that the tests know");
    }

    static T Strictly<T>(string yaml)
        where T : notnull => KubernetesYaml.Deserialize<T>(yaml, strict: true);
}
