using System.Security.Authentication;

namespace ThermalStreaming.Control;

/// <summary>A control service's certificate is not accepted. This ends the connection before anything is sent.</summary>
/// <param name="problem">What is wrong with it.</param>
sealed class ControlCertificateException(ServerCertificateProblem problem) : AuthenticationException(problem.What)
{
    public ServerCertificateProblem Problem => problem;
}
