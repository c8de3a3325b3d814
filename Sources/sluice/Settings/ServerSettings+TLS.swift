/// TLS of the xDS server, and what bootstraps say of it.
extension ServerSettings {
    static let tls: [any DeclaredSetting] = [
        xdsCertificate, xdsKey, xdsAuthority, xdsClientAuthority, xdsClientCertificate, xdsClientKey,
    ]

    static let xdsCertificate = Setting.file(
        "xds-tls-cert", "PEM file with the certificate chain of the xDS server; with it, xDS is TLS.")

    static let xdsKey = Setting.file("xds-tls-key", "PEM file with the private key of the xDS server.")

    static let xdsAuthority = Setting.file(
        "xds-tls-ca",
        """
        PEM file with the authority that proxies trust to have signed the xDS server's certificate, for their bootstraps.
        """, otherwise: "the file of --xds-tls-cert, right for a self-signed one")

    static let xdsClientAuthority = Setting.file(
        "xds-tls-client-ca",
        """
        PEM file with authorities: only proxies with a certificate that one of them signed may connect. It does not replace \
        their tokens.
        """)

    static let xdsClientCertificate = Setting.file(
        "xds-tls-client-cert",
        "Where proxies' machines have their certificate for --xds-tls-client-ca, for bootstraps.")

    static let xdsClientKey = Setting.file(
        "xds-tls-client-key", "Where they have the key of that certificate, for bootstraps.")
}

extension Setting<String?> {
    fileprivate static func file(_ name: String, _ help: String, otherwise defaultText: String? = nil) -> Self {
        Setting(name, help, otherwise: defaultText, must: "be a path") { $0 }
    }
}
