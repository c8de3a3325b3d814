import GRPCServer
import HTTP2
import MeshCore
import MeshIdentity
import MeshModel
import Testing
import XDSServer

@testable import MeshDataPlane

@Suite("Who is let in")
struct ProxyAdmissionTests {
    private static func tokens(_ ids: String...) throws -> ProxyTokens {
        try #require(
            ProxyTokens(
                keys: ids.map { id in (id: id, secret: Secret([UInt8](repeating: UInt8(id.utf8.first ?? 0), count: 32)))
                }))
    }

    private static func request(
        _ tokens: ProxyTokens, _ uids: MeshUIDs? = nil, issuedAt: Int64 = 0
    ) throws -> AdmissionRequest {
        let claims = ProxyClaims(
            mesh: MeshKey(tenant: try #require(Name("acme")), mesh: .defaultMesh), uids: uids,
            namespace: try #require(Name("shop")),
            proxy: try #require(Name("p-1")), service: try #require(Name("p")), cluster: try #require(Name("dev")),
            issuedAt: issuedAt, expiresAt: 1 << 40)
        let token = try tokens.issue(claims).reveal()
        return AdmissionRequest(
            metadata: GRPCMetadata(fields: [HTTP2Header("authorization", "Bearer \(token)")]), node: NodeInfo(id: "p"))
    }

    @Test("goes by the keys of the moment: a new one is added before it signs, an old one stays until it is removed")
    func rotation() throws {
        let (old, new) = (try Self.request(Self.tokens("a")), try Self.request(Self.tokens("b")))
        let admission = ProxyAdmission(tokens: try Self.tokens("a")) { _ in nil }
        let admitted = try admission.admit(old)
        #expect(throws: GRPCStatus.self) { try admission.admit(new) }
        #expect(throws: GRPCStatus.self) { try admission.identity(of: new.metadata) }
        #expect(try admission.identity(of: GRPCMetadata(fields: [])) == nil)

        admission.use(try Self.tokens("b", "a"))
        #expect(try admission.admit(old) == admitted && admission.admit(new) == admitted)
        #expect(try admission.identity(of: new.metadata)?.tenant == "acme")

        admission.use(try Self.tokens("b"))
        #expect(throws: GRPCStatus.self) { try admission.admit(old) }
        #expect(try admission.admit(new) == admitted)
    }

    private static let life = MeshLife(tenant: "t2", mesh: "m2", since: 1_000)

    /// What a token comes to of which the mesh with its name is ``life``: on a replica that knows that when the proxy comes, and
    /// on one that learns it later.
    private static func outcomes(_ uids: MeshUIDs?, issuedAt: Int64) throws -> [GRPCStatus.Code?] {
        let request = try request(tokens("a"), uids, issuedAt: issuedAt)
        let knowing = ProxyAdmission(tokens: try tokens("a")) { _ in life }
        let learning = ProxyAdmission(tokens: try tokens("a")) { _ in nil }
        var first: GRPCStatus.Code?
        do throws(GRPCStatus) { _ = try knowing.admit(request) } catch { first = error.code }
        let admission = try learning.admit(request)
        return [first, learning.refusal(of: admission, owner: life.description)?.code]
    }

    @Test("a token is for one tenant and one mesh, and for no later ones of the same names")
    func lives() throws {
        #expect(try Self.outcomes(MeshUIDs(Self.life), issuedAt: 1_000) == [nil, nil])
        let others = [
            MeshUIDs(tenant: "t1", mesh: "m1"), MeshUIDs(tenant: "t2", mesh: "m1"), MeshUIDs(tenant: "t1", mesh: "m2"),
        ]
        for uids in others {
            #expect(try Self.outcomes(uids, issuedAt: 999) == [.permissionDenied, .permissionDenied], "\(uids)")
            // It may be this replica that is behind.
            #expect(try Self.outcomes(uids, issuedAt: 1_001) == [.unavailable, .unavailable], "\(uids)")
        }
    }

    @Test("a token from before tokens said so is for the mesh that was there when it was issued")
    func oldTokens() throws {
        #expect(try Self.outcomes(nil, issuedAt: 999) == [.permissionDenied, .permissionDenied])
        #expect(try Self.outcomes(nil, issuedAt: 1_000) == [nil, nil])
        #expect(try Self.outcomes(nil, issuedAt: 2_000) == [nil, nil])
    }

    @Test("what cannot be read is no right")
    func unreadable() throws {
        let admission = ProxyAdmission(tokens: try Self.tokens("a")) { _ in nil }
        var admitted = try admission.admit(try Self.request(Self.tokens("a"), MeshUIDs(Self.life), issuedAt: 1_000))
        #expect(admission.refusal(of: admitted, owner: "t2/m2")?.code == .permissionDenied)
        for right in ["", "t2/m2", "t2/m2/", "t2/m2/1000/", "t2/m2/x"] {
            admitted.right = right
            #expect(admission.refusal(of: admitted, owner: Self.life.description)?.code == .permissionDenied)
        }
    }

    @Test("who asks for its status shows a token for the mesh that is there now")
    func status() throws {
        let admission = ProxyAdmission(tokens: try Self.tokens("a")) { _ in Self.life }
        let status = StatusAdmission(admission: admission, adminToken: nil)
        let old = try Self.request(Self.tokens("a"), MeshUIDs(tenant: "t1", mesh: "m1"), issuedAt: 999)
        #expect(throws: GRPCStatus.self) { try status.visibility(old) }
        let new = try Self.request(Self.tokens("a"), MeshUIDs(Self.life), issuedAt: 1_000)
        #expect(try status.visibility(new) == .own(proxy: "acme/default/shop/p-1"))
    }
}
