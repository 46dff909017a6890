using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace ThermalStreaming.Deployment.Tests;

/// <summary>The project's Compose files, as they are written: before Compose reads .env.</summary>
static partial class ComposeFiles
{
    static readonly string[] names = [.. Directory.EnumerateFiles(Repository.File("."), "compose*.yaml").Order(StringComparer.Ordinal)];

    /// <summary>The names that .env can set: in <c>${NAME…}</c>, or keys of an environment without a value.</summary>
    public static IReadOnlySet<string> NamesRead { get; } =
        names
            .SelectMany(file => Yaml.Documents(File.ReadAllText(file)))
            .SelectMany(document => document.Parts())
            .SelectMany(part =>
                part switch
                {
                    YamlScalarNode { Value: { } text } => Referred(text),
                    YamlMappingNode mapping => mapping.Children.Where(IsPassedOn).Select(child => ((YamlScalarNode)child.Key).Value!),
                    _ => [],
                }
            )
            .ToHashSet(StringComparer.Ordinal);

    /// <summary>
    /// The environment of a service in all files together: each variable with its values as written, "" where it is passed on from .env.
    /// </summary>
    public static ILookup<string, string> EnvironmentOf(string service) =>
        names
            .SelectMany(file => Yaml.Documents(File.ReadAllText(file)))
            .Select(document => document.Find("services", service, "environment"))
            .OfType<YamlMappingNode>()
            .SelectMany(Merged)
            .ToLookup(it => it.Key, it => it.Value, StringComparer.Ordinal);

    /// <summary>The variables that a text refers to.</summary>
    public static IEnumerable<string> Referred(string text) => Reference().Matches(text).Select(match => match.Groups[1].Value);

    static IEnumerable<(string Key, string Value)> Merged(YamlMappingNode environment) =>
        environment.Children.SelectMany(child =>
            child is { Key: YamlScalarNode { Value: "<<" }, Value: YamlMappingNode merged }
                ? Merged(merged)
                : [(((YamlScalarNode)child.Key).Value!, ((YamlScalarNode)child.Value).Value ?? "")]
        );

    static bool IsPassedOn(KeyValuePair<YamlNode, YamlNode> child) =>
        child
            is {
                Key: YamlScalarNode { Value: { } name },
                Value: YamlScalarNode { Value: null or "", Style: YamlDotNet.Core.ScalarStyle.Plain }
            }
        && Setting().IsMatch(name);

    [GeneratedRegex(@"\$\{([A-Za-z_][A-Za-z0-9_]*)")]
    private static partial Regex Reference();

    [GeneratedRegex("^[A-Z][A-Z0-9_]+$")]
    private static partial Regex Setting();
}
