internal import RE2

/// A bound on what somebody may cause.
package struct Limit: Hashable, Sendable {
    /// The limit's name in messages.
    package let name: String
    /// The most that is allowed, unless ``bounds`` says otherwise.
    package let value: Int
    package let unit: String
    /// The thing that is limited.
    package let bounds: String

    package init(_ name: String, _ value: Int, _ unit: String, _ bounds: String) {
        self.name = name
        self.value = value
        self.unit = unit
        self.bounds = bounds
    }

    package func allows(_ amount: Int) -> Bool { amount <= value }

    /// The end of a sentence about something that goes beyond it: `at most 5000 routes (limit routesPerService)`.
    package var rule: String { "at most \(value) \(unit) (limit \(name))" }
}

/// Bounds on what one object, one tenant or one peer may cause.
///
/// Checks and their messages take them from here. What bounds a single field (a name, a list's length) stands beside the field.
package enum Limits {
    package static let metadataBytes = Limit(
        "metadataBytes", 256 << 10, "bytes", "names and values of an object's labels and annotations together")
    package static let violations = Limit(
        "violations", 100, "violations", "mistakes that one answer lists; the rest is counted")

    // MARK: Regexes. Instructions are those of RE2, estimated; an instruction takes each sidecar about 16 bytes.

    package static let regexLength = Limit("regexLength", RE2.maxLength, "bytes", "one regex")
    package static let regexSize = Limit(
        "regexSize", RE2.maxProgramSize, "instructions",
        """
        one compiled regex; sidecars are given a limit of 32 768 (re2.max_program_size.error_level), which leaves room for the \
        estimate to be wrong
        """)
    package static let regexSizePerObject = Limit(
        "regexSizePerObject", 100_000, "instructions", "all regexes of one object, compiled")
}
