using System.Security.Cryptography;
using System.Text;
using ThermalStreaming.Forwarding;
using ThermalStreaming.Journal;
using ThermalStreaming.Readings;

namespace ThermalStreaming.S3Forwarder;

/// <summary>
/// Keeps the rules of a slot's plan beside it, so that a plan can be finished with its original rules after the rules have changed: it
/// cannot be known which of its objects are uploaded already.
/// </summary>
/// <remarks>
/// A copy of the rules file, <c>s3-rules-{identity's hash}.json</c>. It is on disk before the plan that needs it, and is deleted after the
/// next plan with other rules is on disk.
/// </remarks>
sealed class PlannedRules(string directory)
{
    const string Pattern = "s3-rules-*.json";

    string? kept;

    /// <summary>
    /// Call it before saving a plan with these rules. Writes nothing if they are there. If the disk refuses, the plan is made all the same,
    /// because delivering it frees space; this matters only if the rules change before the plan is finished.
    /// </summary>
    public void Keep(ValidationRules rules)
    {
        var path = PathOf(rules.Identity);
        if (kept == path || File.Exists(path))
            return;
        try
        {
            DurableFile.Replace(path, rules.Source.Span);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The next plan tries again.
        }
    }

    /// <summary>Call it after saving a plan with these rules. Deletes other rules; a file that cannot be deleted does no harm.</summary>
    public void Tidy(ValidationRules rules)
    {
        var path = PathOf(rules.Identity);
        if (kept == path || !File.Exists(path))
            return;
        kept = path;
        try
        {
            foreach (var other in Directory.EnumerateFiles(directory, Pattern).Where(file => file != path))
                File.Delete(other);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The files are a few kilobytes; the next change of the rules tries again.
        }
    }

    /// <summary>The rules with that identity; null if they are not kept here, or the file was changed.</summary>
    /// <exception cref="SinkException">The disk does not give the file.</exception>
    public ValidationRules? Find(string identity)
    {
        // Versions that knew only the default rules kept none.
        if (identity == ValidationRules.Default.Identity)
            return ValidationRules.Default;
        try
        {
            var path = PathOf(identity);
            return RuleFile.Read(File.ReadAllBytes(path), path, []) is { } rules && rules.Identity == identity ? rules : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Without the rules the plan would be made again, and objects uploaded already would be loaded twice.
            throw new SinkException(
                SinkFailure.Transient,
                $"read {PathOf(identity)}: {e.Message}; the batch in hand is finished by these rules. Repair the data volume.",
                inner: e
            );
        }
    }

    internal string PathOf(string identity) =>
        Path.Combine(directory, $"s3-rules-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(identity)))[..16]}.json");
}
