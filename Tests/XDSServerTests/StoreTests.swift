import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import XDSServer

@Suite("The store of snapshots", .timeLimit(.minutes(2)))
struct StoreTests {
    private let loop = MultiThreadedEventLoopGroup.singleton.any()
    private let view = ViewID("view")

    @Test("A view is wanted from its first stream to its last")
    func lifetime() async {
        let store = SnapshotStore()
        var signals = store.signals.makeAsyncIterator()
        #expect(store.attach(view, on: loop) == nil)
        #expect(store.attach(view, on: loop) == nil)
        #expect(await signals.next(isolation: #isolation) != nil)
        #expect(store.takeEvents() == [.wanted(view)] && store.takeEvents().isEmpty)
        store.detach(view, on: loop)
        #expect(store.wantedViews == [view])
        store.detach(view, on: loop)
        #expect(await signals.next(isolation: #isolation) != nil)
        #expect(store.takeEvents() == [.dropped(view)])
        #expect(store.wantedViews.isEmpty)
    }

    @Test("A stream that comes later gets what is current; views that nobody wants are not kept")
    func publishing() {
        let store = SnapshotStore()
        let (first, second) = (snapshot(1, [:]), snapshot(2, [:]))
        store.publish([view: first])
        #expect(store.attach(view, on: loop) == nil, "published before anybody wanted it")
        store.publish([view: first])
        store.publish([view: second])
        #expect(store.attach(view, on: loop) === second)
        #expect(store.snapshot(of: view) === second)
        store.detach(view, on: loop)
        store.detach(view, on: loop)
        #expect(store.snapshot(of: view) == nil)
    }

    /// Has a snapshot, or none, and meanwhile something else may happen.
    private struct Source: SnapshotSource {
        var made: Snapshot?
        var meanwhile: @Sendable () -> Void = {}

        func snapshot(of view: ViewID) -> Snapshot? {
            meanwhile()
            return made
        }
    }

    @Test("What can be made on the spot is served at once, and the publisher is not asked")
    func source() {
        let made = snapshot(1, [:])
        let store = SnapshotStore(source: Source(made: made))
        #expect(store.attach(view, on: loop) === made)
        #expect(store.takeEvents().isEmpty && store.snapshot(of: view) === made)
        let newer = snapshot(2, [:])
        store.publish([view: newer])
        #expect(store.attach(view, on: loop) === newer)
    }

    @Test("What cannot be made on the spot is asked for, by every stream that finds nothing")
    func poorSource() {
        let store = SnapshotStore(source: Source(made: nil))
        for _ in 0..<2 {
            #expect(store.attach(view, on: loop) == nil)
            #expect(store.takeEvents() == [.wanted(view)])
        }
    }

    @Test("What is published while a snapshot is made on the spot is newer", arguments: [true, false])
    func publishedMeanwhile(_ isMade: Bool) {
        let published = snapshot(2, [:])
        let made = isMade ? snapshot(1, [:]) : nil
        let reference = Mutex<SnapshotStore?>(nil)
        let store = SnapshotStore(
            source: Source(made: made) { reference.withLock { $0 }?.publish([view: published]) })
        reference.withLock { $0 = store }
        #expect(store.attach(view, on: loop) === published)
    }

    @Test("Detaching what was never attached is no harm")
    func strayDetach() {
        let store = SnapshotStore()
        store.detach(view, on: loop)
        #expect(store.wantedViews.isEmpty)
    }

    @Test("However streams come and go on several threads, the event says what is")
    func eventOrder() async {
        let store = SnapshotStore()
        let loops = [loop, MultiThreadedEventLoopGroup.singleton.any()]
        await withDiscardingTaskGroup { group in
            for loop in loops {
                group.addTask { @concurrent in
                    for _ in 0..<5_000 {
                        _ = store.attach(view, on: loop)
                        store.detach(view, on: loop)
                    }
                }
            }
        }
        _ = store.attach(view, on: loop)
        #expect(store.takeEvents() == [.wanted(view)])
        store.detach(view, on: loop)
        #expect(store.takeEvents() == [.dropped(view)])
    }
}
