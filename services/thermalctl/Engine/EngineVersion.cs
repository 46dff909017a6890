namespace ThermalStreaming.Thermalctl;

/// <summary>Docker Engine's answer to <c>/version</c>.</summary>
/// <param name="Version">For example 20.10.24+dfsg1.</param>
/// <param name="ApiVersion">The newest version of the API that it speaks.</param>
/// <param name="MinAPIVersion">The oldest.</param>
sealed record EngineVersion(string Version, string ApiVersion, string MinAPIVersion = "1.12")
{
    static readonly Version oldest = new(20, 10);

    /// <summary>Whether this project is known to work with it.</summary>
    public bool IsSupported => Number >= oldest;

    /// <summary>Major and minor number; 0.0 if the text is not a version.</summary>
    public Version Number
    {
        get
        {
            var parts = Version.TrimStart('v').Split('.', '-', '+', '~');
            return parts.Length >= 2 && int.TryParse(parts[0], out var major) && int.TryParse(parts[1], out var minor)
                ? new Version(major, minor)
                : new Version(0, 0);
        }
    }
}
