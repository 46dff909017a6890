namespace ThermalStreaming.Journal;

/// <summary>
/// A sealed line (<see cref="SmallFile"/>) that is kept twice, in a file and in <c>{file}.copy</c>, so that damage to one leaves the other.
/// For facts that cannot be recovered from elsewhere. Not thread-safe.
/// </summary>
public static class TwinFile
{
    const string CopyExtension = ".copy";

    /// <summary>
    /// Reads the line. If the two files differ, because one is damaged, missing, or older after a crash, rewrites both from the first valid
    /// one.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="damaged">Those of the two files whose checksum was wrong.</param>
    /// <returns>Null when neither file exists, or neither is valid.</returns>
    /// <exception cref="IOException">One cannot be read now, which says nothing about what is in it.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public static string? Load(string path, out IReadOnlyList<string> damaged)
    {
        var bad = new List<string>();
        damaged = bad;
        var (text, copy) = (Read(path), Read(path + CopyExtension));
        var line = text ?? copy;
        if (line is not null && text != copy)
        {
            try
            {
                Save(path, line);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // One valid file is enough, and the next call repairs the other.
            }
        }
        return line;

        string? Read(string file)
        {
            try
            {
                // Only a file that reads wrong twice is damaged.
                var sealedText = SmallFile.Open(File.ReadAllBytes(file)) ?? SmallFile.Open(File.ReadAllBytes(file));
                if (sealedText is null)
                    bad.Add(file);
                return sealedText;
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                return null;
            }
        }
    }

    /// <summary>Replaces both files, durably. A crash leaves the old line or the new one in each.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public static void Save(string path, string text)
    {
        DurableFile.Replace(path, SmallFile.Seal(text));
        DurableFile.Replace(path + CopyExtension, SmallFile.Seal(text));
    }
}
