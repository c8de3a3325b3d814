import Documents
import GrayRelease
import MeshCompiler
import MeshCore
import MeshIdentity
import MeshModel
import MeshStore
import Testing

@testable import MeshControl

@Suite("What the compiler says of an object becomes its conditions")
struct DiagnosticConditionTests {
    private static let other = ObjectKey.namespaced(
        .service, NamespacedName(namespace: .known("shop"), name: .known("reviews")), in: ControlFixture.mesh)

    private static func diagnostic(
        _ code: Diagnostic.Code, _ detail: String = "why", on place: String = "shop/virtualServices/a"
    ) throws -> Diagnostic {
        Diagnostic(try ControlFixture.key(place), ["spec", "http"], code, detail, other: other)
    }

    @Test("what is not in force is not accepted, and a notice is a condition of its own")
    func conditions() throws {
        #expect(
            try Self.diagnostic(.unknownReference).condition
                == ObjectCondition(
                    type: "Accepted", isTrue: false, reason: "UnknownReference", pointer: "/spec/http", message: "why",
                    other: Self.other.reference))
        #expect(
            try Self.diagnostic(.noReadyEndpoints).condition
                == ObjectCondition(
                    type: "NoReadyEndpoints", isTrue: true, reason: "NoReadyEndpoints", pointer: "/spec/http",
                    message: "why", other: Self.other.reference))
        let long = try Self.diagnostic(.conflict, String(repeating: "x", count: 2000)).condition
        #expect(long.message.count == 1024)
    }

    @Test("by object, each once, what is not in force first, and so many at most")
    func grouped() throws {
        let all = [
            try Self.diagnostic(.redirected), try Self.diagnostic(.conflict), try Self.diagnostic(.conflict),
            try Self.diagnostic(.tooMany, on: "shop/virtualServices/b"),
        ]
        let conditions = all.conditions
        #expect(
            conditions[try ControlFixture.key("shop/virtualServices/a")]?.map(\.type) == ["Accepted", "Redirected"])
        #expect(conditions[try ControlFixture.key("shop/virtualServices/b")]?.map(\.reason) == ["TooMany"])
        #expect(conditions.count == 2)
        let many = try (0..<30).map { try Self.diagnostic(.conflict, "\($0)") }
        #expect(many.conditions.values.map(\.count) == [20])
    }
}
