using System.Security.Authentication;

namespace ThermalStreaming.Control;

/// <summary>A control service shows a certificate that is not accepted. It ends the connection before anything is sent.</summary>
/// <param name="problem">Why.</param>
sealed class ControlCertificateException(ServerCertificateProblem problem) : AuthenticationException(problem.What)
{
    public ServerCertificateProblem Problem => problem;
}
