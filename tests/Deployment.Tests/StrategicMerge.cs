using YamlDotNet.RepresentationModel;

namespace ThermalStreaming.Deployment.Tests;

/// <summary>Strategic merge patches, as far as the project uses them: lists of known kinds are merged by key, others are refused.</summary>
static class StrategicMerge
{
    static readonly Dictionary<string, string> keys = new(StringComparer.Ordinal)
    {
        ["containers"] = "name",
        ["initContainers"] = "name",
        ["env"] = "name",
        ["volumes"] = "name",
        ["volumeMounts"] = "mountPath",
        ["ports"] = "port",
    };

    public static void Apply(YamlMappingNode target, YamlMappingNode patch)
    {
        foreach (var (keyNode, value) in patch.Children)
        {
            var key = ((YamlScalarNode)keyNode).Value!;
            if (key.StartsWith('$'))
                throw new InvalidDataException($"the builder of the tests does not know the directive {key} of a patch");
            switch (target.Find(key), value)
            {
                case (YamlMappingNode into, YamlMappingNode from):
                    Apply(into, from);
                    break;
                case (YamlSequenceNode into, YamlSequenceNode from) when from.Any(item => item is YamlMappingNode):
                    Apply(into, from, KeyOf(key, from));
                    break;
                default:
                    target.Set(key, Yaml.Copy(value));
                    break;
            }
        }
    }

    static string KeyOf(string list, YamlSequenceNode patch) =>
        keys.TryGetValue(list, out var key) && patch.All(item => item.TextAt(key) is not null)
            ? key
            : throw new InvalidDataException($"the builder of the tests does not know how items of '{list}' are merged");

    static void Apply(YamlSequenceNode target, YamlSequenceNode patch, string key)
    {
        foreach (var item in patch.Cast<YamlMappingNode>())
        {
            if (target.FirstOrDefault(other => other.TextAt(key) == item.TextAt(key)) is YamlMappingNode known)
                Apply(known, item);
            else
                target.Add(Yaml.Copy(item));
        }
    }
}
