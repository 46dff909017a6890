namespace ThermalStreaming.Thermalctl;

/// <summary>What this program wants of an image in Docker's list: its names, null where it has none.</summary>
sealed record ImageSummary(IReadOnlyList<string>? RepoTags);
