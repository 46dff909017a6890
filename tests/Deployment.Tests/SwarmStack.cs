using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace ThermalStreaming.Deployment.Tests;

/// <summary>One file of deploy/swarm, with its anchors resolved and <c>${NAME}</c> replaced.</summary>
sealed partial class SwarmStack
{
    const string Folder = "deploy/swarm";

    public SwarmStack(string file)
    {
        File = file;
        var text = Variable().Replace(System.IO.File.ReadAllText(Repository.File($"{Folder}/{file}")), "1");
        var stream = new YamlStream();
        stream.Load(new MergingParser(new Parser(new StringReader(text))));
        Root = (YamlMappingNode)stream.Documents[0].RootNode;
    }

    /// <summary>Those that stand alone; the others go on top of one of them.</summary>
    public static TheoryData<string> Whole => ["cell.yaml", "agent.yaml", "demo.yaml"];

    public static TheoryData<string> All => [.. Whole.Select(row => row.Data), "cell.demo.yaml", "agent.hosts.yaml"];

    public string File { get; }

    public YamlMappingNode Root { get; }

    public IEnumerable<(string Name, YamlMappingNode Service)> Services => Section("services");

    /// <summary>The entries of services, networks, secrets, configs or volumes.</summary>
    public IEnumerable<(string Name, YamlMappingNode Entry)> Section(string name) =>
        Root.Find(name) is YamlMappingNode section
            ? section.Children.Select(child => (((YamlScalarNode)child.Key).Value!, child.Value as YamlMappingNode ?? []))
            : [];

    /// <summary>What a service's program gets: its files of settings, and over them its own variables.</summary>
    public static IReadOnlyDictionary<string, string> EnvironmentOf(YamlMappingNode service)
    {
        var all = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in service.ItemsAt("env_file"))
        foreach (var line in System.IO.File.ReadLines(Repository.File($"{Folder}/{((YamlScalarNode)file).Value}")))
        {
            if (line.Length > 0 && !line.StartsWith('#'))
                all[line.Split('=')[0]] = line[(line.IndexOf('=', StringComparison.Ordinal) + 1)..];
        }
        foreach (var own in (service.Find("environment") as YamlMappingNode ?? []).Children)
            all[((YamlScalarNode)own.Key).Value!] = ((YamlScalarNode)own.Value).Value!;
        return all;
    }

    [GeneratedRegex(@"\$\{[A-Z0-9_]+(:[-?][^}]*)?\}")]
    private static partial Regex Variable();
}
