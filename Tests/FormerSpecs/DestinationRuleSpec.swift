import Documents
import MeshCore

/// What holds for connections to one service, whoever calls it, with the fields of Istio's DestinationRule
/// (networking.istio.io/v1).
///
/// It holds for services of its own namespace only, so that nobody decides about other people's services.
package struct DestinationRuleSpec: Spec {

    /// What is different for one version of the service.
    package struct Subset: Hashable, Sendable {
        /// What destinations call it; without labels, the version of that name.
        package var name: Name
        /// The version that is meant: the one whose labels include these (``ServiceSpec/versions(selectedBy:)``).
        package var labels: [String: String]
        package var trafficPolicy: TrafficPolicy?

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

    package init?(reading fields: inout FieldReader) {
        let host = fields.value("host").flatMap {
            HostName.read($0, at: fields.pointer.appending("host"), log: fields.log)
        }
        if !fields.has("host") { fields.require("host") }
        trafficPolicy = fields.object("trafficPolicy").map { TrafficPolicy(reading: $0) }
        subsets = Self.subsets(&fields)
        fields.refuse(["workloadSelector"])
        for element in fields.elements("exportTo", atMost: 32) where element.value != "*" {
            fields.log.report(
                element.pointer, .unsupported, "only \"*\" is supported: rules are visible in their whole mesh")
        }
        fields.finish()
        guard let host else { return nil }
        self.host = host
    }

    private static func subsets(_ fields: inout FieldReader) -> [Subset] {
        var subsets: [Subset] = []
        for var item in fields.objects("subsets", atMost: 64) {
            let name = item.name("name", required: true)
            let labels = item.stringMap("labels")
            let policy = item.object("trafficPolicy").map { TrafficPolicy(reading: $0) }
            item.finish()
            guard let name else { continue }
            if subsets.contains(where: { $0.name == name }) {
                item.log.report(item.pointer.appending("name"), .duplicate, "names of subsets must be unique")
            }
            subsets.append(Subset(name: name, labels: labels, trafficPolicy: policy))
        }
        return subsets
    }

    package var json: JSONValue {
        .fields([
            "host": .string(host),
            "trafficPolicy": trafficPolicy?.json,
            "subsets": JSONValue.list(subsets) {
                .fields([
                    "name": .string($0.name.text), "labels": $0.labels.isEmpty ? nil : .map($0.labels),
                    "trafficPolicy": $0.trafficPolicy?.json,
                ])
            },
        ])
    }

    /// Whether requests to some port of some version are sent to an endpoint by their hash.
    package var hashesRequests: Bool {
        trafficPolicy?.hashesRequests == true || subsets.contains { $0.trafficPolicy?.hashesRequests == true }
    }

    /// What holds for connections to a port of a version, or of the service as a whole.
    ///
    /// Blocks are replaced whole, as in Istio: a subset's block goes before the rule's, and what is said about a port
    /// replaces all that is said about others at the same place.
    package func policy(port: Int, version: Name?, of service: ServiceSpec) -> TrafficPolicy.Blocks {
        let rule = trafficPolicy?.blocks(port: port) ?? TrafficPolicy.Blocks()
        guard let version, let policy = subsets.first(where: { $0.version(in: service) == version })?.trafficPolicy
        else { return rule }
        return policy.portLevelSettings[port] ?? policy.common.over(rule)
    }
}

