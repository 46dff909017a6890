using System.Text.RegularExpressions;
using k8s.Models;

namespace ThermalStreaming.Deployment.Tests;

/// <summary>The environment of a container, put together and expanded as the kubelet does it.</summary>
static partial class ContainerEnvironment
{
    /// <param name="pod">Its pod; the first one of the set.</param>
    /// <param name="container">The container.</param>
    public static IReadOnlyDictionary<string, string> Of(Pod pod, V1Container container)
    {
        var maps = Installations
            .All.SelectMany(row => Installations.Named(row.Data).Of<V1ConfigMap>())
            .DistinctBy(map => map.Metadata.Name)
            .ToDictionary(map => map.Metadata.Name, map => map.Data, StringComparer.Ordinal);
        var all = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var source in container.EnvFrom ?? [])
        foreach (var (name, value) in maps[source.ConfigMapRef.Name])
            all[name] = value;
        // Only what stands in `env` before can be referred to, not what `envFrom` brings.
        var known = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in container.Env ?? [])
            all[entry.Name] = known[entry.Name] = Value(entry);
        return all;

        string Value(V1EnvVar entry)
        {
            if (entry.ValueFrom?.FieldRef is { } field)
                return field.FieldPath switch
                {
                    "metadata.name" => pod.Names.First(),
                    "metadata.namespace" => pod.Namespace,
                    var other => throw new InvalidDataException($"{entry.Name} refers to the field {other}"),
                };
            if (entry.ValueFrom?.ConfigMapKeyRef is { } key)
                return maps[key.Name][key.Key];
            if (entry.ValueFrom?.ResourceFieldRef is { Resource: "limits.memory", Divisor: not null } resource)
                return $"{pod.Named(resource.ContainerName).Resources.Limits["memory"].ToInt64()}";
            if (entry.ValueFrom is not null)
                throw new InvalidDataException($"{entry.Name} comes from somewhere that the tests do not know");
            return Reference()
                .Replace(
                    entry.Value,
                    match =>
                        known.TryGetValue(match.Groups[1].Value, out var value)
                            ? value
                            : throw new InvalidDataException($"{entry.Name} refers to {match.Value}, which does not stand before it")
                );
        }
    }

    [GeneratedRegex(@"\$\(([A-Z_]+)\)")]
    private static partial Regex Reference();
}
