internal import Crypto
internal import HTTPTypes
internal import MeshControl
internal import MeshCore
internal import MeshIdentity
internal import MeshModel
internal import Synchronization

/// Tells who calls: the platform's administrator by its token, anybody else by an API key.
///
/// Valid keys are remembered for a few seconds, so that a busy client does not ask the database twice for everything; a
/// key that is revoked works for so much longer at most. What cannot be a key is refused without asking the database, and what
/// was asked for in vain is remembered as well.
final class Authenticator: Sendable {
    private static let lifetime = Duration.seconds(5)
    private static let capacity = 1024

    private let adminToken: AdminToken?
    private let control: ControlPlane
    /// By their hash; `nil`: nobody's.
    private let known = Mutex<[SHA256Digest: (caller: Caller?, until: ContinuousClock.Instant)]>([:])

    init(adminToken: String?, control: ControlPlane) {
        self.adminToken = adminToken.map(AdminToken.init)
        self.control = control
    }

    /// - Parameter field: the request's `Authorization`.
    /// - Throws: ``Problem`` 401.
    func caller(authorization field: String?) async throws -> Caller {
        guard let field, let space = field.firstIndex(of: " "), field[..<space].lowercased() == "bearer" else {
            throw Self.unauthenticated("an Authorization: Bearer <token> is needed")
        }
        let token = String(field[space...]).trimmed
        guard (1...4096).contains(token.utf8.count) else { throw Self.unauthenticated("the token is not valid") }
        if let adminToken, adminToken.matches(token) { return .platformAdministrator }
        guard APIKeySecret.isWellFormed(token) else { throw Self.unauthenticated("the token is not valid") }
        let hash = SHA256.hash(data: Array(token.utf8))
        let now = ContinuousClock.now
        let found: Caller?
        if let entry = known.withLock({ $0[hash] }), now < entry.until {
            found = entry.caller
        } else {
            found = try await control.caller(withToken: token)
            remember(found, hash, until: now + Self.lifetime)
        }
        guard let found else { throw Self.unauthenticated("the token is not valid") }
        return found
    }

    private func remember(_ caller: Caller?, _ hash: SHA256Digest, until end: ContinuousClock.Instant) {
        known.withLock { known in
            // Wrong ones, of which anybody can make as many as they like, do not push out right ones.
            if known.count >= Self.capacity {
                known = known.filter { $0.value.caller != nil && $0.value.until > end - Self.lifetime }
            }
            if known.count >= Self.capacity {
                guard caller != nil else { return }
                known.removeAll(keepingCapacity: true)
            }
            known[hash] = (caller, end)
        }
    }

    private static func unauthenticated(_ detail: String) -> Problem {
        Problem(.unauthorized, "unauthenticated", detail, headers: [.wwwAuthenticate: "Bearer realm=\"sluice\""])
    }
}

extension Caller {
    /// A caller whose token nobody looked at, on a route that is open to all.
    static let anonymous = Caller(description: "anonymous", role: .viewer, tenant: nil)
}
