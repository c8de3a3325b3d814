internal import Foundation
package import Logging
package import NIOSSL
internal import Synchronization

/// A server's certificate and key in PEM files, and whose clients it lets in; read again when they change.
///
/// Renewing a certificate replaces several files, one after the other. Until they fit together again, the last ones that
/// did are used.
package final class TLSFiles: Sendable {
    package struct Paths: Sendable, Hashable {
        /// The server's certificate, followed by those that lead to its authority.
        package var certificateChain: String
        package var privateKey: String
        /// Authorities one of which must have signed a client's certificate; `nil`: clients need none.
        package var clientAuthorities: String?

        package init(certificateChain: String, privateKey: String, clientAuthorities: String? = nil) {
            self.certificateChain = certificateChain
            self.privateKey = privateKey
            self.clientAuthorities = clientAuthorities
        }
    }

    private struct State {
        var stamps: [Stamp?]
        var context: NIOSSLContext
        /// With which the last attempt failed, so that it is said once.
        var failed: [Stamp?]?
    }

    private let paths: Paths
    private let logger: Logger
    private let state: Mutex<State>

    /// - Throws: if the files cannot be read or do not fit together.
    package init(_ paths: Paths, logger: Logger) throws {
        self.paths = paths
        self.logger = logger
        state = Mutex(State(stamps: Self.stamps(paths), context: try Self.load(paths)))
    }

    /// For the next connection.
    package var context: NIOSSLContext {
        // Before reading, so that a change while reading is noticed the next time.
        let stamps = Self.stamps(paths)
        return state.withLock { state in
            guard stamps != state.stamps else { return state.context }
            do {
                state = State(stamps: stamps, context: try Self.load(paths))
                logger.notice("certificate read anew", metadata: ["file": "\(paths.certificateChain)"])
            } catch {
                if state.failed != stamps {
                    logger.error(
                        "the new certificate or key cannot be used; the old one stays",
                        metadata: ["file": "\(paths.certificateChain)", "error": "\(error)"])
                }
                state.failed = stamps
            }
            return state.context
        }
    }

    private static func load(_ paths: Paths) throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMFile(paths.certificateChain)
        let key = try NIOSSLPrivateKey(file: paths.privateKey, format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.applicationProtocols = ["h2"]
        configuration.minimumTLSVersion = .tlsv12
        if let authorities = paths.clientAuthorities {
            // Clients have no host name that could be compared: who they are is decided later, by their token.
            configuration.certificateVerification = .noHostnameVerification
            configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(authorities))
        }
        return try NIOSSLContext(configuration: configuration)
    }

    /// A mark that changes when a file does, also when a link leads to another one.
    private struct Stamp: Equatable {
        var changed: Date?
        var size: Int?
        var file: Int?
    }

    private static func stamps(_ paths: Paths) -> [Stamp?] {
        [paths.certificateChain, paths.privateKey, paths.clientAuthorities].map { path in
            guard let path else { return nil }
            let target = URL(filePath: path).resolvingSymlinksInPath().path(percentEncoded: false)
            let attributes = (try? FileManager.default.attributesOfItem(atPath: target)) ?? [:]
            return Stamp(
                changed: attributes[.modificationDate] as? Date, size: attributes[.size] as? Int,
                file: attributes[.systemFileNumber] as? Int)
        }
    }
}
