import MeshCore
import MeshModel
import Testing

@testable import MeshFeed
@testable import MeshStore

@Suite("What is known of a feed")
struct FollowedFeedTests {
    private static func page(_ after: Revision, _ revision: Revision) -> FeedPage {
        FeedPage(after: after, revision: revision, entries: [], isComplete: true)
    }

    private static let mesh = MeshKey(tenant: Fixture.acme, mesh: .defaultMesh)

    @Test("a page brings everybody further, and each inbox has it")
    func take() {
        let inboxes = [WatchInbox(), WatchInbox()]
        var feed = FollowedFeed(readTo: 3)
        for inbox in inboxes { feed.add(inbox) }
        let reading = feed.reading
        let isTaken = feed.take(FollowedFeed.Page(Self.page(3, 5)), for: reading)
        let isTakenLater = feed.take(FollowedFeed.Page(Self.page(3, 4)), for: reading)
        #expect(isTaken && !isTakenLater && feed.revision == 5)
        for inbox in inboxes {
            let (page, mustRead, mustReadConditions) = inbox.take()
            #expect(page?.after == 3 && page?.revision == 5 && !mustRead && !mustReadConditions)
            #expect(inbox.take().page == nil)
        }
    }

    @Test("a page is for those who followed when it was asked for: whoever comes meanwhile changes what is asked for")
    func reading() {
        var feed = FollowedFeed(readTo: 3)
        feed.mirror(MeshState(mesh: Self.mesh, revision: 3))
        let before = feed.reading
        #expect(before.isMirrored && !before.isWatched)
        let inbox = WatchInbox()
        feed.add(inbox)
        let hadNoConditions = feed.take(FollowedFeed.Page(Self.page(3, 4)), for: before)
        #expect(!hadNoConditions && feed.revision == 3)
        feed.add(WatchInbox())
        let watched = feed.reading
        feed.remove(inbox)
        #expect(feed.reading == watched, "one more or less makes no difference")
        let isTaken = feed.take(FollowedFeed.Page(Self.page(3, 4)), for: watched)
        #expect(isTaken && feed.revision == 4 && feed.mirrored?.state.revision == 4)
    }

    @Test("watches look for themselves where the mirror begins somewhere else", arguments: [2, 3, 4])
    func mirror(at revision: Revision) {
        let inbox = WatchInbox()
        var feed = FollowedFeed(readTo: 3)
        feed.add(inbox)
        feed.mirror(MeshState(mesh: Self.mesh, revision: revision))
        #expect(feed.revision == revision)
        #expect(inbox.take().mustRead == (revision != 3))
    }

    @Test("the state of another mesh of the same name is an update whatever its revision")
    func replaced() {
        var feed = FollowedFeed(readTo: 3)
        var state = MeshState(mesh: Self.mesh, revision: 3)
        state.life = MeshLife(tenant: "t", mesh: "first", since: 0)
        feed.mirror(state)
        feed.mirrored?.follow()
        let (first, none) = (feed.mirrored?.takeUpdate(), feed.mirrored?.takeUpdate())
        #expect(first?.change.everything == true && none == nil)
        let before = feed.reading
        state.life = MeshLife(tenant: "t", mesh: "second", since: 1)
        let isReplaced = feed.replace(by: state, for: before)
        let second = feed.mirrored?.takeUpdate()
        #expect(isReplaced && feed.reading != before && second?.state.life?.mesh == "second")
    }
}
