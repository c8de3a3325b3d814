/// How resources are written into responses.
struct ResponseForm: Hashable {
    var variant: Variant
    /// Whether the client is told how long resources last.
    var hasTTL = false

    /// For a client that says of itself that it has these features (`Node.client_features`).
    ///
    /// In state of the world it has to know of wrapped resources, too; gRPC spells that otherwise than the text does.
    init(_ variant: Variant, clientFeatures: [String]) {
        let unwraps = ["xds.config.resource-in-sotw", "xds.config.supports-resource-in-sotw"]
        let isWrapped = variant == .delta || clientFeatures.contains(where: unwraps.contains)
        self.init(variant, hasTTL: isWrapped && clientFeatures.contains("xds.config.supports-resource-ttl"))
    }

    init(_ variant: Variant, hasTTL: Bool = false) {
        self.variant = variant
        self.hasTTL = hasTTL
    }
}
