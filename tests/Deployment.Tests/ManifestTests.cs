using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace ThermalStreaming.Deployment.Tests;

/// <summary>The strictness of the parser, without which the other tests would prove little.</summary>
public sealed class ManifestTests
{
    [Theory]
    [MemberData(nameof(Installations.All), MemberType = typeof(Installations))]
    public void Every_manifest_has_only_fields_of_its_kind(string name) =>
        Assert.All(
            Installations.Named(name).Manifests,
            manifest => Assert.True(manifest.Model is not null || manifest.Kind == "PodMonitor")
        );

    /// <summary>A field more in any mapping is refused, unless names and values are free there.</summary>
    [Theory]
    [MemberData(nameof(Installations.All), MemberType = typeof(Installations))]
    public void A_field_that_no_kind_has_is_refused_wherever_it_stands(string name)
    {
        string[] free = ["labels", "annotations", "matchLabels", "selector", "data", "requests", "limits"];
        var tried = 0;
        foreach (var manifest in Installations.Named(name).Manifests.Where(manifest => manifest.Model is not null))
        {
            foreach (var path in Mappings(manifest.Tree, []).Where(path => path.Length == 0 || !free.Contains(path[^1])))
            {
                var changed = (YamlMappingNode)Yaml.Copy(manifest.Tree);
                ((YamlMappingNode)At(changed, path)).Add("fieldOfNoKind", Yaml.Text("x"));

                var refused = Record.Exception(() => Manifest.Of(changed));

                Assert.True(refused is YamlException, $"{manifest.Kind} {manifest.Name} at {string.Join('.', path)}: {refused}");
                tried++;
            }
        }
        Assert.True(tried > 10);
    }

    [Fact]
    public void A_value_of_another_type_is_refused()
    {
        var manifest = Installations.Named("base").Manifests.Single(manifest => manifest.Kind == "StatefulSet");
        var changed = (YamlMappingNode)Yaml.Copy(manifest.Tree);
        changed.Within("spec").Set("replicas", new YamlScalarNode("many"));

        Assert.Throws<YamlException>(() => Manifest.Of(changed));
    }

    [Theory]
    [MemberData(nameof(Installations.All), MemberType = typeof(Installations))]
    public void No_two_manifests_have_one_name(string name)
    {
        var names = Installations.Named(name).Manifests.Select(manifest => (manifest.Kind, manifest.Name)).ToList();

        Assert.Equal(names.Distinct(), names);
    }

    static IEnumerable<string[]> Mappings(YamlNode node, string[] path) =>
        node switch
        {
            YamlMappingNode mapping => mapping
                .Children.SelectMany(child => Mappings(child.Value, [.. path, ((YamlScalarNode)child.Key).Value!]))
                .Prepend(path),
            YamlSequenceNode sequence => sequence.Children.SelectMany((item, i) => Mappings(item, [.. path, $"{i}"])),
            _ => [],
        };

    static YamlNode At(YamlNode node, string[] path) =>
        path.Aggregate(
            node,
            (at, step) => at is YamlSequenceNode sequence ? sequence.Children[int.Parse(step, null)] : ((YamlMappingNode)at).Children[step]
        );
}
