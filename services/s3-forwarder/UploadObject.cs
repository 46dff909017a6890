namespace ThermalStreaming.S3Forwarder;

/// <summary>An object to upload.</summary>
/// <param name="Bucket">Its bucket.</param>
/// <param name="Key">Its key.</param>
/// <param name="ContentType">Its content type.</param>
/// <param name="PlanId">Random identity of the plan that it belongs to.</param>
/// <param name="Rows">Readings in it.</param>
sealed record UploadObject(string Bucket, string Key, string ContentType, string PlanId, int Rows)
{
    /// <summary>For messages.</summary>
    public string Address => $"s3://{Bucket}/{Key}";
}
