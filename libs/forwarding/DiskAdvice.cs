using ThermalStreaming.Journal;

namespace ThermalStreaming.Forwarding;

/// <summary>Tells the operator what to do about an error of the data volume.</summary>
static class DiskAdvice
{
    /// <summary>One or two sentences.</summary>
    public static string For(Exception e) =>
        e switch
        {
            _ when DiskError.IsMedium(e) =>
                "The storage device failed to read or write (EIO): see dmesg; if it repeats, replace the SD card or disk. No data "
                    + "is cut or discarded because of this error.",
            _ when DiskError.IsOutOfFiles(e) => "Too many files are open: raise the limit of open files.",
            _ when DiskError.IsFull(e) => "The disk is full: free space on the data volume.",
            _ when DiskError.IsReadOnly(e) =>
                "The file system is read-only; the kernel remounts it so after errors: see dmesg, check it with fsck, mount it for writing "
                    + "again.",
            _ => $"It and its directory must be readable and writable for user {Environment.UserName} and have free space.",
        };
}
