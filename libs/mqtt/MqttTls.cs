namespace ThermalStreaming.Mqtt;

/// <summary>TLS with the machine's authorities or other ones, and optionally a client certificate. Files are PEM and are read at each
/// connect, so that a renewed certificate needs no restart.</summary>
public sealed class MqttTls
{
    /// <summary>Certificates of the authorities to trust instead of the machine's.</summary>
    public string? CaFile { get; set; }

    /// <summary>This client's certificate, followed by its intermediate ones if any.</summary>
    public string? ClientCertificateFile { get; set; }

    /// <summary>Its private key, unencrypted. Null: in the certificate file.</summary>
    public string? ClientKeyFile { get; set; }

    /// <summary>Accept any certificate. Only for trying things out: nothing then proves that this is the broker.</summary>
    public bool AllowUntrusted { get; set; }

    /// <summary>The name that the broker's certificate must carry. Null: the host.</summary>
    public string? ServerName { get; set; }

    internal MqttTls Copy() => (MqttTls)MemberwiseClone();
}
