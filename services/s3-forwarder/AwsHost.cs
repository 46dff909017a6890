namespace ThermalStreaming.S3Forwarder;

/// <summary>Host environments that give keys to this process.</summary>
enum AwsHost
{
    None,

    /// <summary>ECS, EKS Pod Identity, Greengrass: an address in AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or …_FULL_URI.</summary>
    Container,

    /// <summary>The metadata service of an EC2 instance (IMDS), if AWS_EC2_METADATA_DISABLED=false allows to ask it.</summary>
    Instance,
}
