namespace ThermalStreaming.Runner;

/// <summary>What the command line of ./test asks for.</summary>
/// <param name="Scope">Which projects.</param>
/// <param name="Filter">Which tests of them, as `dotnet test --filter` writes it; null for all.</param>
/// <param name="Shown">The filter in the user's words.</param>
/// <param name="IsBuilt">The projects are built before they are run.</param>
/// <param name="NeedsArm64">Images for arm64 are made for the tests that run them.</param>
sealed record TestSelection(TestScope Scope, string? Filter, string? Shown, bool IsBuilt, bool NeedsArm64)
{
    public const string Containers = "Containers.Tests";
    public const string Pipeline = "Pipeline.Tests";

    /// <summary>Those that need Docker. Last: they take longest, and what fails in the parts explains what fails in the whole.</summary>
    public static IReadOnlyList<string> WithDocker { get; } = [Containers, Pipeline];

    /// <param name="arguments">Those of ./test.</param>
    /// <param name="alwaysArm64">The environment asks for the tests that need images for arm64.</param>
    /// <param name="problem">What cannot be; empty if all can.</param>
    /// <returns>Null if there is a problem.</returns>
    public static TestSelection? Parse(IReadOnlyList<string> arguments, bool alwaysArm64, out string problem)
    {
        problem = "";
        var isBuilt = true;
        string? what = null;
        foreach (var argument in arguments)
        {
            if (argument == "--no-build")
                isBuilt = false;
            else if (argument.StartsWith('-') || argument.Length == 0)
                problem = $"unknown option {argument}";
            else if (what is not null)
                problem = $"only one of {what} and {argument} can be run";
            else
                what = argument;
        }
        if (problem.Length > 0)
            return null;
        var all = new TestSelection(TestScope.Everything, null, null, isBuilt, alwaysArm64);
        return what switch
        {
            null => all,
            "unit" => all with { Scope = TestScope.Unit },
            "pipeline" => all with { Scope = TestScope.Pipeline },
            "security" => all with { Scope = TestScope.Matching, Filter = "Category=Security", Shown = "trait Category=Security" },
            "arm64" => all with
            {
                Scope = TestScope.Pipeline,
                Filter = "Category=Arm64",
                Shown = "trait Category=Arm64",
                NeedsArm64 = true,
            },
            _ => all with { Scope = TestScope.Matching, Filter = $"FullyQualifiedName~{what}", Shown = what },
        };
    }

    /// <summary>The projects to run, in order, of those that there are. With a filter, those with containers are left to a
    /// question.</summary>
    public IReadOnlyList<string> Projects(IEnumerable<string> all)
    {
        if (Scope == TestScope.Pipeline)
            return [Pipeline];
        var first = all.Except(WithDocker).Order(StringComparer.Ordinal);
        return Scope == TestScope.Everything ? [.. first, .. WithDocker] : [.. first];
    }
}
