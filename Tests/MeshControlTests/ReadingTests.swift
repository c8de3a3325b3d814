import Documents
import GrayRelease
import MeshControl
import MeshCore
import MeshIdentity
import MeshModel
import MeshStore
import Testing

@Suite("Reading tells what is there, and says so where nothing can be")
struct ReadingTests {
    private static let shop = ObjectScope(ControlFixture.mesh, namespace: .known("shop"))
    private static let nowhere = MeshKey(tenant: ControlFixture.acme, mesh: .known("blue"))

    @Test("a list comes in pages, in the order of names, and filtered by labels")
    func pages() async throws {
        try await ControlFixture.runPrepared { fixture in
            for (name, tier) in [("a", "back"), ("b", "front"), ("c", "back")] {
                try await fixture.put(
                    "shop/services/\(name)", ControlFixture.service(),
                    metadata: ["labels": ["tier": .string(tier)]])
            }
            func list(_ options: ListOptions) async throws -> ObjectPage {
                try await fixture.control.list(.service, in: Self.shop, options, by: ControlFixture.admin)
            }
            var (names, pages, after) = ([String](), 0, PageCursor?.none)
            repeat {
                let page = try await list(ListOptions(pageSize: 2, after: after))
                names += page.items.map(\.key.name.text)
                after = page.next
                pages += 1
            } while after != nil
            #expect(names == ["a", "b", "c", "reviews"] && pages == 2)
            let back = try await list(ListOptions(labels: [("tier", "back")]))
            #expect(back.items.map(\.key.name.text) == ["a", "c"] && back.next == nil)
            #expect(try await list(ListOptions(labels: [("tier", "none")])).items.isEmpty)
        }
    }

    @Test("an empty list of something that does not exist is a mistake, but for the rest of one")
    func parents() async throws {
        try await ControlFixture.runPrepared { fixture in
            let globex = Name.known("globex")
            let rows: [(kind: Kind, scope: ObjectScope, answer: String)] = [
                (.destinationRule, Self.shop, "accepted"),
                (.destinationRule, ObjectScope(ControlFixture.mesh), "accepted"),
                (.destinationRule, ObjectScope(Self.nowhere), "not found: mesh blue"),
                (
                    .destinationRule, ObjectScope(MeshKey(tenant: globex, mesh: .defaultMesh)),
                    "not found: tenant globex"
                ),
                (.cluster, ObjectScope(tenant: globex), "not found: tenant globex"),
                (
                    .endpoint, ObjectScope(ControlFixture.mesh, namespace: .known("shop"), service: .known("reviews")),
                    "accepted"
                ),
                (
                    .endpoint, ObjectScope(ControlFixture.mesh, namespace: .known("shop"), service: .known("none")),
                    "not found: service none"
                ),
                (.endpoint, ObjectScope(ControlFixture.mesh, namespace: .known("ops")), "accepted"),
            ]
            for row in rows {
                let answer = try await refusal {
                    try await fixture.control.list(row.kind, in: row.scope, ListOptions(), by: ControlFixture.admin)
                }
                #expect(answer == row.answer, "\(row.kind) \(row.scope)")
            }
            // Behind a page there may be nothing any more, whatever became of the rest.
            let behind = try #require(PageCursor(parts: ["zoo", "", "", "", ""]))
            let rest = try await fixture.control.list(
                .destinationRule, in: ObjectScope(Self.nowhere), ListOptions(after: behind), by: ControlFixture.admin)
            #expect(rest.items.isEmpty && rest.next == nil)
        }
    }

    @Test("an object of a mesh comes with what was found out about it, where that is asked for")
    func conditions() async throws {
        try await ControlFixture.runPrepared { fixture in
            func found(_ place: String) async throws -> (types: [String]?, isRefused: Bool) {
                let found = try await fixture.control.fetchWithRefusal(
                    ControlFixture.key(place), by: ControlFixture.admin)
                return (found.object.conditions?.map(\.type), found.refusal != nil)
            }
            let rules = "shop/virtualServices/reviews"
            // The second rule is never reached.
            try await fixture.put(rules, ControlFixture.rules("reviews", to: ["host": "reviews"], ["host": "reviews"]))
            #expect(try await found(rules) == (["Accepted"], false))
            #expect(try await fixture.fetch(rules).conditions == nil, "not asked for")
            #expect(try await found("clusters/dev") == (nil, false))
            #expect(try await found("shop/services/reviews/endpoints/e1").isRefused == false)

            try await fixture.refuse(rules)
            #expect(try await found(rules).isRefused)
            try await fixture.refuse("shop/services/reviews/endpoints/e1")
            #expect(try await !found("shop/services/reviews/endpoints/e1").isRefused, "no proxy is sent one by itself")
            for place in ["clusters/none", "shop/virtualServices/none", "shop/services/reviews/endpoints/none"] {
                let answer = try await refusal { try await found(place) }
                #expect(answer.hasPrefix("not found: ") && answer.hasSuffix(" none"), "\(place)")
            }
            let forbidden = try await refusal {
                try await fixture.control.fetchWithRefusal(
                    ControlFixture.key(rules), by: .of(.viewer, namespaces: [.known("ops")]))
            }
            #expect(forbidden == "forbidden: virtualServices.read")
        }
    }
}

extension ControlFixture {
    /// Has a proxy refuse what an object came to.
    fileprivate func refuse(_ place: String) async throws {
        let key = try Self.key(place)
        let name = NamespacedName(namespace: key.namespace ?? .blank, name: key.name)
        let rejection = ProxyRejection(
            resource: "r", object: .init(kind: key.kind.name, name: name), pointer: "/spec", message: "no",
            since: Timestamp(microseconds: 1))
        try await store.heartbeat("r")
        try await store.report([
            ProxyRow(
                mesh: Self.mesh, name: NamespacedName(namespace: .known("shop"), name: .known("p")), replica: "r",
                connected: true, connectedAt: Timestamp(microseconds: 0), ackedRevision: 1, rejectedRevision: 2,
                rejectedMessage: "no", types: ["RDS": ProxyTypeStatus(state: .rejected, rejections: [rejection])])
        ])
    }
}
