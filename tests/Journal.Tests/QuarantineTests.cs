using ThermalStreaming.Testing;

namespace ThermalStreaming.Journal.Tests;

public sealed class QuarantineTests : IDisposable
{
    readonly TempDirectory temp = new();

    public void Dispose() => temp.Dispose();

    [Fact]
    public void What_has_the_name_of_something_kept_before_is_kept_beside_it()
    {
        var quarantine = new Quarantine(temp.Path, new Disk());
        var path = temp.File("ledger");
        List<string> kept = [];
        foreach (var content in (string[])["first", "second", "third"])
        {
            File.WriteAllText(path, content);
            kept.Add(Quarantine.KeepCopy(path, "copy.damaged"));
            kept.Add(quarantine.KeepPart(path, 1, content.Length));
            kept.Add(quarantine.KeepFile(path));
        }

        Assert.Equal(["first", "irst", "first", "second", "econd", "second", "third", "hird", "third"], kept.Select(File.ReadAllText));
        Assert.Equal(["copy.damaged", "copy-2.damaged", "copy-3.damaged"], kept.Where((_, i) => i % 3 == 0).Select(Path.GetFileName));
        Assert.Equal((9, 45L), Quarantine.Content(temp.Path));
    }
}
