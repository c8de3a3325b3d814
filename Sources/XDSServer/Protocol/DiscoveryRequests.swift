internal import EnvoyProtos
internal import NIOCore
internal import SwiftProtobuf

/// A request of either variant, without the fields that nobody reads.
struct DiscoveryRequest: Equatable {
    var typeURL: String
    /// The nonce of the response that this answers; empty: it answers none.
    var nonce: String
    /// The client's words, if it refuses that response.
    var nack: String?
    var names: Names

    enum Names: Equatable {
        /// State of the world: all that the client wants, every time.
        case all(NameList)
        /// Delta: what the client wants more and less than before, and, in the first request, what it has already.
        case change(subscribe: NameList, unsubscribe: NameList, initialVersions: VersionList)
    }

    init(typeURL: String, nonce: String = "", nack: String? = nil, names: Names) {
        self.typeURL = typeURL
        self.nonce = nonce
        self.nack = nack
        self.names = names
    }

    /// Reads a message of the variant's type.
    ///
    /// - Parameter recent: where lists are looked up and kept.
    /// - Returns: the request, and the node that came with it.
    /// - Throws: if the bytes are no such message.
    static func decode(
        _ bytes: ByteBuffer, _ variant: Variant, _ recent: RecentLists
    ) throws -> (request: DiscoveryRequest, node: Envoy_Config_Core_V3_Node) {
        let isLarge = bytes.readableBytes >= RequestLists.minimum
        let lists = isLarge ? RequestLists(bytes, variant, recent) : nil
        let rest = lists?.rest ?? Array(bytes.readableBytesView)
        switch variant {
        case .stateOfTheWorld:
            let message = try Envoy_Service_Discovery_V3_DiscoveryRequest(serializedBytes: rest)
            let request = DiscoveryRequest(
                typeURL: message.typeURL, nonce: message.responseNonce,
                nack: message.hasErrorDetail ? message.errorDetail.message : nil,
                names: .all(lists?.names ?? NameList(message.resourceNames)))
            return (request, message.node)
        case .delta:
            let message = try Envoy_Service_Discovery_V3_DeltaDiscoveryRequest(serializedBytes: rest)
            let names: Names =
                if let lists {
                    .change(subscribe: lists.names, unsubscribe: lists.unsubscribed, initialVersions: lists.versions)
                } else {
                    .change(
                        subscribe: NameList(message.resourceNamesSubscribe),
                        unsubscribe: NameList(message.resourceNamesUnsubscribe),
                        initialVersions: VersionList(message.initialResourceVersions))
                }
            let request = DiscoveryRequest(
                typeURL: message.typeURL, nonce: message.responseNonce,
                nack: message.hasErrorDetail ? message.errorDetail.message : nil, names: names)
            return (request, message.node)
        }
    }
}

/// A response of either variant.
struct DiscoveryResponse {
    enum Resources {
        /// Everything in the set and, while removals wait, what is no longer in it.
        case everything(LayeredSet, and: [EncodedResource])
        case some([EncodedResource])
    }

    var type: ResourceType
    var version: String
    var nonce: String
    var resources: Resources
    /// Delta only.
    var removed: [String] = []
    /// The names of its resources, if other clients are answered the same.
    var sharedNames: NameSet?
    /// Delta: it only says that the client is to keep what it has for another while (``EncodedResource/heartbeat``).
    var isHeartbeat = false

    /// Whether it says all there is to say of its type.
    var isComplete: Bool {
        guard case .everything = resources else { return false }
        return true
    }

    /// The names in it that are words of the message of a NACK. Envoy ("Error adding/updating cluster(s) a: …, b: …")
    /// and gRPC name the resources that they refuse and take the others.
    func names(mentionedIn message: String) -> Set<String> {
        let words = message.split { " ,;'\"\n".contains($0) }.map {
            $0.last == ":" ? String($0.dropLast()) : String($0)
        }
        return names.intersection(words)
    }

    /// The names of its resources and of those that it removes.
    var names: Set<String> { resourceNames.union(removed) }

    /// The names of its resources.
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
