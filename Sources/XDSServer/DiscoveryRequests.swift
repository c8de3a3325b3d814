internal import EnvoyProtos

/// What a client said, of either variant, without what nobody reads.
struct DiscoveryRequest: Equatable {
    var typeURL: String
    /// The nonce of the response that this answers; empty: it answers none.
    var nonce: String
    /// The client's words, if it refuses that response.
    var rejection: String?
    var names: Names

    enum Names: Equatable {
        /// State of the world: all that the client wants, every time.
        case all([String])
        /// Delta: what the client wants more and less than before, and, in the first request, what it has already.
        case change(subscribe: [String], unsubscribe: [String], has: [String: String])
    }

    init(typeURL: String, nonce: String = "", rejection: String? = nil, names: Names) {
        self.typeURL = typeURL
        self.nonce = nonce
        self.rejection = rejection
        self.names = names
    }

    init(_ request: Envoy_Service_Discovery_V3_DiscoveryRequest) {
        self.init(
            typeURL: request.typeURL, nonce: request.responseNonce,
            rejection: request.hasErrorDetail ? request.errorDetail.message : nil, names: .all(request.resourceNames))
    }

    init(_ request: Envoy_Service_Discovery_V3_DeltaDiscoveryRequest) {
        self.init(
            typeURL: request.typeURL, nonce: request.responseNonce,
            rejection: request.hasErrorDetail ? request.errorDetail.message : nil,
            names: .change(
                subscribe: request.resourceNamesSubscribe, unsubscribe: request.resourceNamesUnsubscribe,
                has: request.initialResourceVersions))
    }
}

/// What is to be sent to a client.
struct DiscoveryAnswer {
    enum Resources {
        /// Everything in the set and, while removals wait, what is no longer in it.
        case everything(ResourceSet, and: [EncodedResource])
        case some([EncodedResource])
    }

    var type: ResourceType
    var version: String
    var nonce: String
    var resources: Resources
    /// Delta only.
    var removed: [String] = []

    /// Whether it says all there is to say of its type.
    var isComplete: Bool {
        guard case .everything = resources else { return false }
        return true
    }

    /// Those of its names that are words of a client's complaint. Envoy ("Error adding/updating cluster(s) a: …, b: …")
    /// and gRPC name the resources that they refuse and take the others.
    func names(mentionedIn complaint: String) -> Set<String> {
        let words = complaint.split { " ,;'\"\n".contains($0) }.map {
            $0.last == ":" ? String($0.dropLast()) : String($0)
        }
        return names.intersection(words)
    }

    /// What it speaks of.
    var names: Set<String> { resourceNames.union(removed) }

    /// What it has.
    var resourceNames: Set<String> {
        switch resources {
        case .everything(let set, let lingering): set.names.union(lingering.map(\.name))
        case .some(let resources): Set(resources.map(\.name))
        }
    }
}

/// Why a stream is ended.
struct RequestRefusal: Error, Equatable {
    enum Reason { case invalid, tooMuch }
    var reason: Reason
    var detail: String
}
