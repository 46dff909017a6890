using System.Globalization;
using System.Text.RegularExpressions;

namespace ThermalStreaming.Thermalctl;

/// <summary>The kernel's table of mounted file systems, <c>/proc/PID/mountinfo</c>; see proc(5).</summary>
static partial class MountTable
{
    /// <summary>The file system that holds a path; null if the table cannot be read or names none.</summary>
    /// <param name="file">The table.</param>
    /// <param name="path">An absolute path in the mount namespace that the table describes.</param>
    public static MountPoint? Find(string file, string path)
    {
        MountPoint? found = null;
        try
        {
            foreach (var line in File.ReadLines(file))
            {
                // A later mount at the same place hides an earlier one.
                if (Parse(line) is { } mount && Holds(mount.Target, path) && mount.Target.Length >= (found?.Target.Length ?? 0))
                    found = mount;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
        return found;
    }

    // 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
    static MountPoint? Parse(string line)
    {
        var halves = line.Split(" - ", 2);
        var mount = halves[0].Split(' ');
        var system = halves[^1].Split(' ');
        return halves.Length < 2 || mount.Length < 6 || system.Length < 3
            ? null
            : new MountPoint(Text(mount[4]), system[0], Text(system[1]), [.. mount[5].Split(','), .. system[2].Split(',')]);
    }

    static bool Holds(string target, string path) =>
        target == "/" || path == target || (path.StartsWith(target, StringComparison.Ordinal) && path[target.Length] == '/');

    static string Text(string escaped) =>
        Octal().Replace(escaped, match => ((char)Convert.ToInt32(match.Groups[1].Value, 8)).ToString(CultureInfo.InvariantCulture));

    [GeneratedRegex(@"\\([0-7]{3})")]
    private static partial Regex Octal();
}
