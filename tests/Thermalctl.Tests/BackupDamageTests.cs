using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using ThermalStreaming.Hosting;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>Archives that are damaged, cut off, of a later release, or made by somebody else.</summary>
public sealed class BackupDamageTests(ITestOutputHelper output) : BackupTestBase
{
    const int Rounds = 150;

    [Fact]
    public void A_wrong_byte_anywhere_is_found_before_anything_is_changed()
    {
        FillSmall();
        Backup();
        var whole = File.ReadAllBytes(Archive);
        var (random, seed) = Seed.Next();
        output.WriteLine($"THERMAL_TEST_SEED={seed}");
        var refused = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var damaged = whole.ToArray();
            damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            refused += RestoresExactlyOrRefuses(damaged) ? 0 : 1;
        }
        // Some bytes of the head of a gzip file mean nothing.
        Assert.True(refused > Rounds * 9 / 10, $"{refused} of {Rounds} refused");
    }

    [Fact]
    public void An_archive_that_is_cut_off_anywhere_is_refused()
    {
        FillSmall();
        Backup();
        var whole = File.ReadAllBytes(Archive);
        var (random, seed) = Seed.Next();
        output.WriteLine($"THERMAL_TEST_SEED={seed}");
        var refused = 0;
        for (var round = 0; round < Rounds; round++)
            refused += RestoresExactlyOrRefuses(whole[..random.Next(whole.Length)]) ? 0 : 1;

        Assert.True(refused > Rounds * 9 / 10, $"{refused} of {Rounds} refused");
    }

    [Theory]
    [InlineData("")]
    [InlineData("nothing of the kind")]
    public void Another_file_is_refused(string content)
    {
        File.WriteAllText(Archive, content);

        Assert.Contains("is damaged, or not a backup", Refused().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_not_there_is_named()
    {
        Assert.StartsWith("there is no backup thermal.backup", Refused().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_backup_of_a_later_release_names_that_release()
    {
        FillSmall();
        Backup();
        Rewrite(manifest =>
            manifest
                .Replace("\"format\":1", "\"format\":2", StringComparison.Ordinal)
                .Replace("\"version\":\"", "\"version\":\"99.", StringComparison.Ordinal)
        );

        var failure = Refused();

        Assert.Equal(ExitCodes.BadConfiguration, failure.ExitCode);
        Assert.Contains("has format version 2", failure.Message, StringComparison.Ordinal);
        Assert.Contains("restore it with release 99.", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"path\":\"a/b\"", "\"path\":\"../b\"")]
    [InlineData("\"path\":\"a/b\"", "\"path\":\"/etc/b\"")]
    [InlineData("\"path\":\"a/b\"", "\"path\":\"a/../../b\"")]
    [InlineData("\"path\":\"a/b\"", "\"path\":\"link/b\"")]
    [InlineData("\"name\":\"control-cli\"", "\"name\":\"..\"")]
    [InlineData("\"name\":\"control-cli\"", "\"name\":\"s3-forwarder-data\"")]
    public void A_path_that_leads_out_of_its_volume_is_refused(string from, string to)
    {
        FillSmall();
        File.CreateSymbolicLink(Path.Combine(Old, "control-cli/link"), directory.Path);
        Backup();
        Rewrite(manifest =>
        {
            Assert.Contains(from, manifest, StringComparison.Ordinal);
            return manifest.Replace(from, to, StringComparison.Ordinal);
        });

        Assert.Contains("is damaged, or not a backup", Refused().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Content_that_is_not_what_the_manifest_says_is_refused()
    {
        FillSmall();
        Backup();
        Rewrite(manifest => manifest, content => content == "content" ? "CONTENT" : content);

        Assert.Contains("control-cli/a/b does not match the manifest", Refused().Message, StringComparison.Ordinal);
    }

    void FillSmall()
    {
        Write("control-cli/a/b", "content");
        Write("control-cli/z", new string('z', 3000));
        Write("mosquitto-authority/installation", "0123abcd\n");
        var random = new byte[2000];
        new Random(2).NextBytes(random);
        File.WriteAllBytes(Path.Combine(Old, "s3-forwarder-data/random"), random);
    }

    FailureException Refused()
    {
        var failure = Assert.Throws<FailureException>(() => Restore());
        Assert.Empty(FilesIn(New));
        return failure;
    }

    /// <returns>Whether it was restored, which must then be exact.</returns>
    bool RestoresExactlyOrRefuses(byte[] archive)
    {
        File.WriteAllBytes(Archive, archive);
        try
        {
            Restore();
        }
        catch (FailureException)
        {
            Assert.Empty(FilesIn(New));
            return false;
        }
        Assert.Equal(Snapshot(Old), Snapshot(New));
        foreach (var volume in Directory.GetDirectories(New))
        {
            Directory.Delete(volume, recursive: true);
            Directory.CreateDirectory(volume);
        }
        return true;
    }

    /// <summary>Writes the archive again, with another manifest and other contents.</summary>
    void Rewrite(Func<string, string> manifest, Func<string, string>? contents = null)
    {
        using var rewritten = new MemoryStream();
        using (var from = new TarReader(new GZipStream(File.OpenRead(Archive), CompressionMode.Decompress)))
        using (var to = new TarWriter(new GZipStream(rewritten, CompressionLevel.Fastest, leaveOpen: true)))
        {
            while (from.GetNextEntry() is { } entry)
            {
                var copy = new PaxTarEntry(entry.EntryType, entry.Name);
                if (entry.EntryType == TarEntryType.SymbolicLink)
                    copy.LinkName = entry.LinkName;
                if (entry.EntryType == TarEntryType.RegularFile)
                {
                    using var text = new MemoryStream();
                    entry.DataStream?.CopyTo(text);
                    var content = Encoding.Latin1.GetString(text.ToArray());
                    copy.DataStream = new MemoryStream(
                        Encoding.Latin1.GetBytes(
                            entry.Name == BackupManifest.FileName ? manifest(content) : contents?.Invoke(content) ?? content
                        )
                    );
                }
                to.WriteEntry(copy);
            }
        }
        File.WriteAllBytes(Archive, rewritten.ToArray());
    }
}
