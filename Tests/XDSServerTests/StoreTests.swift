import Testing

@testable import XDSServer

@Suite("The store of snapshots", .timeLimit(.minutes(2)))
struct StoreTests {
    private let view = ViewID("view")

    /// All that takes until who has left is forgotten.
    private func wait(_ store: SnapshotStore) {
        for _ in 0..<SnapshotStore.patience { store.tick() }
    }

    @Test("A view is wanted from its first stream to half a minute after its last")
    func lifetime() async {
        let store = SnapshotStore()
        var signals = store.signals.makeAsyncIterator()
        #expect(store.attach(view) == nil)
        #expect(store.attach(view) == nil)
        #expect(await signals.next(isolation: #isolation) != nil)
        #expect(store.takeEvents() == [.wanted(view)] && store.takeEvents().isEmpty)
        store.detach(view)
        #expect(store.activeViews == [view])
        store.detach(view)
        #expect(store.activeViews.isEmpty && store.isWanted(view) && store.takeEvents().isEmpty)
        for _ in 1..<SnapshotStore.patience { store.tick() }
        #expect(store.isWanted(view))
        store.tick()
        #expect(await signals.next(isolation: #isolation) != nil)
        #expect(store.takeEvents() == [.dropped(view)] && !store.isWanted(view))
    }

    @Test("Who comes back in time finds what was published meanwhile, and nobody is asked")
    func comesBack() {
        let store = SnapshotStore()
        #expect(store.attach(view) == nil)
        store.publish([view: snapshot(1, [:])])
        _ = store.takeEvents()
        for revision in 2...3 as ClosedRange<Int64> {
            store.detach(view)
            for _ in 1..<SnapshotStore.patience { store.tick() }
            store.publish([view: snapshot(revision, [:])])
            #expect(store.attach(view)?.revision == revision)
            wait(store)
            #expect(store.takeEvents().isEmpty && store.isWanted(view), "who is there is not counted down")
        }
    }

    @Test("A stream that comes later gets what is current; views that nobody wants are not kept")
    func publishing() {
        let store = SnapshotStore()
        let (first, second) = (snapshot(1, [:]), snapshot(2, [:]))
        store.publish([view: first])
        #expect(store.attach(view) == nil, "published before anybody wanted it")
        store.publish([view: first])
        store.publish([view: second])
        #expect(store.attach(view) === second)
        #expect(store.snapshot(of: view) === second)
        store.detach(view)
        store.detach(view)
        wait(store)
        #expect(store.snapshot(of: view) == nil)
    }

    @Test("As long as nothing is there, every stream that comes asks for it")
    func asking() {
        let store = SnapshotStore()
        for _ in 0..<2 {
            #expect(store.attach(view) == nil)
            #expect(store.takeEvents() == [.wanted(view)])
        }
    }

    @Test("Detaching what was never attached is no harm")
    func strayDetach() {
        let store = SnapshotStore()
        store.detach(view)
        wait(store)
        #expect(store.activeViews.isEmpty && store.takeEvents().isEmpty)
    }

    @Test("However streams come and go on several threads, the event says what is")
    func eventOrder() async {
        let store = SnapshotStore()
        await withDiscardingTaskGroup { group in
            for _ in 0..<2 {
                group.addTask { @concurrent in
                    for _ in 0..<5_000 {
                        _ = store.attach(view)
                        store.detach(view)
                    }
                }
            }
        }
        _ = store.attach(view)
        #expect(store.takeEvents() == [.wanted(view)])
        store.detach(view)
        wait(store)
        #expect(store.takeEvents() == [.dropped(view)])
    }
}
