using Microsoft.AspNetCore.Http;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>One request as the server saw it.</summary>
/// <param name="Number">Counts from 1.</param>
/// <param name="Method">HTTP method.</param>
/// <param name="Bucket">First folder of the path.</param>
/// <param name="Key">The rest of the path.</param>
/// <param name="Headers">Of the request.</param>
sealed record S3Call(int Number, string Method, string Bucket, string Key, IHeaderDictionary Headers);
