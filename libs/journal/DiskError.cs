namespace ThermalStreaming.Journal;

/// <summary>Tells apart why a file could not be used: by a wrong setting, by the state that the disk is in now, or by a sector that cannot be read.</summary>
public static class DiskError
{
    const int NotPermitted = 1, NoEntry = 2, InputOutput = 5, AccessDenied = 13, Exists = 17, NotADirectory = 20, IsADirectory = 21, NoSpace = 28, ReadOnly = 30, NameTooLong = 36,
        TooManyLinks = 40, FilesOfSystem = 23, FilesOfProcess = 24, BadMessage = 74, Corrupt = 117, Quota = 122;

    /// <summary>Whether this is an answer of the file system at all, and not an error of the program.</summary>
    public static bool IsFileProblem(Exception e) => e is IOException or UnauthorizedAccessException;

    /// <summary>
    /// Whether somebody must correct a path or its permissions, because waiting changes nothing. False for what a disk recovers from by itself or by an
    /// operator's hand: full, read-only, I/O error, too many open files.
    /// </summary>
    public static bool IsSetting(Exception e) => e is IOException { InnerException: { } inner } ? IsSetting(inner) : e is UnauthorizedAccessException or FileNotFoundException or DirectoryNotFoundException or PathTooLongException
        || Number(e) is NotPermitted or NoEntry or AccessDenied or Exists or NotADirectory or IsADirectory or NameTooLong or TooManyLinks;

    /// <summary>The medium did not give the bytes back (EIO and its like): they may be readable later.</summary>
    public static bool IsMedium(Exception e) => Number(e) is InputOutput or BadMessage or Corrupt;

    /// <summary>The file system is mounted read-only.</summary>
    public static bool IsReadOnly(Exception e) => Number(e) == ReadOnly;

    /// <summary>There is no space left, or no quota.</summary>
    public static bool IsFull(Exception e) => Number(e) is NoSpace or Quota;

    /// <summary>This process, or the system, has too many files open.</summary>
    public static bool IsOutOfFiles(Exception e) => Number(e) is FilesOfSystem or FilesOfProcess;

    // The framework puts errno into the result code of an IOException; it may be wrapped in one with an explanation.
    static int Number(Exception e) => e is not IOException ? 0 : e.HResult is > 0 and < 4096 ? e.HResult : e.InnerException is { } inner ? Number(inner) : 0;
}
