internal import HTTPTypes
internal import MeshControl
internal import MeshCore

/// The routes of lists that can be watched.
struct WatchRoutes: Sendable {
    let streams: EventStreams
    /// How long a read of the database may take.
    let deadline: Duration

    /// Answers with a list's event stream.
    ///
    /// - Parameter watch: begins the watch, after the revision that the client has.
    func answer(
        _ request: APIRequest, _ watch: (Revision?) async throws -> ListWatch
    ) async throws -> APIAnswer {
        request.refusePaging()
        try request.query.check()
        let watch = try await watch(request.lastEventId())
        // Only now: who may not list must not hear how many do.
        let place = try streams.open(of: request.name("tenant"))
        return .events(EventStream(watch: watch, place: place, deadline: deadline))
    }
}
