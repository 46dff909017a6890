namespace ThermalStreaming.Thermalctl;

/// <summary>What the person agrees to.</summary>
/// <param name="Replaces">The current content of the volumes is deleted.</param>
/// <param name="DeliversAgain">
/// Undelivered readings of the backup are delivered, although the installation may have delivered them since.
/// </param>
sealed record RestoreOptions(bool Replaces, bool DeliversAgain);
