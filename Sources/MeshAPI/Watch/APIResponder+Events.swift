internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import MeshControl
internal import MeshIdentity
internal import NIOCore
internal import ServiceLifecycle

extension APIResponder {
    /// Writes an event stream until the server shuts down, the client goes away or has been too slow for too long, or the
    /// database cannot be read: the client comes back for the rest, and is told then what is wrong.
    @concurrent
    func serve(
        _ events: EventStream, to request: Request, _ caller: Caller?, channel: (any Channel)?,
        _ writer: inout any ResponseBodyWriter
    ) async throws {
        // The place must not hold the stream, which holds it.
        let watch = events.watch
        events.place.begin(wake: { watch.wake() }, giveUp: { channel?.close(promise: nil) })
        try await withGracefulShutdownHandler {
            try await request.body.consumeWithCancellationOnInboundClose { _ in
                do {
                    try await events.write(to: &writer) { await isStill(caller, request) }
                } catch is CancellationError {
                    return
                } catch {
                    logger.info(
                        "event stream ended",
                        metadata: ["path": "\(request.head.pathForLog)", "reason": "\(error)"])
                }
            }
        } onGracefulShutdown: {
            watch.end()
        }
        try await writer.finish(nil)
    }

    /// Whether the token still says what it said at the beginning. While nobody can tell, it does.
    private func isStill(_ caller: Caller?, _ request: Request) async -> Bool {
        do {
            return try await authenticator.caller(authorization: request.headers[.authorization]) == caller
        } catch let problem as Problem {
            return problem.status != .unauthorized
        } catch {
            return true
        }
    }
}
