import Foundation
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import Egress

/// A policy that opens loopback, where the tests' servers are.
let loopback = EgressPolicy(allowed: ["127.0.0.0/8", "::1/128"].compactMap { CIDR($0) })

/// Runs `body` with a client, and shuts it down.
func withClient<T>(
    _ policy: EgressPolicy = loopback, resolver: (any NameResolver)? = nil, trusting certificate: String? = nil,
    connectTimeout: Duration = .seconds(20), _ body: (EgressClient) async throws -> T
) async throws -> T {
    let file = FileManager.default.temporaryDirectory.appending(path: "sluice-egress-\(UUID().uuidString).pem")
    defer { try? FileManager.default.removeItem(at: file) }
    if let certificate { try Data(certificate.utf8).write(to: file) }
    let client = try EgressClient(
        policy: policy, resolver: resolver, authorities: certificate == nil ? nil : file.path,
        connectTimeout: connectTimeout)
    do {
        let result = try await body(client)
        await client.shutdown()
        return result
    } catch {
        await client.shutdown()
        throw error
    }
}

extension EgressClient {
    /// The reason why a call has no response; a response is an issue.
    func failure(of request: EgressRequest, at location: SourceLocation = #_sourceLocation) async throws
        -> EgressFailure
    {
        do throws(EgressFailure) {
            let response = try await call(request)
            throw .broken("the call had an answer, \(response.status)")
        } catch {
            return error
        }
    }
}

/// Says of every name what it was told to say, one thing after the other.
final class ScriptedResolver: NameResolver {
    private let answers: [[String]]
    private let asked = Mutex<[String]>([])

    init(_ answers: [String]...) { self.answers = answers }

    /// The names that were asked for.
    var names: [String] { asked.withLock { $0 } }

    func addresses(of name: String, until deadline: NIODeadline) async throws(EgressFailure) -> [IPAddress] {
        let turn = asked.withLock { asked in
            asked.append(name)
            return asked.count - 1
        }
        guard answers.indices.contains(turn) else { throw .notResolved(name, "nothing is left to say") }
        return answers[turn].compactMap { IPAddress($0) }
    }

    func shutdown() async {}
}
