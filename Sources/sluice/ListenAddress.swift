internal import Foundation
internal import NIOCore

/// A host and a TCP port, `127.0.0.1:8080` or `[::1]:8080`.
struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
    let host: String
    /// `0...65_535`; 0 lets the system choose.
    let port: Int

    /// - Throws: ``ConfigurationError`` naming the setting.
    init(_ text: String, setting: String) throws {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw ConfigurationError("\(setting) must be HOST:PORT, not \"\(text)\"")
        }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty else { throw ConfigurationError("\(setting) must name a host, not \"\(text)\"") }
        self.host = host
        self.port = Int(port)
    }

    var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Runs what listens here, and says of an address that cannot be listened on which it is and what to change.
    ///
    /// - Parameters:
    ///   - listener: what cannot do without it, as the subject of a sentence.
    ///   - option: what the address comes from.
    /// - Throws: ``Failure``; whatever else `body` throws.
    func explaining(_ listener: String, option: String, _ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let error as IOError {
            let variable = "SLUICE_" + option.drop { $0 == "-" }.uppercased()
            let reason = unsafe String(cString: strerror(error.errnoCode))
            let remedy =
                switch error.errnoCode {
                case EADDRINUSE: "stop what listens there, or choose another with \(option) (\(variable))"
                case EADDRNOTAVAIL: "this machine has no such address; choose another with \(option) (\(variable))"
                case EACCES: "ports below 1024 need a right; choose another with \(option) (\(variable))"
                default: "choose another with \(option) (\(variable))"
                }
            throw Failure("\(listener) cannot listen on \(self): \(reason.lowercased()); \(remedy)")
        } catch let error as SocketAddressError {
            throw Failure("\(listener) cannot listen on \(self), the address of \(option): \(error)")
        }
    }
}
