using System.Security.Cryptography;
using System.Text;
using YamlDotNet.RepresentationModel;

namespace ThermalStreaming.Deployment.Tests;

/// <summary>
/// The ConfigMaps that kustomizations generate. Their name gets a hash of what they hold, so that pods are replaced when a setting changes.
/// </summary>
sealed class ConfigMaps
{
    readonly Dictionary<string, SortedDictionary<string, string>> maps = new(StringComparer.Ordinal);

    public void Generate(YamlNode entry, string directory)
    {
        ((YamlMappingNode)entry).Allow("a configMapGenerator", "name", "behavior", "literals", "files", "envs");
        var name = entry.TextAt("name")!;
        var merges = entry.TextAt("behavior") switch
        {
            null => false,
            "merge" => true,
            var other => throw new InvalidDataException($"the builder of the tests does not know the behavior {other}"),
        };
        if (maps.ContainsKey(name) != merges)
            throw new InvalidDataException($"the ConfigMap {name} is {(merges ? "not there to be merged with" : "generated twice")}");
        if (!maps.TryGetValue(name, out var map))
            maps[name] = map = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var item in entry.ItemsAt("literals"))
            Add(map, ((YamlScalarNode)item).Value!);
        foreach (var file in entry.ItemsAt("envs").Select(item => ((YamlScalarNode)item).Value!))
        foreach (var line in File.ReadAllLines(Path.Combine(directory, file)).Select(line => line.Trim()))
            if (line.Length > 0 && line[0] != '#')
                Add(map, line);
        foreach (var file in entry.ItemsAt("files").Select(item => ((YamlScalarNode)item).Value!))
            map[file] = File.ReadAllText(Path.Combine(directory, file));
    }

    /// <summary>The maps as manifests, and the names that references to them must have.</summary>
    public IEnumerable<(string Name, YamlMappingNode Manifest)> Manifests()
    {
        foreach (var (name, map) in maps)
        {
            var data = new YamlMappingNode(
                map.Select(item => KeyValuePair.Create<YamlNode, YamlNode>(Yaml.Text(item.Key), Yaml.Text(item.Value)))
            );
            var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name + Yaml.Write(data))))[..10];
            var metadata = new YamlMappingNode { { "name", $"{name}-{hash}" } };
            yield return (
                name,
                new YamlMappingNode
                {
                    { "apiVersion", "v1" },
                    { "kind", "ConfigMap" },
                    { "metadata", metadata },
                    { "data", data },
                }
            );
        }
    }

    /// <summary>Lets references name the maps as they are called now.</summary>
    public static void Rename(YamlNode manifest, IReadOnlyDictionary<string, string> names)
    {
        foreach (var part in manifest.Parts().OfType<YamlMappingNode>())
        foreach (var reference in new[] { "configMap", "configMapRef", "configMapKeyRef" })
            if (part.Find(reference) is YamlMappingNode found && names.TryGetValue(found.TextAt("name") ?? "", out var name))
                found.Set("name", Yaml.Text(name));
    }

    static void Add(SortedDictionary<string, string> map, string line)
    {
        var at = line.IndexOf('=', StringComparison.Ordinal);
        if (at <= 0)
            throw new InvalidDataException($"'{line}' is not NAME=VALUE");
        map[line[..at]] = line[(at + 1)..];
    }
}
