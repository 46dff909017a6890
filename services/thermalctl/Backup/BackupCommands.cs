using System.CommandLine;
using System.Globalization;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Thermalctl;

/// <summary>
/// The verbs <c>backup</c> and <c>restore</c>, which <c>./up</c> runs with the project's volumes mounted while its services are stopped.
/// </summary>
static class BackupCommands
{
    const string Volumes = "/volumes";

    public static Command Backup()
    {
        var archive = Archive();
        var places = Places();
        var owner = new Option<string>("--owner")
        {
            Description = "Ids of the user and the group that own the backup, for example 1000:1000.",
        };
        var backup = new Command("backup", "Writes every volume that matters into one file.") { archive, places, owner };
        backup.SetAction(
            (parsed, cancellationToken) =>
            {
                var path = parsed.GetValue(archive)!;
                var narrator = Narrator();
                var manifest = new BackupWriter(parsed.GetValue(places)!, narrator, TimeProvider.System).Write(path, cancellationToken);
                if (parsed.GetValue(owner)?.Split(':') is [var user, var group])
                    Give(path, user, group, narrator);
                Say(narrator, manifest, new FileInfo(path).Length);
                return Task.FromResult(ExitCodes.Ok);
            }
        );
        return backup;
    }

    public static Command Restore()
    {
        var archive = Archive();
        var places = Places();
        var replace = new Option<bool>("--replace") { Description = "First delete what the volumes hold now." };
        var undelivered = new Option<bool>("--undelivered")
        {
            Description = "Deliver the undelivered readings in the backup, although they may have been delivered since.",
        };
        var restore = new Command("restore", "Puts a backup into the volumes.") { archive, places, replace, undelivered };
        restore.SetAction(
            (parsed, cancellationToken) =>
            {
                var narrator = Narrator();
                var manifest = new BackupRestore(parsed.GetValue(places)!, narrator, TimeProvider.System).Restore(
                    parsed.GetValue(archive)!,
                    new RestoreOptions(parsed.GetValue(replace), parsed.GetValue(undelivered)),
                    cancellationToken
                );
                narrator.Say(
                    $"restored {manifest.Files} files of {manifest.Volumes.Count} volumes, as they were at {manifest.MadeAt.UtcDateTime:u}"
                );
                return Task.FromResult(ExitCodes.Ok);
            }
        );
        return restore;
    }

    static Argument<string> Archive() => new("file") { Description = "The backup." };

    static Option<string> Places() =>
        new("--volumes") { Description = "Where the volumes are mounted.", DefaultValueFactory = _ => Volumes };

    static Narrator Narrator() => new(Console.Out, Console.Error, Terminal.IsInteractive);

    /// <summary>Makes the person the owner of the backup; some file systems, of a USB stick for example, have no owners.</summary>
    static void Give(string path, string user, string group, Narrator narrator)
    {
        try
        {
            SystemCalls.ChangeOwner(path, int.Parse(user, CultureInfo.InvariantCulture), int.Parse(group, CultureInfo.InvariantCulture));
        }
        catch (IOException e)
        {
            narrator.Warn($"{e.Message}. On a file system without owners, everybody who can mount it can read the backup");
        }
    }

    static void Say(Narrator narrator, BackupManifest manifest, long bytes)
    {
        narrator.Say(
            $"{manifest.Files} files of {manifest.Volumes.Count} volumes, {BackupProgress.Megabytes(manifest.Bytes)} MB; the backup has "
                + $"{BackupProgress.Megabytes(bytes)} MB"
        );
        narrator.Say("the backup holds every key and password of this installation: keep it where nobody else can read it");
        var (outboxes, journals, replay) = manifest.Undelivered;
        if (!manifest.Undelivered.IsNone)
            narrator.Warn(
                $"the backup also holds undelivered readings: {outboxes} of outboxes, {journals} of the s3-forwarder's journals, and "
                    + $"{replay} files of dead letters to be replayed. If this installation runs on and this backup is restored later, "
                    + "they arrive twice. A backup that is made when ./thermalctl status shows no backlog holds none"
            );
    }
}
