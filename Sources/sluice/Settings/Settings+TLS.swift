internal import Foundation
internal import GRPCServer

extension Settings {
    /// The files of the xDS server's TLS, which are there, and what bootstraps say of it.
    struct TLS: Sendable {
        var files: TLSFiles.Paths
        /// PEM, for bootstraps.
        var trustedCertificates: String
        /// Where proxies have theirs, for bootstraps.
        var clientCertificate: (chainFile: String, keyFile: String)?
    }
}

extension Settings.TLS {
    /// `nil`: neither certificate nor key were given.
    ///
    /// - Throws: ``ConfigurationError`` for one without the other, and for files that cannot be used.
    init?(_ reader: SettingReader) throws(ConfigurationError) {
        let clientAuthorities = try reader.value(of: ServerSettings.xdsClientAuthority)
        let authority = try reader.value(of: ServerSettings.xdsAuthority)
        let client = try Self.pair(ServerSettings.xdsClientCertificate, ServerSettings.xdsClientKey, reader)
        guard let own = try Self.pair(ServerSettings.xdsCertificate, ServerSettings.xdsKey, reader) else {
            guard clientAuthorities == nil else {
                throw ConfigurationError(
                    """
                    \(ServerSettings.xdsClientAuthority) needs \(ServerSettings.xdsCertificate) and \(ServerSettings.xdsKey)
                    """)
            }
            return nil
        }
        for file in [own.certificate, own.key, clientAuthorities ?? own.certificate]
        where !FileManager.default.isReadableFile(atPath: file) {
            throw ConfigurationError("cannot read \(file)")
        }
        let trustedFile = authority ?? own.certificate
        guard let trusted = try? String(contentsOfFile: trustedFile, encoding: .utf8), trusted.contains("CERTIFICATE")
        else { throw ConfigurationError("\(trustedFile) has no certificate in PEM") }
        files = TLSFiles.Paths(
            certificateChain: own.certificate, privateKey: own.key, clientAuthorities: clientAuthorities)
        trustedCertificates = trusted
        clientCertificate = client.map { ($0.certificate, $0.key) }
    }

    private static func pair(
        _ certificate: Setting<String?>, _ key: Setting<String?>, _ reader: SettingReader
    ) throws(ConfigurationError) -> (certificate: String, key: String)? {
        switch (try reader.value(of: certificate), try reader.value(of: key)) {
        case (let certificate?, let key?): return (certificate, key)
        case (nil, nil): return nil
        default: throw ConfigurationError("\(certificate) and \(key) go together")
        }
    }
}
