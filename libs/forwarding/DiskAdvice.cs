namespace ThermalStreaming.Forwarding;

/// <summary>What a person can do about an error of the data volume.</summary>
static class DiskAdvice
{
    const int Eio = 5, Enfile = 23, Emfile = 24, Enospc = 28, Erofs = 30, Edquot = 122;

    /// <summary>One or two sentences. .NET keeps the errno of a failed call as the exception's HResult.</summary>
    public static string For(Exception e) => e.HResult switch
    {
        Eio => "The storage device failed to read or write (EIO): see dmesg; if it stays, replace the SD card or disk. Nothing is cut or discarded because of it.",
        Enfile or Emfile => "Too many files are open: raise the limit of open files.",
        Enospc or Edquot => "The disk is full: free space on the data volume.",
        Erofs => "The file system is read-only, which the kernel makes it after errors: see dmesg, check it with fsck, mount it for writing again.",
        _ => $"It and its directory must be readable and writable for user {Environment.UserName} and have free space.",
    };
}
