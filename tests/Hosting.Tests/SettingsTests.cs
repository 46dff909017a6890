using Microsoft.Extensions.Configuration;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Hosting.Tests;

public sealed class SettingsTests
{
    enum Colour
    {
        Red,
        DarkBlue,
    }

    [Fact]
    public void Takes_the_default_when_nothing_or_only_blanks_are_set()
    {
        var settings = From(("A", ""), ("B", "  "));

        Assert.Equal("x", settings.Text("A", "x", ""));
        Assert.Equal(7, settings.WholeNumber("B", 7, 1, 9, ""));
        Assert.True(settings.Flag("C", true, ""));
        Assert.Null(settings.OptionalText("A", ""));
        Assert.Empty(settings.Problems);
    }

    [Theory]
    [InlineData("250ms", 0.25)]
    [InlineData("5", 5)]
    [InlineData("5.0", 5)]
    [InlineData("2 m", 120)]
    [InlineData("1h", 3600)]
    [InlineData("2d", 172800)]
    public void Reads_spans_of_time(string text, double seconds) =>
        Assert.Equal(
            TimeSpan.FromSeconds(seconds),
            From(("T", text)).Duration("T", TimeSpan.Zero, TimeSpan.Zero, TimeSpan.FromDays(10), "")
        );

    [Theory]
    [InlineData("1000", 1000)]
    [InlineData("64KiB", 65536)]
    [InlineData("1.5 GiB", 1610612736)]
    [InlineData("2MB", 2000000)]
    [InlineData("3g", 3000000000)]
    public void Reads_amounts_of_bytes(string text, long bytes) =>
        Assert.Equal(bytes, From(("B", text)).Bytes("B", 0, 0, long.MaxValue, ""));

    [Fact]
    public void Says_all_problems_at_once_each_with_key_value_and_what_is_allowed()
    {
        var settings = From(("N", "12"), ("T", "soon"), ("B", "much"), ("F", "maybe"), ("C", "green"));

        settings.WholeNumber("N", 1, 1, 10, "");
        settings.Duration("T", TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1), TimeSpan.FromHours(1), "");
        settings.Bytes("B", 1, 1, 1 << 20, "");
        settings.Flag("F", false, "");
        settings.Choice("C", Colour.Red, "");
        settings.Required("R", "", "set it in .env.");

        Assert.Equal(
            [
                "N is '12'; it must be a whole number, 1 to 10.",
                "T is 'soon', which does not begin with a number; it must be 1s to 1h, for example 500ms, 5s, 2m or 1h.",
                "B is 'much', which does not begin with a number; it must be 1 to 1MiB, for example 512MiB or 2GiB.",
                "F is 'maybe'; it must be true or false (or 1, yes, on; 0, no, off).",
                "C is 'green'; it must be one of Red, DarkBlue.",
                "R is not set; set it in .env.",
            ],
            settings.Problems
        );
    }

    [Theory]
    [InlineData("darkblue")]
    [InlineData("dark-blue")]
    [InlineData("DARK_BLUE")]
    public void Reads_choices_however_they_are_spelt(string text) =>
        Assert.Equal(Colour.DarkBlue, From(("C", text)).Choice("C", Colour.Red, ""));

    [Fact]
    public void Does_not_take_the_number_of_a_choice() =>
        Assert.Single(Problems(("C", "1"), settings => settings.Choice("C", Colour.Red, "")));

    [Fact]
    public void Reads_a_secret_from_its_file_and_never_shows_it()
    {
        using var directory = new TempDirectory();
        File.WriteAllText(directory.File("password"), "hunter2\n");

        Assert.Equal("hunter2", From(("P_FILE", directory.File("password")), ("P", "other")).Secret("P", ""));
        Assert.Equal("other", From(("P", "other")).Secret("P", ""));
        var problem = Assert.Single(Problems(("P_FILE", directory.File("nowhere")), settings => settings.Secret("P", "")));
        Assert.Contains("it does not exist", problem, StringComparison.Ordinal);
    }

    /// <summary>Compose mounts /dev/null where the installation names no file.</summary>
    [Fact]
    public void An_empty_file_of_a_secret_does_not_hide_its_value()
    {
        Assert.Equal("value", From(("P_FILE", "/dev/null"), ("P", "value")).Secret("P", ""));
        Assert.Equal("", From(("P_FILE", "/dev/null")).Secret("P", ""));
    }

    [Fact]
    public void A_name_of_an_earlier_version_is_a_problem_where_it_is_set()
    {
        Assert.Equal(
            ["OLD is set, but this service no longer reads it; set NEW."],
            Problems(("OLD", "x"), it => it.Retired("OLD", "set NEW."))
        );
        Assert.Empty(Problems(("OLD", " "), settings => settings.Retired("OLD", "set NEW.")));
        Assert.Empty(From(("OLD", "x")).Entries);
    }

    static IReadOnlyList<string> Problems((string, string) setting, Action<Settings> read)
    {
        var settings = From(setting);
        read(settings);
        return settings.Problems;
    }

    static Settings From(params (string Key, string Value)[] settings) =>
        new(
            new ConfigurationBuilder()
                .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)))
                .Build()
        );

    [Theory]
    [InlineData("5 sec", "'sec' is not a unit: write ms, s, m, h, d")]
    [InlineData("5S", "'S' is not a unit")]
    [InlineData("1m30s", "more than one number")]
    [InlineData("1,5s", "the decimal sign is a point")]
    [InlineData("1.5.2s", "'1.5.2' is not a number")]
    [InlineData("-5s", "negative")]
    [InlineData("PT5S", "does not begin with a number")]
    [InlineData("2d", "it must be 1s to 1h")]
    public void A_duration_that_cannot_be_read_is_told_which_part_is_wrong(string value, string says)
    {
        var settings = new Settings(
            new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create<string, string?>("T", value)]).Build()
        );

        settings.Duration("T", TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(1), TimeSpan.FromHours(1), "");

        Assert.Contains(says, Assert.Single(settings.Problems), StringComparison.Ordinal);
        Assert.StartsWith($"T is '{value}'", settings.Problems[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1,5GiB", "the decimal sign is a point")]
    [InlineData("512 megabytes", "'megabytes' is not a unit: write k, M, G")]
    [InlineData("1 GiB 2 MiB", "more than one number")]
    [InlineData("4GiB", "it must be 1 to 1GiB")]
    public void A_size_that_cannot_be_read_is_told_which_part_is_wrong(string value, string says)
    {
        var settings = new Settings(
            new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create<string, string?>("B", value)]).Build()
        );

        settings.Bytes("B", 5, 1, 1 << 30, "");

        Assert.Contains(says, Assert.Single(settings.Problems), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Warning,Error")]
    [InlineData("7")]
    [InlineData("warn")]
    public void A_choice_is_one_of_its_names(string value)
    {
        var settings = new Settings(
            new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create<string, string?>("C", value)]).Build()
        );

        Assert.Equal(DayOfWeek.Friday, settings.Choice("C", DayOfWeek.Friday, ""));
        Assert.Contains("one of Sunday, Monday", Assert.Single(settings.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void A_directory_in_the_place_of_a_secret_is_called_so()
    {
        using var directory = new TempDirectory();
        var settings = new Settings(
            new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create<string, string?>("KEY_FILE", directory.Path)]).Build()
        );

        settings.Secret("KEY", "");

        Assert.Contains("is a directory", Assert.Single(settings.Problems), StringComparison.Ordinal);
    }
}
