using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace ThermalStreaming.Hosting.Tests;

public sealed partial class MemoryTrimTests : IDisposable
{
    const int Size = 4 << 20;
    const int ProtectRead = 1;

    readonly string path = Path.Combine(Directory.CreateTempSubdirectory("trim-").FullName, "mapped");

    public MemoryTrimTests() => File.WriteAllBytes(path, [.. Enumerable.Range(0, Size).Select(i => (byte)(i % 251))]);

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);

    [Fact]
    public void What_lies_in_files_is_given_back_and_is_there_again_when_it_is_read()
    {
        using var view = Map(MemoryMappedFileAccess.Read);
        AssertContent(view);
        var trim = new MemoryTrim();
        trim.Pass();
        Assert.InRange(ResidentKilobytes(), Size / 1024, int.MaxValue);

        trim.Pass();

        Assert.Equal(0, ResidentKilobytes());
        AssertContent(view);
    }

    [Fact]
    public void What_was_changed_and_then_protected_stays()
    {
        using var view = Map(MemoryMappedFileAccess.CopyOnWrite);
        AssertContent(view);
        view.Write(8192, (byte)255);
        Assert.Equal(0, Protect(view.SafeMemoryMappedViewHandle.DangerousGetHandle(), Size, ProtectRead));
        var trim = new MemoryTrim();

        trim.Pass();
        trim.Pass();

        Assert.Equal(255, view.ReadByte(8192));
    }

    MemoryMappedViewAccessor Map(MemoryMappedFileAccess access)
    {
        // The view keeps the mapping.
        using var file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, access);
        return file.CreateViewAccessor(0, Size, access);
    }

    static void AssertContent(MemoryMappedViewAccessor view)
    {
        for (var i = 0; i < Size; i += 512)
            Assert.Equal((byte)(i % 251), view.ReadByte(i));
    }

    int ResidentKilobytes() =>
        File.ReadLines("/proc/self/smaps")
            .SkipWhile(line => !line.EndsWith(path, StringComparison.Ordinal))
            .Where(line => line.StartsWith("Rss:", StringComparison.Ordinal))
            .Select(line => int.Parse(line[4..^2], System.Globalization.CultureInfo.InvariantCulture))
            .First();

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(nint address, nuint length, int protection);
}
