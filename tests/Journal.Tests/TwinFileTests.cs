using ThermalStreaming.Testing;

namespace ThermalStreaming.Journal.Tests;

public sealed class TwinFileTests : IDisposable
{
    readonly TempDirectory directory = new();

    string Path => directory.File("id");

    string Copy => Path + ".copy";

    public void Dispose() => directory.Dispose();

    [Theory]
    // Damaged, missing, and older: a crash came between the two.
    [InlineData("file", "damaged")]
    [InlineData("copy", "damaged")]
    [InlineData("file", "missing")]
    [InlineData("copy", "missing")]
    [InlineData("copy", "older")]
    public void One_that_does_not_say_the_line_is_mended(string which, string how)
    {
        TwinFile.Save(Path, "new");
        var file = which == "file" ? Path : Copy;
        if (how == "damaged")
            File.WriteAllText(file, "nev" + File.ReadAllText(file)[3..]);
        else if (how == "missing")
            File.Delete(file);
        else
            File.WriteAllBytes(file, SmallFile.Seal("old"));

        Assert.Equal("new", TwinFile.Load(Path, out var damaged));

        Assert.Equal(how == "damaged" ? [file] : [], damaged);
        Assert.Equal(SmallFile.Seal("new"), File.ReadAllBytes(Path));
        Assert.Equal(SmallFile.Seal("new"), File.ReadAllBytes(Copy));
    }

    [Fact]
    public void Two_damaged_ones_are_none_and_stay_for_a_person_to_look_at()
    {
        File.WriteAllText(Path, "a");
        File.WriteAllText(Copy, "b");

        Assert.Null(TwinFile.Load(Path, out var damaged));

        Assert.Equal([Path, Copy], damaged);
        Assert.Equal("a", File.ReadAllText(Path));
    }

    [Fact]
    public void Neither_is_none()
    {
        Assert.Null(TwinFile.Load(Path, out var damaged));
        Assert.Empty(damaged);
        Assert.False(File.Exists(Path));
    }
}
