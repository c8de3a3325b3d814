package import Documents

/// How the judgements of a template's metrics become one score.
package struct Scoring: Document {
    /// In percent of the score, by group; together at most 100. Groups that are not listed share the rest equally.
    package var groupWeights: [String: Double] = [:]
    /// The least score, `0...100`, that passes; default 90.
    package var pass = 90.0
    /// The least score that does not fail; default 75.
    package var marginal = 75.0

    package init() {}

    package static let fields: [Field<Self>] = [
        .defaulted(
            "groupWeights", \.groupWeights,
            .map(of: .number(0...100), note: "In percent, by group.", key: group, name: { $0 }),
            "In percent of the score, by group; groups that are not listed share the rest equally."),
        .group(
            "thresholds",
            [
                .defaulted("pass", \.pass, .number(0...100), "The least score that passes."),
                .defaulted("marginal", \.marginal, .number(0...100), "The least score that is inconclusive."),
            ], "What scores mean; below marginal they fail."),
    ]
    package static let schemaName: String? = nil

    static let maxGroups = 20

    private static let group: @Sendable (String, Place, ViolationLog) -> String? = { name, place, log in
        guard (1...63).contains(name.utf8.count) else {
            log.report(place.pointer, .invalidFormat, "the name must be 1 to 63 bytes long")
            return nil
        }
        return name
    }

    package func finish(_ reading: Members) {
        if marginal > pass {
            reading.log.report(
                reading.pointer.appending("thresholds").appending("marginal"), .conflict, "must not be more than pass")
        }
        if groupWeights.count > Self.maxGroups {
            reading.report("groupWeights", .tooMany, "must have at most \(Self.maxGroups) members")
        } else if groupWeights.values.reduce(0, +) > 100 + 1e-9 {
            reading.report("groupWeights", .outOfRange, "must come to at most 100 together")
        }
    }
}
