namespace ThermalStreaming.Thermalctl;

/// <summary>The parts of an image in Docker's list that this program needs: its names, null if it has none.</summary>
sealed record ImageSummary(IReadOnlyList<string>? RepoTags);
