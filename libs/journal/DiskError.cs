namespace ThermalStreaming.Journal;

/// <summary>Says why a file could not be used: a wrong setting, the present state of the disk, or a sector that cannot be read.</summary>
public static class DiskError
{
    const int NotPermitted = 1,
        NoEntry = 2,
        InputOutput = 5,
        AccessDenied = 13,
        Exists = 17,
        NotADirectory = 20,
        IsADirectory = 21,
        NoSpace = 28,
        ReadOnly = 30,
        NameTooLong = 36,
        TooManyLinks = 40,
        FilesOfSystem = 23,
        FilesOfProcess = 24,
        BadMessage = 74,
        Corrupt = 117,
        Quota = 122;

    /// <summary>Whether the file system gave this error, and not a defect of the program.</summary>
    public static bool IsFileProblem(Exception e) => e is IOException or UnauthorizedAccessException;

    /// <summary>
    /// Whether a path or its permissions must be corrected, because waiting changes nothing. False for a disk that is full or read-only, an
    /// I/O error and too many open files: those can pass.
    /// </summary>
    public static bool IsSetting(Exception e) =>
        e is IOException { InnerException: { } inner }
            ? IsSetting(inner)
            : e is UnauthorizedAccessException or FileNotFoundException or DirectoryNotFoundException or PathTooLongException
                || Number(e)
                    is NotPermitted
                        or NoEntry
                        or AccessDenied
                        or Exists
                        or NotADirectory
                        or IsADirectory
                        or NameTooLong
                        or TooManyLinks;

    /// <summary>Whether the medium did not give the bytes back (EIO and its like). They may be readable later.</summary>
    public static bool IsMedium(Exception e) => Number(e) is InputOutput or BadMessage or Corrupt;

    /// <summary>Whether the file system is mounted read-only.</summary>
    public static bool IsReadOnly(Exception e) => Number(e) == ReadOnly;

    /// <summary>Whether the file system has no space left, or the user no quota.</summary>
    public static bool IsFull(Exception e) => Number(e) is NoSpace or Quota;

    /// <summary>Whether this process, or the system, has too many files open.</summary>
    public static bool IsOutOfFiles(Exception e) => Number(e) is FilesOfSystem or FilesOfProcess;

    // The framework puts errno into the result code of an IOException; it may be wrapped in one with an explanation.
    static int Number(Exception e) =>
        e switch
        {
            not IOException => 0,
            { HResult: > 0 and < 4096 } => e.HResult,
            { InnerException: { } inner } => Number(inner),
            _ => 0,
        };
}
