using System.Globalization;
using System.Text;

namespace ThermalStreaming.Mappings;

/// <summary>
/// Names of devices behind a gateway, as parts of device ids. Different names give different parts. A colon separates parts; a device
/// enrolled by itself has no colon in its name, so it cannot have such an id.
/// </summary>
static class GatewayName
{
    /// <summary><c>%</c>, <c>:</c>, <c>/</c>, the wildcards and control characters become <c>%</c> and two hexadecimal digits.</summary>
    public static string Escape(string name)
    {
        if (!name.AsSpan().ContainsAny("%:/+#") && !name.Any(char.IsControl))
            return name;
        var escaped = new StringBuilder(name.Length + 8);
        foreach (var letter in name)
        {
            if (!char.IsControl(letter) && !"%:/+#".Contains(letter, StringComparison.Ordinal))
            {
                escaped.Append(letter);
                continue;
            }
            foreach (var octet in Encoding.UTF8.GetBytes([letter]))
                escaped.Append(CultureInfo.InvariantCulture, $"%{octet:X2}");
        }
        return escaped.ToString();
    }
}
