package import Documents
package import MeshCore

/// How far a proxy is with one type of resources, as the replica says that it is connected to.
package struct ProxyTypeStatus: Hashable, Sendable {
    package enum State: String, Sendable {
        /// Has acknowledged all there is.
        case synced
        /// Something is on its way or waits.
        case stale
        /// Has refused what was sent last.
        case rejected
    }

    package var state: State
    /// The version that was sent last; empty: nothing was.
    package var sentVersion: String
    /// The version that was acknowledged last; empty: nothing was.
    package var ackedVersion: String
    /// The proxy's words when it refused; `nil` while it does not.
    package var error: String?
    /// The rejections.
    package var rejections: [ProxyRejection]

    package init(
        state: State, sentVersion: String = "", ackedVersion: String = "", error: String? = nil,
        rejections: [ProxyRejection] = []
    ) {
        self.state = state
        self.sentVersion = sentVersion
        self.ackedVersion = ackedVersion
        self.error = error
        self.rejections = rejections
    }
}

/// Its form in the database and in the API.
extension ProxyTypeStatus {
    /// Reads what ``json`` wrote. What is missing is empty; a rejection that cannot be read is left out.
    ///
    /// - Returns: `nil` for anything else.
    package init?(_ document: JSONValue) {
        guard let state = document["state"]?.stringValue.flatMap(State.init) else { return nil }
        self.init(
            state: state, sentVersion: document["sentVersion"]?.stringValue ?? "",
            ackedVersion: document["ackedVersion"]?.stringValue ?? "", error: document["error"]?.stringValue,
            rejections: (document["rejections"]?.arrayValue ?? []).compactMap(ProxyRejection.init))
    }

    /// `{"state", "sentVersion", "ackedVersion", "error", "rejections"}`, of the last two what there is.
    package var json: JSONValue {
        .fields([
            "state": .string(state.rawValue), "sentVersion": .string(sentVersion),
            "ackedVersion": .string(ackedVersion), "error": error.map(JSONValue.string),
            "rejections": .list(rejections, \.json),
        ])
    }
}

/// The status of all types that a proxy wants, by their names (`CDS`).
extension [String: ProxyTypeStatus] {
    /// Reads what ``json`` wrote; types that cannot be read are left out.
    package init(_ document: JSONValue) { self = (document.objectValue ?? [:]).compactMapValues(ProxyTypeStatus.init) }

    package var json: JSONValue { .object(mapValues(\.json)) }

    /// In the order of the types' names.
    package var rejections: [ProxyRejection] { sorted { $0.key < $1.key }.flatMap(\.value.rejections) }
}
