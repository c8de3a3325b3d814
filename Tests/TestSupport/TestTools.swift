internal import Foundation

/// The real programs that tests run with, as `make test` has installed them into the checkout; what else is on the machine does
/// not matter.
package enum TestTools {
    /// The checkout.
    package static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// The real Envoys between which Sluice supports all.
    package enum Envoy: CaseIterable, Sendable {
        case newest, oldest
    }

    /// The path of a real Envoy; `SLUICE_ENVOY` names another for the newest.
    ///
    /// - Throws: ``MissingPart``.
    package static func envoy(_ envoy: Envoy = .newest) throws -> String {
        switch envoy {
        case .newest:
            try executable(ProcessInfo.processInfo.environment["SLUICE_ENVOY"] ?? "\(root)/.build/tools/envoy")
        case .oldest: try executable("\(root)/.build/oldest-envoy/envoy")
        }
    }

    /// The path of Python with grpcio.
    ///
    /// - Throws: ``MissingPart``.
    package static func python() throws -> String { try executable("\(root)/.build/tools/bin/python3") }

    /// - Throws: ``MissingPart`` if `path` cannot be executed.
    package static func executable(_ path: String) throws -> String {
        guard FileManager.default.isExecutableFile(atPath: path) else { throw MissingPart(path: path) }
        return path
    }
}

package struct MissingPart: Error, CustomStringConvertible {
    package let path: String
    package var description: String {
        "\(path) is missing; `make test` installs and builds what the tests need"
    }
}
