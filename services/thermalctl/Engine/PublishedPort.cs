namespace ThermalStreaming.Thermalctl;

/// <summary>A port of a container. <paramref name="PublicPort"/> is 0 if it is not published on the machine.</summary>
sealed record PublishedPort(int PrivatePort, int PublicPort = 0, string? IP = null);
