internal import Foundation
internal import GRPCServer

extension Settings {
    /// The files of the xDS server's TLS, which are there, and what bootstraps say of it.
    struct TLS: Sendable {
        var files: TLSFiles.Paths
        /// PEM, for bootstraps.
        var trustedCertificates: String
        /// The places where proxies have theirs, for bootstraps.
        var clientCertificate: (chainFile: String, keyFile: String)?
    }
}

extension Settings.TLS {
    /// `nil`: neither certificate nor key were given.
    ///
    /// - Throws: ``ConfigurationError`` naming the setting that lacks another one, or whose file cannot be used.
    init?(_ reader: SettingReader) throws(ConfigurationError) {
        let (certificate, key) = (ServerSettings.xdsCertificate, ServerSettings.xdsKey)
        guard let own = try Self.pair(certificate, key, reader) else {
            for setting in [
                ServerSettings.xdsAuthority, ServerSettings.xdsClientAuthority, ServerSettings.xdsClientCertificate,
                ServerSettings.xdsClientKey,
            ] {
                guard try reader.value(of: setting) == nil else {
                    throw ConfigurationError("\(setting) needs \(certificate) and \(key)")
                }
            }
            return nil
        }
        let authority = try reader.value(of: ServerSettings.xdsAuthority)
        let clientAuthorities = try reader.value(of: ServerSettings.xdsClientAuthority)
        let client = try Self.pair(ServerSettings.xdsClientCertificate, ServerSettings.xdsClientKey, reader)
        for (setting, file) in [
            (certificate, own.certificate), (key, own.key), (ServerSettings.xdsAuthority, authority),
            (ServerSettings.xdsClientAuthority, clientAuthorities),
        ] {
            guard let file, !FileManager.default.isReadableFile(atPath: file) else { continue }
            throw ConfigurationError("\(setting): cannot read \(file)")
        }
        let trustedFile = authority ?? own.certificate
        guard let trusted = try? String(contentsOfFile: trustedFile, encoding: .utf8), trusted.contains("CERTIFICATE")
        else {
            let setting = authority == nil ? certificate : ServerSettings.xdsAuthority
            throw ConfigurationError("\(setting): \(trustedFile) has no certificate in PEM")
        }
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
