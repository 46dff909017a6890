using System.Globalization;

namespace ThermalStreaming.Journal;

/// <summary>
/// A file that a later release wrote, in a format that this one does not know. It is whole, so it is neither repaired nor set aside: that
/// release needs its content when it runs again.
/// </summary>
/// <param name="path">The file.</param>
/// <param name="found">Its format.</param>
/// <param name="known">The latest format that this release knows.</param>
public sealed class LaterFormatException(string path, long found, long known)
    : IOException(
        string.Create(
            CultureInfo.InvariantCulture,
            $"{path} has format version {found}; this program knows {known}. A later release wrote it: run that release, or let it deliver "
                + $"everything before going back."
        )
    );
