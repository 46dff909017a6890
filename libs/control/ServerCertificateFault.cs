namespace ThermalStreaming.Control;

/// <summary>What is wrong with a server's certificate.</summary>
public enum ServerCertificateFault
{
    /// <summary>The server shows no certificate.</summary>
    Missing,

    /// <summary>The certificate, or its authority's, has expired or is not valid yet.</summary>
    Expired,

    /// <summary>No trusted authority has signed it.</summary>
    Untrusted,

    /// <summary>It is for other names.</summary>
    OtherName,
}
