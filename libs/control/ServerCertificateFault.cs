namespace ThermalStreaming.Control;

/// <summary>What is wrong with a server's certificate.</summary>
public enum ServerCertificateFault
{
    /// <summary>There is none.</summary>
    Missing,

    /// <summary>It, or its authority's, has expired or is not valid yet.</summary>
    Expired,

    /// <summary>No authority that is trusted has signed it.</summary>
    Untrusted,

    /// <summary>It is for other names.</summary>
    OtherName,
}
