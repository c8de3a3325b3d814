package import Documents
package import MeshCore

/// A traffic policy for connections to one service, whoever calls it, with the fields of Istio's DestinationRule
/// (networking.istio.io/v1).
///
/// It holds for services of its own namespace only, so that nobody decides about other people's services.
package struct DestinationRuleSpec: ResourceKind {
    package static let info = KindInfo("DestinationRule", in: .namespace, roles: KindRoles(write: .developers))

    /// A subset: one version of the service, and the policy that is different for it.
    package struct Subset: Document {
        /// The name that destinations use for it. Without ``labels`` it means the version of that name.
        package var name: Name
        /// The version that is meant: the one whose labels include these (``ServiceSpec/versions(selectedBy:)``).
        package var labels: [String: String]
        package var trafficPolicy: TrafficPolicy?

        package init() { self.init(name: .blank) }

        package init(name: Name, labels: [String: String] = [:], trafficPolicy: TrafficPolicy? = nil) {
            self.name = name
            self.labels = labels
            self.trafficPolicy = trafficPolicy
        }

        package static let schemaName: String? = nil
        package static let fields: [Field<Self>] = [
            .required("name", \.name, .name, "What destinations call it; without labels, the version of that name."),
            .defaulted("labels", \.labels, .strings, "The version that is meant: the one whose labels include these."),
            .optional(
                "trafficPolicy", \.trafficPolicy, .document, "What is different for it; a block replaces the rule's."),
        ]

        /// The version of a service that the subset means.
        ///
        /// - Returns: `nil` if its labels select none or several, or it has none and no version is called so.
        package func version(in service: ServiceSpec) -> Name? {
            if labels.isEmpty { return service.hasVersion(name) ? name : nil }
            let selected = service.versions(selectedBy: labels)
            return selected.count == 1 ? selected[0] : nil
        }
    }

    /// The service's name, short or full (``HostName``).
    package var host: String
    package var trafficPolicy: TrafficPolicy?
    /// At most 64; names are unique.
    package var subsets: [Subset]

    package init() { self.init(host: "") }

    package init(host: String, trafficPolicy: TrafficPolicy? = nil, subsets: [Subset] = []) {
        self.host = host
        self.trafficPolicy = trafficPolicy
        self.subsets = subsets
    }

    package static let fields: [Field<Self>] = [
        .required("host", \.host, .host, "The service."),
        .optional("trafficPolicy", \.trafficPolicy, .document, "What holds for all its versions."),
        .defaulted(
            "subsets", \.subsets,
            .list(of: .document, 0...64, Uniqueness({ $0.name }, at: ["name"], "names of subsets must be unique")),
            "What is different for versions of the service."),
        .constant("exportTo", "*", listLimit: 32, isWritten: false, "rules are visible in their whole mesh"),
        .refused("workloadSelector", "a rule holds for all callers"),
    ]
    package static let summary: String? = """
        The fields of Istio's DestinationRule (networking.istio.io/v1). It holds for a service of its own namespace, and a \
        service has at most one.
        """

    /// Whether requests to some port of some version are sent to an endpoint by their hash.
    package var hashesRequests: Bool {
        trafficPolicy?.hashesRequests == true || subsets.contains { $0.trafficPolicy?.hashesRequests == true }
    }

    /// The policy for connections to a port of a version, or of the service as a whole.
    ///
    /// Blocks are replaced whole, as in Istio: a subset's block goes before the rule's, and what is said about a port
    /// replaces all that is said about others at the same place.
    package func policy(port: Int, version: Name?, of service: ServiceSpec) -> TrafficPolicy.Blocks {
        let rule = trafficPolicy?.blocks(port: port) ?? TrafficPolicy.Blocks()
        guard let version, let policy = subsets.first(where: { $0.version(in: service) == version })?.trafficPolicy
        else { return rule }
        return policy.blocks(ofPort: port) ?? policy.common.over(rule)
    }
}

extension Kind {
    package static let destinationRule = kinds[DestinationRuleSpec.self]
}
