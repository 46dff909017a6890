// There is no other system than Linux.
#pragma warning disable CA1416
using System.Buffers.Text;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>The control token: what <c>setup</c> makes at each start, and what <c>setup token</c> makes anew.</summary>
[Trait("Category", "Security")]
public sealed class SetupTokenTests : SetupTestBase
{
    static readonly string[] programs = ["sensor-agent", "snowpipe-forwarder", "s3-forwarder", "cli"];

    const string Own = "authority/control-token";

    public SetupTokenTests()
    {
        foreach (var name in programs)
            Directory.CreateDirectory(directory.File($"control/{name}"));
    }

    [Fact]
    public void The_first_start_makes_one_and_later_starts_change_nothing()
    {
        Tools.Tokens.Make();
        var first = Snapshot();
        var said = output.ToString();

        Tools.Tokens.Make();

        Assert.Equal(first, Snapshot());
        Assert.Equal("made a control token\n", said);
        Assert.Equal(said, output.ToString());
        Assert.All(programs, name => Assert.Equal(Read(Own), Read(Copy(name))));
        Assert.True(Base64Url.IsValid(Read(Own).Trim(), out var bytes));
        Assert.Equal(32, bytes);
    }

    [Fact]
    public void It_is_for_its_owner_and_each_copy_can_be_read_but_not_written()
    {
        Tools.Tokens.Make();
        Tools.Tokens.Renew();

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, Mode(Own));
        const UnixFileMode ReadOnly = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        Assert.All(programs, name => Assert.Equal(ReadOnly, Mode(Copy(name))));
        Assert.All(
            programs,
            name => Assert.Equal(["token"], Directory.GetFiles(directory.File($"control/{name}")).Select(Path.GetFileName))
        );
    }

    [Fact]
    public void A_renewal_gives_all_programs_the_same_new_one_and_prints_none()
    {
        Tools.Tokens.Make();
        var tokens = new HashSet<string> { Read(Own) };

        for (var i = 0; i < 3; i++)
        {
            Tools.Tokens.Renew();
            Assert.True(tokens.Add(Read(Own)), "the same token again");
            Assert.All(programs, name => Assert.Equal(Read(Own), Read(Copy(name))));
        }

        Assert.Equal("made a control token\nmade a control token\nmade a control token\nmade a control token\n", output.ToString());
    }

    [Fact]
    public void A_renewal_that_was_cut_short_is_completed_by_the_next_start()
    {
        Tools.Tokens.Make();
        var old = Read(Own);
        Tools.Tokens.Renew();
        // Killed before the last copies were written.
        foreach (var name in programs[2..])
        {
            File.Delete(directory.File(Copy(name)));
            File.WriteAllText(directory.File(Copy(name)), old);
        }
        File.WriteAllText(directory.File($"control/{programs[2]}/token.new"), "half");

        Tools.Tokens.Make();

        Assert.All(programs, name => Assert.Equal(Read(Own), Read(Copy(name))));
        Assert.NotEqual(old, Read(Own));
    }

    [Theory]
    [InlineData("")]
    [InlineData("short")]
    [InlineData("not base64: ___________________________!!!!")]
    public void A_damaged_one_is_replaced(string text)
    {
        Tools.Tokens.Make();
        File.WriteAllText(directory.File(Own), text);

        Tools.Tokens.Make();

        Assert.NotEqual(text, Read(Own));
        Assert.All(programs, name => Assert.Equal(Read(Own), Read(Copy(name))));
    }

    static string Copy(string program) => $"control/{program}/token";

    UnixFileMode Mode(string name) => File.GetUnixFileMode(directory.File(name));
}
