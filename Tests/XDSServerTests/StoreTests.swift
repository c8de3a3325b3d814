import NIOCore
import NIOPosix
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

    @Test("Detaching what was never attached is no harm")
    func strayDetach() {
        let store = SnapshotStore()
        store.detach(view, on: loop)
        #expect(store.wantedViews.isEmpty)
    }

    @Test("However streams come and go on several threads, the last event says what is")
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
        var isWanted = false
        for event in store.takeEvents() {
            #expect(event == (isWanted ? .dropped(view) : .wanted(view)))
            isWanted.toggle()
        }
        #expect(isWanted)
    }
}
