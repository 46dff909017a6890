namespace ThermalStreaming.Runner.Tests;

/// <summary>What ./test makes of its command line.</summary>
public sealed class TestSelectionTests
{
    static readonly string[] projects = ["Pipeline.Tests", "Mqtt.Tests", "Containers.Tests", "Journal.Tests"];

    [Theory]
    [InlineData("", "Journal.Tests Mqtt.Tests Containers.Tests Pipeline.Tests", null, null)]
    [InlineData("unit", "Journal.Tests Mqtt.Tests", null, null)]
    [InlineData("pipeline", "Pipeline.Tests", null, null)]
    [InlineData("arm64", "Pipeline.Tests", "Category=Arm64", "trait Category=Arm64")]
    [InlineData("security", "Journal.Tests Mqtt.Tests", "Category=Security", "trait Category=Security")]
    [InlineData("RefusedRows", "Journal.Tests Mqtt.Tests", "FullyQualifiedName~RefusedRows", "RefusedRows")]
    public void Each_word_means_these_projects_and_tests(string word, string expected, string? filter, string? shown)
    {
        var selection = Parse(word.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        Assert.Equal(expected, string.Join(' ', selection.Projects(projects)));
        Assert.Equal((filter, shown, true), (selection.Filter, selection.Shown, selection.IsBuilt));
        Assert.Equal(word == "arm64", selection.NeedsArm64);
    }

    [Fact]
    public void Containers_are_asked_for_only_by_a_name_that_may_be_in_them()
    {
        Assert.Equal(TestScope.Matching, Parse("Kill").Scope);
        Assert.Equal(TestScope.Matching, Parse("security").Scope);
        Assert.Equal(TestScope.Unit, Parse("unit").Scope);
    }

    [Theory]
    [InlineData("--no-build", "Journal")]
    [InlineData("Journal", "--no-build")]
    public void The_build_can_be_left_out_in_any_order(params string[] arguments)
    {
        var selection = Parse(arguments);

        Assert.Equal((false, "FullyQualifiedName~Journal"), (selection.IsBuilt, selection.Filter));
    }

    [Fact]
    public void The_environment_can_ask_for_arm64_with_everything_else()
    {
        var selection = TestSelection.Parse([], alwaysArm64: true, out _)!;

        Assert.True(selection.NeedsArm64);
        Assert.Null(selection.Filter);
    }

    [Theory]
    [InlineData("unknown option --nobuild", "--nobuild")]
    [InlineData("unknown option -v", "unit", "-v")]
    [InlineData("unknown option ", "")]
    [InlineData("only one of unit and pipeline can be run", "unit", "pipeline")]
    [InlineData("only one of Journal and Mqtt can be run", "Journal", "Mqtt")]
    public void A_wrong_option_is_named(string expected, params string[] arguments)
    {
        Assert.Null(TestSelection.Parse(arguments, alwaysArm64: false, out var problem));
        Assert.Equal(expected, problem);
    }

    static TestSelection Parse(params string[] arguments)
    {
        var selection = TestSelection.Parse(arguments, alwaysArm64: false, out var problem);
        Assert.True(selection is not null, problem);
        return selection;
    }
}
