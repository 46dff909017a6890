using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using ThermalStreaming.Testing;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace ThermalStreaming.Deployment.Tests;

/// <summary>The builder of the tests against kustomize itself, which every kubectl has in it. It needs no cluster.</summary>
public sealed partial class KubectlTests
{
    [Theory]
    [MemberData(nameof(Installations.All), MemberType = typeof(Installations))]
    public async Task Kubectl_builds_the_same(string name)
    {
        var installation = Installations.Named(name);
        using var directory = new TempDirectory();
        var overlay = installation.Directory;
        if (installation.Components.Length > 0)
        {
            CopyTree(Repository.File("deploy/kubernetes"), directory.Path);
            overlay = Path.Combine(directory.Path, installation.Overlay);
            await SwitchOnAsync(Path.Combine(overlay, "kustomization.yaml"), installation.Components);
        }

        var built = await KustomizeAsync(overlay);

        Assert.Equal(
            Yaml.Documents(built).Select(Canonical).Order(StringComparer.Ordinal),
            installation.Manifests.Select(manifest => Canonical(manifest.Tree)).Order(StringComparer.Ordinal)
        );
    }

    /// <summary>As a person does: removes the # before a component, or adds its line.</summary>
    static async Task SwitchOnAsync(string kustomization, string[] components)
    {
        var text = await File.ReadAllTextAsync(kustomization, TestContext.Current.CancellationToken);
        foreach (var component in components)
        {
            var line = $"- ../../components/{component}";
            text = text.Contains($"# {line}", StringComparison.Ordinal)
                ? text.Replace($"# {line}", line, StringComparison.Ordinal)
                : text + $"components:\n  {line.Replace("../../", "../", StringComparison.Ordinal)}\n";
        }
        await File.WriteAllTextAsync(kustomization, text, TestContext.Current.CancellationToken);
    }

    static async Task<string> KustomizeAsync(string directory)
    {
        Process process;
        try
        {
            process = Process.Start(
                new ProcessStartInfo("kubectl", ["kustomize", directory]) { RedirectStandardOutput = true, RedirectStandardError = true }
            )!;
        }
        catch (Win32Exception)
        {
            Assert.Skip("kubectl is not installed: the manifests are not compared with those of kustomize");
            throw;
        }
        using (process)
        {
            var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.True(process.ExitCode == 0, await errors);
            return await output;
        }
    }

    static void CopyTree(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }

    /// <summary>Without the order of keys and items, notations of numbers, and the hashes in names of ConfigMaps.</summary>
    static string Canonical(YamlNode node) =>
        node switch
        {
            YamlMappingNode mapping => "{"
                + string.Join(
                    ",",
                    mapping.Children.Select(child => $"{Canonical(child.Key)}:{Canonical(child.Value)}").Order(StringComparer.Ordinal)
                )
                + "}",
            YamlSequenceNode sequence => "[" + string.Join(",", sequence.Children.Select(Canonical).Order(StringComparer.Ordinal)) + "]",
            YamlScalarNode { Style: ScalarStyle.Plain } octal when Octal().IsMatch(octal.Value!) => Convert
                .ToInt32(octal.Value, 8)
                .ToString(CultureInfo.InvariantCulture),
            YamlScalarNode scalar => Hash().Replace(scalar.Value!, "$1-#"),
            _ => throw new InvalidDataException($"{node}"),
        };

    [GeneratedRegex("^0[0-7]+$")]
    private static partial Regex Octal();

    [GeneratedRegex("^(broker|names|settings|mappings|snowpipe-forwarder|s3-forwarder|sensor-agent)-[a-z0-9]{10}$")]
    private static partial Regex Hash();
}
