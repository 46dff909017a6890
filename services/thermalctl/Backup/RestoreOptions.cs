namespace ThermalStreaming.Thermalctl;

/// <summary>What the person agrees to.</summary>
/// <param name="Replaces">What the volumes hold now is deleted.</param>
/// <param name="DeliversAgain">What the backup holds undelivered is delivered, although the installation may have done so since.</param>
sealed record RestoreOptions(bool Replaces, bool DeliversAgain);
