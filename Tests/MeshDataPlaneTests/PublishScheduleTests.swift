import MeshCore
import MeshFeed
import MeshModel
import Testing

@testable import MeshDataPlane

@Suite("The publish schedule")
struct PublishScheduleTests {
    private let shop: MeshKey
    private let bank: MeshKey
    private let service: NamespacedName

    init() throws {
        shop = MeshKey(tenant: try #require(Name("shop")), mesh: .defaultMesh)
        bank = MeshKey(tenant: try #require(Name("bank")), mesh: .defaultMesh)
        service = NamespacedName(namespace: try #require(Name("front")), name: try #require(Name("web")))
    }

    private func update(_ mesh: MeshKey, _ revision: Revision, _ kind: Kind? = nil) -> MeshUpdate {
        var change = MeshChange()
        if let kind { change[kind] = [service] }
        return MeshUpdate(state: MeshState(mesh: mesh, revision: revision), change: change)
    }

    /// What is due when the mirror has got updates.
    private func due(_ schedule: inout PublishSchedule, _ updates: MeshUpdate...) -> [MeshUpdate] {
        if !updates.isEmpty { schedule.changed() }
        return schedule.due(isUrgent: updates.contains(where: \.change.isUrgent), take: { updates })
    }

    @Test("an update is due at once, and nothing is due if there is none")
    func free() {
        var schedule = PublishSchedule()
        #expect(due(&schedule).isEmpty && !schedule.isHeld)
        #expect(due(&schedule, update(shop, 1), update(bank, 1)).count == 2)
        #expect(!schedule.isHeld)
    }

    @Test("while a push is written nothing is taken, however urgent; then what came is one update a mesh")
    func writing() {
        var schedule = PublishSchedule()
        _ = due(&schedule, update(shop, 1))
        schedule.compiled(shop)
        #expect(schedule.phase == .writing && schedule.pushes == 1)
        schedule.changed()
        #expect(schedule.due(isUrgent: true, take: { [update(shop, 9)] }).isEmpty)
        #expect(schedule.isHeld)
        schedule.written()
        #expect(schedule.phase == .resting)
        schedule.rested()
        let late = due(&schedule, update(shop, 2, .service))
        #expect(late.map(\.state.revision) == [2] && schedule.phase == .free)
    }

    @Test("while the loops rest only what is urgent goes on, with all that waits; then the loops rest anew")
    func resting() {
        var schedule = PublishSchedule()
        _ = due(&schedule, update(shop, 1))
        schedule.compiled(shop)
        schedule.written()
        #expect(due(&schedule, update(bank, 1, .service)).isEmpty && schedule.isHeld)
        #expect(due(&schedule, update(bank, 1, .service), update(shop, 2, .endpoint)).count == 2)
        schedule.compiled(shop)
        schedule.rested()
        #expect(schedule.phase == .writing, "the rest of the first push is over, the second is being written")
    }

    @Test("what comes while a mesh is compiled is one update afterwards; other meshes do not wait for it")
    func busy() throws {
        var schedule = PublishSchedule()
        _ = due(&schedule, update(shop, 1))
        #expect(due(&schedule, update(shop, 2, .service)).isEmpty && schedule.isHeld)
        #expect(due(&schedule, update(shop, 3, .endpoint), update(bank, 1)).map { $0.state.mesh } == [bank])
        schedule.compiled(shop)
        schedule.written()
        let late = try #require(due(&schedule).first)
        #expect(late.state.revision == 3)
        #expect(late.change[.service].count == 1 && late.change[.endpoint].count == 1)
        #expect(!schedule.isHeld)
    }

    @Test("what nobody wants any more is neither compiled nor waited for")
    func forgotten() {
        var schedule = PublishSchedule()
        _ = due(&schedule, update(shop, 1))
        _ = due(&schedule, update(shop, 2))
        schedule.forget(shop)
        #expect(!schedule.isHeld)
        schedule.skipped(shop)
        #expect(due(&schedule, update(shop, 3)).map(\.state.revision) == [3])
    }
}
