using YamlDotNet.RepresentationModel;

namespace ThermalStreaming.Deployment.Tests;

/// <summary>
/// Builds what `kubectl kustomize` builds of the project's kustomizations, and fails at everything that it does not know.
/// <see cref="KubectlTests"/> compares both.
/// </summary>
sealed class Kustomization
{
    readonly ConfigMaps configMaps = new();
    readonly Dictionary<string, string> labelsOfMaps = new(StringComparer.Ordinal);
    string? lastNamespace;

    Kustomization() { }

    /// <param name="directory">The one with kustomization.yaml.</param>
    /// <param name="components">Directories of components that are switched on besides those that it names.</param>
    public static IReadOnlyList<YamlMappingNode> Build(string directory, params string[] components)
    {
        var built = new Kustomization();
        var manifests = new List<YamlMappingNode>();
        built.Read(Path.GetFullPath(directory), manifests, components);
        var generated = built.configMaps.Manifests().ToList();
        var names = generated.ToDictionary(map => map.Name, map => map.Manifest.TextAt("metadata", "name")!, StringComparer.Ordinal);
        foreach (var manifest in manifests)
            ConfigMaps.Rename(manifest, names);
        Place(generated.Select(map => map.Manifest), built.lastNamespace, built.labelsOfMaps);
        return [.. manifests, .. generated.Select(map => map.Manifest)];
    }

    /// <summary>Adds what the directory has to the manifests; a component changes those that are there.</summary>
    void Read(string directory, List<YamlMappingNode> manifests, params string[] components)
    {
        var file = Path.Combine(directory, "kustomization.yaml");
        var root = Yaml.Documents(File.ReadAllText(file)).Single();
        root.Allow(file, [.. "apiVersion kind namespace labels resources components configMapGenerator patches images".Split(' ')]);
        var isComponent = root.TextAt("kind") == "Component";
        Expect(root, "apiVersion", $"kustomize.config.k8s.io/{(isComponent ? "v1alpha1" : "v1beta1")}");
        Expect(root, "kind", isComponent ? "Component" : "Kustomization");
        foreach (var resource in root.ItemsAt("resources").Select(item => Path.Combine(directory, ((YamlScalarNode)item).Value!)))
        {
            if (Directory.Exists(resource))
                Read(resource, manifests);
            else
                manifests.AddRange(Yaml.Documents(File.ReadAllText(resource)));
        }
        foreach (var entry in root.ItemsAt("configMapGenerator"))
            configMaps.Generate(entry, directory);
        foreach (var component in root.ItemsAt("components").Select(item => Path.Combine(directory, ((YamlScalarNode)item).Value!)))
            Read(component, manifests);
        foreach (var component in components)
            Read(component, manifests);
        foreach (var patch in root.ItemsAt("patches"))
            Patch(manifests, patch, directory);
        foreach (var image in root.ItemsAt("images"))
            Name(manifests, image);
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pairs in root.ItemsAt("labels"))
        {
            ((YamlMappingNode)pairs).Allow("labels", "pairs");
            foreach (var (key, value) in ((YamlMappingNode)pairs.Find("pairs")!).Children)
                labels[((YamlScalarNode)key).Value!] = labelsOfMaps[((YamlScalarNode)key).Value!] = ((YamlScalarNode)value).Value!;
        }
        lastNamespace = root.TextAt("namespace") ?? lastNamespace;
        Place(manifests, root.TextAt("namespace"), labels);
    }

    static void Place(IEnumerable<YamlMappingNode> manifests, string? name, Dictionary<string, string> labels)
    {
        foreach (var manifest in manifests)
        {
            var metadata = manifest.Within("metadata");
            if (name is not null && manifest.TextAt("kind") != "Namespace")
                metadata.Set("namespace", Yaml.Text(name));
            foreach (var (key, value) in labels)
                metadata.Within("labels").Set(key, Yaml.Text(value));
        }
    }

    static void Patch(List<YamlMappingNode> manifests, YamlNode patch, string directory)
    {
        ((YamlMappingNode)patch).Allow("a patch", "path");
        foreach (var change in Yaml.Documents(File.ReadAllText(Path.Combine(directory, patch.TextAt("path")!))))
        {
            var target = manifests.SingleOrDefault(manifest => Identity(manifest) == Identity(change));
            if (target is null)
                throw new InvalidDataException($"{patch.TextAt("path")} patches {Identity(change)}, which is not there");
            StrategicMerge.Apply(target, change);
        }
    }

    static void Name(List<YamlMappingNode> manifests, YamlNode image)
    {
        ((YamlMappingNode)image).Allow("an image", "name", "newName", "newTag");
        var used = false;
        foreach (var container in manifests.SelectMany(manifest => manifest.Parts()).OfType<YamlMappingNode>())
        {
            if (container.TextAt("image") is not { } named || named.Split(':')[0] != image.TextAt("name"))
                continue;
            container.Set("image", Yaml.Text($"{image.TextAt("newName") ?? named}:{image.TextAt("newTag")}"));
            used = true;
        }
        if (!used)
            throw new InvalidDataException($"no container has the image {image.TextAt("name")}");
    }

    static (string? Version, string? Kind, string? Name) Identity(YamlMappingNode manifest) =>
        (manifest.TextAt("apiVersion"), manifest.TextAt("kind"), manifest.TextAt("metadata", "name"));

    static void Expect(YamlMappingNode root, string key, string value)
    {
        if (root.TextAt(key) != value)
            throw new InvalidDataException($"{key} is {root.TextAt(key)} instead of {value}");
    }
}
