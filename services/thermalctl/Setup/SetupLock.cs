using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ThermalStreaming.Thermalctl;

/// <summary>
/// Lets one process at a time change the broker's users and certificates: <c>keeper</c> runs beside <c>setup</c> and <c>./up --enroll</c>.
/// Held until it is disposed, or its process ends.
/// </summary>
sealed partial class SetupLock : IDisposable
{
    const int Exclusive = 2;
    const uint ForOwner = 0x180;

    readonly SafeFileHandle file;

    SetupLock(SafeFileHandle file) => this.file = file;

    /// <summary>Waits until no other process holds it.</summary>
    public static SetupLock Take(SetupPlaces places)
    {
        var path = Path.Combine(places.Auth, "lock");
        // Not a FileStream: that takes its own lock at once, and fails instead of waiting.
        var file = creat(path, ForOwner);
        if (!file.IsInvalid && flock(file, Exclusive) == 0)
            return new SetupLock(file);
        var problem = Marshal.GetLastPInvokeErrorMessage();
        file.Dispose();
        throw new FailureException($"{path} cannot be locked", problem, SetupCommand.LookAtDisk);
    }

    public void Dispose() => file.Dispose();

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial SafeFileHandle creat(string path, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int flock(SafeFileHandle file, int operation);
}
