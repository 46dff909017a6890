using ThermalStreaming.Hosting;

namespace ThermalStreaming.Journal.Tests;

/// <summary>The number that keeps a release from the files of a later one.</summary>
public sealed class DataFormatTests : JournalTest
{
    string FilePath => temp.File("format");

    [Fact]
    public void The_first_start_writes_it_once()
    {
        DataFormat.Check(temp.Path);
        var written = File.GetLastWriteTimeUtc(FilePath);
        var text = File.ReadAllText(FilePath);
        DataFormat.Check(temp.Path);

        Assert.StartsWith($"{DataFormat.Current} ", text, StringComparison.Ordinal);
        Assert.Equal((written, text), (File.GetLastWriteTimeUtc(FilePath), File.ReadAllText(FilePath)));
    }

    [Fact]
    public void Files_of_a_later_release_are_refused_and_stay_as_they_are()
    {
        File.WriteAllBytes(FilePath, SmallFile.Seal($"{DataFormat.Current + 1}"));
        var before = File.ReadAllText(FilePath);

        var refused = Assert.Throws<ConfigurationException>(() => DataFormat.Check(temp.Path));

        Assert.Contains(
            $"have format {DataFormat.Current + 1}; this release knows {DataFormat.Current}",
            refused.Message,
            StringComparison.Ordinal
        );
        Assert.Contains("run that one, or restore a backup", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllText(FilePath));
    }

    [Fact]
    public void A_damaged_one_is_written_again()
    {
        File.WriteAllText(FilePath, "2 00000000\n");

        DataFormat.Check(temp.Path);

        Assert.StartsWith($"{DataFormat.Current} ", File.ReadAllText(FilePath), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("none")]
    [InlineData("file/none")]
    public void A_directory_that_is_not_there_is_nobodys_business_here(string name)
    {
        File.WriteAllText(temp.File("file"), "");

        DataFormat.Check(temp.File(name));

        Assert.Equal(["file"], Directory.GetFileSystemEntries(temp.Path).Select(Path.GetFileName));
    }
}
