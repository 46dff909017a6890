namespace ThermalStreaming.Thermalctl;

/// <summary>The project's own images, which are in no registry: those that the settings name must be here before a start.</summary>
static class OwnImages
{
    const string Own = "thermal-streaming/";
    const string MadeByBase = "thermal-streaming/offline-";

    /// <exception cref="FailureException">An image is missing.</exception>
    public static async Task CheckAsync(DockerEngine docker, ComposeProject project, CancellationToken cancellationToken)
    {
        var here = await docker.ImagesAsync(cancellationToken);
        foreach (var image in project.Services.Select(service => project.Value("services", service, "image") ?? ""))
        {
            if (!image.StartsWith(Own, StringComparison.Ordinal) || image.StartsWith(MadeByBase, StringComparison.Ordinal))
                continue;
            if (!here.Contains(image))
            {
                throw new FailureException(
                    $"there is no image {image}",
                    "--no-build starts only images that were built or loaded before",
                    "correct IMAGE_TAG in .env ('docker image ls' lists the images), or run ./up without --no-build"
                );
            }
        }
    }
}
