import GRPCServer
import HTTP2
import MeshIdentity
import MeshModel
import Testing
import XDSServer

@testable import sluice

@Suite("Who is let in")
struct ProxyAdmissionTests {
    private static func tokens(_ ids: String...) throws -> ProxyTokens {
        try #require(
            ProxyTokens(
                keys: ids.map { id in (id: id, secret: Secret([UInt8](repeating: UInt8(id.utf8.first ?? 0), count: 32)))
                }))
    }

    private static func request(_ tokens: ProxyTokens) throws -> AdmissionRequest {
        let claims = ProxyClaims(
            mesh: MeshKey(tenant: try #require(Name("acme")), mesh: .defaultMesh),
            namespace: try #require(Name("shop")),
            proxy: try #require(Name("p-1")), service: try #require(Name("p")), cluster: try #require(Name("dev")),
            issuedAt: 0, expiresAt: 1 << 40)
        let token = try tokens.issue(claims).reveal()
        return AdmissionRequest(
            metadata: GRPCMetadata(fields: [HTTP2Header("authorization", "Bearer \(token)")]), node: NodeInfo(id: "p"))
    }

    @Test("goes by the keys of the moment: a new one is added before it signs, an old one stays until it is removed")
    func rotation() throws {
        let (old, new) = (try Self.request(Self.tokens("a")), try Self.request(Self.tokens("b")))
        let admission = ProxyAdmission(tokens: try Self.tokens("a"))
        let admitted = try admission.admit(old)
        #expect(throws: GRPCStatus.self) { try admission.admit(new) }
        #expect(admission.identity(of: new.metadata) == nil)

        admission.use(try Self.tokens("b", "a"))
        #expect(try admission.admit(old) == admitted && admission.admit(new) == admitted)
        #expect(admission.identity(of: new.metadata)?.tenant == "acme")

        admission.use(try Self.tokens("b"))
        #expect(throws: GRPCStatus.self) { try admission.admit(old) }
        #expect(try admission.admit(new) == admitted)
    }
}
