@testable import XDSServer

/// What a model client has to do with one type: what it wants and holds, and what it knows that the server owes it.
struct ModelShelf {
    struct Held: Equatable {
        var version: String
        var content: String?
    }

    // What the client wants.
    var isAsked = false
    var isWildcard = false
    var names: Set<String> = []
    /// State of the world: names were given on this stream, so that none does not mean everything any more.
    var hadNames = false

    // What the client holds.
    var has: [String: Held] = [:]
    /// Taken from this stream.
    var renewed: Set<String> = []
    /// Read, and the server has yet to be told: the response, and the complaint of one that was refused.
    var unanswered: [(response: Received, complaint: String?)] = []
    /// Of the last response that was answered.
    var lastNonce = ""
    /// Delta: asked for, and neither given nor said not to be there.
    var pending: Set<String> = []

    // What the server knows of it, and may or must say.
    var known: (isWildcard: Bool, names: Set<String>) = (false, [])
    /// Sent on this stream, or on an earlier one of which the client told, and not taken away.
    var told: [String: String?] = [:]
    /// Of types whose removal is not said: what was gone at some time, and so may be sent again as it was.
    var hadGone: Set<String> = []
    var sentNonce = ""
    var sentNames: Set<String> = []
    /// Sent before the client wanted everything, and perhaps read after that: the server cannot know whether it has them.
    var uncertain: Set<String> = []
    var isOutstanding = false
    /// Owed whether the client has them or not.
    var owed: Set<String> = []
    var owesAll = false
    var owesResponse = false
    var isFirstOwed = false
    /// State of the world: a request was ignored because its nonce was stale.
    var wasIgnored = false
    /// Must come again although they did not change, because what they belong to was sent.
    var mustRepeat: Set<String> = []
    /// Refused, so that they may be tried again.
    var retry: Set<String> = []
    /// Said to be kept, or sent, since the last beat.
    var beaten: Set<String> = []
    /// What was refused last, and how much had happened by then.
    var refused: (response: Received, events: Int)?

    func wants(_ name: String) -> Bool { isWildcard || names.contains(name) }
    func isKnownToWant(_ name: String) -> Bool { known.isWildcard || known.names.contains(name) }

    /// State of the world: the names of a request.
    var list: [String] { isWildcard ? (hadNames ? ["*"] + names.sorted() : []) : names.sorted() }

    /// Nothing of the stream is left but what the client holds; what was gone may be gone still.
    mutating func lose() {
        let kept = self
        self = ModelShelf()
        (isWildcard, names, has, hadGone) = (kept.isWildcard, kept.names, kept.has, kept.hadGone)
    }
}
